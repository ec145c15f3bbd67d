//! The program itself, started as people start it.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
};

/// A server that is told to end, whatever becomes of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(id) = Pid::from_raw(self.0.id().cast_signed()) {
            let _ = kill_process(id, Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

/// The status line of the answer to a call without a key, whose refusal is an event.
fn called(port: &str) -> String {
    let mut stream = TcpStream::connect(format!("localhost:{port}")).expect("connected");
    let request = format!("GET /v1/workspace HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn it_answers_while_nobody_can_write_its_own_log() {
    let private = std::fs::Permissions::from_mode(0o700);
    let data = tempfile::Builder::new().prefix("send0").permissions(private).tempdir_in("/tmp").expect("a directory");
    let full = File::options().write(true).open("/dev/full").expect("a full disk");
    let mut serve = Command::new(env!("CARGO_BIN_EXE_send0"));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SEND0_")) {
        serve.env_remove(name);
    }
    serve.arg("serve").arg("--data").arg(data.path()).args(["--listen", "localhost:0"]);
    let mut server = Running(serve.stdout(Stdio::piped()).stderr(full).spawn().expect("started"));
    // Kept to the end: who writes to nobody is ended for it.
    let mut written = BufReader::new(server.0.stdout.take().expect("its words")).lines();
    let port = written.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("send0 console is at http://localhost:")?;
        Some(port.trim().to_owned())
    });
    let port = port.expect("where it listens");
    for _ in 0..3 {
        assert_eq!(called(&port), "HTTP/1.1 401 Unauthorized");
    }
}
