//! A small HTTP/1.1 client for this machine. It keeps its connection, and makes another after that broke.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection at a time.
#[derive(Debug)]
pub struct Client {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
}

/// What is sent. The body is a form.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// With its query.
    pub path: &'a str,
    /// The key of an `Authorization: Bearer` header.
    pub bearer: Option<&'a str>,
    /// Whatever else.
    pub headers: &'a [(&'a str, &'a str)],
    /// Empty: there is none.
    pub body: &'a str,
}

impl<'a> Request<'a> {
    /// A GET of this path.
    pub fn get(path: &'a str) -> Self {
        Self { method: "GET", path, ..Self::default() }
    }

    fn write(&self, port: u16) -> String {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: localhost:{port}\r\n", self.method, self.path);
        let authorization = self.bearer.map(|key| format!("Bearer {key}"));
        let authorization = authorization.as_deref().map(|value| ("Authorization", value));
        for (name, value) in authorization.iter().chain(self.headers) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            let length = self.body.len();
            text.push_str(&format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(self.body);
        text
    }
}

/// An answer that was received to its end.
#[derive(Debug)]
pub struct Answer {
    /// Such as 200.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// As sent; compressed, if that was asked for.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    /// Connects with the first request.
    pub fn new(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// Sends a request and reads the answer to its end.
    pub fn send(&mut self, request: &Request) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        stream.get_mut().write_all(request.write(self.port).as_bytes())?;
        let answer = read(&mut stream)?;
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    /// Sends a request, which must be answered 200 and in chunks, and hands on each as it comes.
    pub fn receive(&mut self, request: &Request, each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut stream = self.connect()?;
        stream.get_mut().write_all(request.write(self.port).as_bytes())?;
        let answer = head(&mut stream)?;
        match (answer.status, answer.header("transfer-encoding")) {
            (200, Some("chunked")) => chunks(&mut stream, each),
            (status, _) => Err(odd(&format!("answered {status}, or not in chunks"))),
        }
    }

    fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    }
}

fn read(stream: &mut impl BufRead) -> io::Result<Answer> {
    let mut answer = head(stream)?;
    answer.body = body(stream, &answer)?;
    Ok(answer)
}

fn head(stream: &mut impl BufRead) -> io::Result<Answer> {
    let status = line(stream)?.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| odd("no status"))?;
    let mut headers = Vec::new();
    while let Some((name, value)) = line(stream)?.split_once(':') {
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Answer { status, headers, body: Vec::new() })
}

/// Without a length its end cannot be told from a broken connection, and so that is refused.
fn body(stream: &mut impl BufRead, answer: &Answer) -> io::Result<Vec<u8>> {
    if answer.status == 204 || answer.status == 304 {
        return Ok(Vec::new());
    }
    if answer.header("transfer-encoding") == Some("chunked") {
        let mut body = Vec::new();
        return chunks(stream, |chunk| body.extend_from_slice(chunk)).map(|()| body);
    }
    let length = answer.header("content-length").and_then(|length| length.parse().ok());
    exactly(stream, length.ok_or_else(|| odd("a body without a length"))?)
}

fn chunks(stream: &mut impl BufRead, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    loop {
        let size = line(stream)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| odd("no chunk"))?;
        each(&exactly(stream, size)?);
        line(stream)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn exactly(stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Request, read};

    fn body_of(answer: &str) -> Option<String> {
        read(&mut answer.as_bytes()).ok().map(|answer| answer.text())
    }

    #[test]
    fn bodies_are_read_to_their_end_or_not_at_all() {
        assert_eq!(body_of("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").as_deref(), Some("ok"));
        assert_eq!(body_of("HTTP/1.1 204 No Content\r\n\r\n").as_deref(), Some(""));
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n";
        assert_eq!(body_of(chunked).as_deref(), Some("abc"));
        let cut_off = &chunked[..chunked.len() - 2];
        for broken in ["", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok", cut_off] {
            assert_eq!(body_of(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_form_has_a_length() {
        let form = Request { method: "POST", path: "/", body: "a=b", bearer: Some("k"), ..Request::default() };
        let written = form.write(1);
        assert!(written.starts_with("POST / HTTP/1.1\r\nHost: localhost:1\r\nAuthorization: Bearer k\r\n"));
        assert!(written.ends_with("Content-Length: 3\r\n\r\na=b"));
    }
}
