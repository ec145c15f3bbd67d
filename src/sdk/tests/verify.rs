//! What is said about exports: those that are whole, those that somebody changed in any of about 120 ways, those of parts. And
//! that the second implementation, written from `docs/audit-log-format.md`, says the same.

mod support {
    mod log;
    pub use log::*;
    pub mod cases;
}

use send0_verify::{Checkpoints, Finding, NotCheckpoints, Report};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use support::{Case, Expected, Found, Holds, Log, Row, WORKSPACE, cases, signer};

fn check(case: &Case) -> Result<Report, Finding> {
    let checkpoints = Checkpoints::read(case.checkpoints.as_bytes()).expect("checkpoints");
    send0_verify::verify(case.export.as_bytes(), &checkpoints, &[signer(1).verifier(), signer(2).verifier()])
}

fn said(result: &Result<Report, Finding>) -> Expected {
    match result {
        Ok(report) => Holds(report.events, report.sealed, report.erased),
        Err(finding) => Found(finding.kind, finding.seq),
    }
}

/// Each case that is not judged as expected, a line each.
fn wrong(judge: impl Fn(&Case) -> Option<String>) -> String {
    cases::cases().iter().filter_map(|case| judge(case).map(|said| format!("{}: {said}\n", case.name))).collect()
}

#[test]
fn each_change_is_named_by_kind_and_number() {
    let wrong = wrong(|case| {
        let result = check(case);
        (said(&result) != case.expected).then(|| format!("{result:?}, not {:?}", case.expected))
    });
    assert_eq!(wrong, "");
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let mut names: Vec<_> = cases::cases().iter().map(|case| case.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all > 100, "{all}");
}

#[test]
fn every_part_of_a_log_is_checked_by_itself() {
    let log = Log::new(WORKSPACE, 16, "");
    let keys = [log.key.verifier()];
    for size in 0..=16 {
        let checkpoints = Checkpoints::note(&log.checkpoint(size)).expect("a note");
        for first in 1..=16 {
            for last in first..=16 {
                let export = log.export(first, last, size);
                let report = send0_verify::verify(export.text().as_bytes(), &checkpoints, &keys);
                let report = report.unwrap_or_else(|finding| panic!("{first} to {last} of {size}: {finding}"));
                let sealed = (size.min(last) + 1).saturating_sub(first);
                assert_eq!((report.first, report.last, report.sealed), (first, last, sealed), "of {size}");
            }
        }
    }
}

/// Whatever bit is the other way in a part: no part holds that did not hold before.
#[test]
fn no_changed_bit_of_a_part_passes() {
    let log = Log::new(WORKSPACE, 9, "");
    let keys = [log.key.verifier()];
    let checkpoints = Checkpoints::note(&log.checkpoint(9)).expect("a note");
    let export = log.export(4, 6, 9).text();
    let holds = |bytes: &[u8]| send0_verify::verify(bytes, &checkpoints, &keys).is_ok();
    assert!(holds(export.as_bytes()));
    let mut passed = String::new();
    for at in 0..export.len() {
        for bit in [0, 5] {
            let mut bytes = export.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            if holds(&bytes) {
                let _ = writeln!(passed, "bit {bit} of {:?} at {at}", &export[at.saturating_sub(12)..=at]);
            }
        }
    }
    assert_eq!(passed, "");
}

#[test]
fn an_older_export_is_checked_with_the_checkpoints_of_its_time() {
    let log = Log::new(WORKSPACE, 30, "");
    let file: String = [10, 20, 30].iter().map(|size| support::line(WORKSPACE, &log.checkpoint(*size))).collect();
    let checkpoints = Checkpoints::read(file.as_bytes()).expect("checkpoints");
    let export = log.export(1, 20, 20).text();
    let keys = [log.key.verifier()];
    assert!(send0_verify::verify(export.as_bytes(), &checkpoints, &keys).is_err());
    let report = send0_verify::verify(export.as_bytes(), &checkpoints.until(20), &keys).expect("it holds");
    assert_eq!((report.size, report.checkpoints, report.unchecked), (20, 2, 0));
}

/// The file of checkpoints is copied while it is written, and a server may die in the middle of a line.
#[test]
fn a_line_of_checkpoints_that_breaks_off_anywhere_is_skipped() {
    let log = Log::new(WORKSPACE, 30, "");
    let [first, last] = [10, 30].map(|size| support::line(WORKSPACE, &log.checkpoint(size)));
    let export = log.export(1, 30, 30).text();
    let check = |file: &[u8]| {
        let checkpoints = Checkpoints::read(file).expect("checkpoints");
        send0_verify::verify(export.as_bytes(), &checkpoints, &[log.key.verifier()]).expect("it holds")
    };
    for cut in 0..last.len() {
        let torn = &last.as_bytes()[..cut];
        let whole = cut + 1 == last.len();
        let report = check(&[first.as_bytes(), torn].concat());
        assert_eq!((report.checkpoints, report.skipped), (2, u64::from(cut > 0 && !whole)), "{cut}");
        // Closed by who writes next.
        let report = check(&[first.as_bytes(), torn, b"\n", last.as_bytes()].concat());
        assert_eq!((report.checkpoints, report.skipped), (2, u64::from(cut > 0 && !whole)), "{cut}");
    }
}

#[test]
fn a_whole_line_that_is_no_checkpoint_makes_the_file_another() {
    let line = support::line(WORKSPACE, &Log::new(WORKSPACE, 3, "").checkpoint(3));
    for other in ["{}", "[]", r#"{"workspace":1,"note":""}"#, r#"{"workspace":"w"}"#, "1"] {
        for file in [format!("{line}{other}\n{line}"), format!("{line}{other}")] {
            let error = Checkpoints::read(file.as_bytes()).expect_err(other);
            assert!(matches!(error, NotCheckpoints::Line(2)), "{other}: {error}");
        }
    }
    let error = Checkpoints::read(&b"{\"time\":\"20"[..]).expect_err("nothing in it");
    assert!(matches!(error, NotCheckpoints::Note), "{error}");
}

#[test]
fn what_is_said_to_people() {
    let say = |name: &str| {
        let cases = cases::cases();
        let case = cases.iter().find(|case| case.name == name).expect("a case");
        check(case).map_or_else(|finding| finding.to_string(), |report| report.to_string())
    };
    assert_eq!(
        say("people erased"),
        format!(
            "{WORKSPACE}: complete and unchanged, 1 to 40\n\
             40 events, 37 sealed, 3 not sealed yet, 10 erased; 3 checkpoints fit, 0 lie outside the export"
        )
    );
    assert!(say("a part").contains("complete and unchanged, 12 to 30 of 37\n"));
    assert!(
        say("a part that is not sealed yet").contains("39 to 40 in order, none of them sealed yet: nothing is shown")
    );
    assert!(say("filtered").contains("each event as sealed; a filtered export does not show that it is complete"));
    assert!(say("filtered, without proofs").contains("edit at event 3: its proof is missing"));
    assert!(say("filtered, without a checkpoint").starts_with("no checkpoint: the receipt has none: nothing shows"));
    assert!(say("filtered, nothing found").contains("no events; a filtered export does not show that it is complete"));
    assert!(say("nothing was looked at").starts_with("no checkpoint: no event was looked at for the export"));
    assert!(say("a log without events").contains("complete and unchanged, no events"));
    assert!(!say("nothing").contains("skipped"));
    assert!(
        say("the last checkpoint breaks off").ends_with("\n1 unreadable lines of the checkpoints file were skipped")
    );
    assert!(say("a deletion passed off as a search").contains("does not show that it is complete"));
    assert_eq!(say("two swapped"), "reorder at event 12 (line 12): event 13 stands before event 12");
}

/// The files of a case, as a person has them.
fn files(folder: &Path, case: &Case) -> [String; 3] {
    let keys = format!("# first and second\n{}\n\n{}\n", signer(1).verifier(), signer(2).verifier());
    [("export", &case.export), ("checkpoints", &case.checkpoints), ("keys", &keys)].map(|(name, text)| {
        let path = folder.join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    })
}

/// What is said to programs, and the exit.
fn answer(said: &str, code: i32) -> Value {
    let mut answer: Value = serde_json::from_str(said).unwrap_or_else(|_| panic!("{said}"));
    let expected = match (answer["ok"] == json!(true), answer["kind"] == json!("no checkpoint")) {
        (true, _) => 0,
        (false, unjudged) => 1 + i32::from(unjudged),
    };
    assert_eq!(code, expected, "{said}");
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("detail");
        answer.remove("line");
    }
    answer
}

fn command(folder: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_send0-verify"))
        .args(["export", "--checkpoint", "checkpoints", "--public-key", "keys", "--json"])
        .current_dir(folder)
        .output()
        .expect("it runs");
    answer(&String::from_utf8_lossy(&output.stdout), output.status.code().expect("an exit"))
}

/// Runs verify.py on each folder, in one process: starting it takes longer than all it does.
const PYTHON: &str = r#"
import os, sys
sys.path.insert(0, sys.argv[1])
import verify
for folder in sys.argv[2:]:
    os.chdir(folder)
    sys.argv = ["verify.py", "export", "--checkpoint", "checkpoints", "--public-key", "keys"]
    code = 0
    try:
        verify.main()
    except SystemExit as exit:
        code = exit.code
    print(code)
"#;

/// `None` when there is no Python.
fn others(folders: &[PathBuf]) -> Option<Vec<Value>> {
    let python = Command::new("python3").args(["-B", "-c", PYTHON, env!("CARGO_MANIFEST_DIR")]).args(folders).output();
    let output = python.ok()?;
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<&str> = said.lines().collect();
    Some(lines.chunks(2).map(|pair| answer(pair[0], pair[1].parse().expect("an exit"))).collect())
}

#[test]
fn the_command_and_the_other_implementation_say_the_same() {
    let (folder, cases) = (tempfile::tempdir().expect("a folder"), cases::cases());
    let folders: Vec<PathBuf> = (0..cases.len()).map(|at| folder.path().join(at.to_string())).collect();
    for (folder, case) in folders.iter().zip(&cases) {
        fs::create_dir(folder).expect("a folder");
        files(folder, case);
    }
    let Some(others) = others(&folders) else {
        eprintln!("skipped: there is no python3");
        return;
    };
    assert_eq!(others.len(), cases.len());
    let mut wrong = String::new();
    for ((case, folder), other) in cases.iter().zip(&folders).zip(others) {
        let command = command(folder);
        if command != other {
            let _ = writeln!(wrong, "{}: {command}, but {other}", case.name);
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn wrong_usage_is_no_judgement() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = &cases::cases()[0];
    let [export, checkpoints, keys] = files(folder.path(), case);
    let junk = folder.path().join("junk");
    fs::write(&junk, "# nothing\n").expect("written");
    let junk = junk.to_str().expect("UTF-8");
    for arguments in [
        vec![],
        vec![&*export],
        vec!["/nowhere", "--checkpoint", &checkpoints, "--public-key", &keys],
        vec![&export, "--checkpoint", "/nowhere", "--public-key", &keys],
        vec![&export, "--checkpoint", junk, "--public-key", &keys],
        vec![&export, "--checkpoint", &checkpoints, "--public-key", "/nowhere"],
        vec![&export, "--checkpoint", &checkpoints, "--public-key", junk],
        vec![&export, "--checkpoint", &checkpoints, "--public-key", &checkpoints],
        vec![folder.path().to_str().expect("UTF-8"), "--checkpoint", &checkpoints, "--public-key", &keys],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_send0-verify")).args(&arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
}

/// A million events in 100 MB of address space, and how fast. `cargo nextest run --release … --run-ignored only --no-capture`.
#[test]
#[ignore = "a measurement: half a gigabyte on disk"]
fn a_million_events_in_little_memory() {
    const EVENTS: u64 = 1_000_000;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let mut export = BufWriter::new(File::create(path("export")).expect("a file"));
    let (key, mut frontier) = (signer(1), send0_verify::tree::Frontier::new());
    let mut notes = String::new();
    for seq in 1..=EVENTS {
        let row = Row { time_us: Row::START_US + seq as i64 % 1_000_000, ..Row::new(WORKSPACE, seq, "of many") }
            .sealed_anew();
        frontier.push(row.hash());
        writeln!(export, "{row}").expect("written");
        if seq % 10_000 == 0 {
            let origin = send0_verify::checkpoint::origin(WORKSPACE);
            let text = send0_verify::checkpoint::Checkpoint { origin, size: seq, root: frontier.root() }.to_string();
            notes += &support::line(WORKSPACE, &key.sign(&text).expect("signed"));
        }
    }
    export.flush().expect("written");
    fs::write(path("checkpoints"), notes).expect("written");
    fs::write(path("keys"), key.verifier().to_string()).expect("written");
    let started = Instant::now();
    let output = Command::new("sh")
        .args(["-c", r#"ulimit -v 100000; exec "$0" export --checkpoint checkpoints --public-key keys"#])
        .arg(env!("CARGO_BIN_EXE_send0-verify"))
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    let took = started.elapsed();
    let size = fs::metadata(path("export")).expect("a file").len();
    println!("{took:?}, {:.0} events/s, {} bytes an event", EVENTS as f64 / took.as_secs_f64(), size / EVENTS);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("complete and unchanged, 1 to 1000000\n") && said.contains("100 checkpoints fit"),
        "{output:?}"
    );
}
