//! Signed notes, with the test vectors of golang.org/x/mod/sumdb/note (BSD licence, The Go Authors), and checkpoints.

use base64::{Engine, prelude::BASE64_STANDARD};
use send0_verify::{
    checkpoint::{self, Checkpoint},
    note::{self, NoteError, Signer, Verifier},
};

const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_SIGNED: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_SIGNED: &str =
    "\u{2014} EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn verifier(text: &str) -> Verifier {
    text.parse().expect("a key")
}

fn peter() -> Signer {
    let secret = BASE64_STANDARD.decode(PETER_SECRET).expect("base64");
    Signer::new("PeterNeumann", secret[1..].try_into().expect("a seed")).expect("a name")
}

fn refused(note: &str, known: &[Verifier]) -> NoteError {
    note::open(note, known).expect_err("a refusal")
}

#[test]
fn a_public_key_is_written_in_one_way() {
    assert_eq!(verifier(PETER).to_string(), PETER);
    assert_eq!(verifier(PETER), peter().verifier());
    for from in 0..PETER.len() {
        for to in from..=PETER.len() {
            let whole = (from, to) == (0, PETER.len());
            assert_eq!(PETER[from..to].parse::<Verifier>().is_ok(), whole, "{}", &PETER[from..to]);
        }
        let mut mangled = PETER.as_bytes().to_vec();
        mangled[from] += 1;
        let mangled = String::from_utf8(mangled).expect("ASCII");
        assert_eq!(mangled.parse::<Verifier>(), Err(NoteError::Key), "{mangled}");
    }
    // Too long, and of another kind; the hashes are right.
    for other in [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert_eq!(other.parse::<Verifier>(), Err(NoteError::Key));
    }
}

#[test]
fn signs_like_go() {
    assert_eq!(peter().sign(TEXT).expect("signed"), format!("{TEXT}\n{PETER_SIGNED}"));
    assert_eq!(peter().sign("abc"), Err(NoteError::Malformed));
    assert_eq!(peter().sign("a\rb\n"), Err(NoteError::Malformed));
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
        assert_eq!(Signer::new(name, &[1; 32]).expect_err("refused"), NoteError::Name);
    }
}

#[test]
fn the_secret_is_not_shown() {
    assert_eq!(format!("{:?}", peter()), r#"Signer { name: "PeterNeumann", .. }"#);
}

#[test]
fn opens_what_somebody_known_signed() {
    let (peter, enoch) = (verifier(PETER), verifier(ENOCH));
    let both = format!("{TEXT}\n{PETER_SIGNED}{ENOCH_SIGNED}");
    assert_eq!(note::open(&both, std::slice::from_ref(&peter)), Ok(TEXT));
    assert_eq!(note::open(&both, std::slice::from_ref(&enoch)), Ok(TEXT));
    assert_eq!(note::open(&both, &[enoch.clone(), peter.clone(), enoch]), Ok(TEXT));
    assert_eq!(refused(&both, &[]), NoteError::Unknown);
    let many = PETER_SIGNED.repeat(101);
    assert_eq!(refused(&format!("{TEXT}\n{many}"), &[peter]), NoteError::Malformed);
}

#[test]
fn a_wrong_signature_of_somebody_known_spoils_the_note() {
    let known = [verifier(PETER), verifier(ENOCH)];
    let long = format!("{TEXT}\n{}ABCD{}", &PETER_SIGNED[..60], &PETER_SIGNED[60..]);
    assert_eq!(refused(&long, &known), NoteError::Signature);
    let other_text = format!("{}\n{PETER_SIGNED}", TEXT.replace("answer", "Answer"));
    assert_eq!(refused(&other_text, &known), NoteError::Signature);
    let one_wrong = format!("{TEXT}\n{PETER_SIGNED}{}", ENOCH_SIGNED.replace("mZa0", "mZa1"));
    assert_eq!(refused(&one_wrong, &known), NoteError::Signature);
    assert_eq!(note::open(&one_wrong, &known[..1]), Ok(TEXT), "of somebody unknown it does not matter");
}

#[test]
fn what_is_no_note_is_not_opened() {
    let known = [verifier(PETER)];
    for note in [
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}\n{}", PETER_SIGNED.trim_end()),
        format!("\u{1}{TEXT}\n{PETER_SIGNED}"),
        format!("{TEXT}\n{}", PETER_SIGNED.replace("PeterNeumann", "Bad Name")),
        format!("{TEXT}\n{PETER_SIGNED}Unexpected line.\n"),
        format!("{TEXT}\n\u{2014} PeterNeumann x08g\n"),
        String::new(),
    ] {
        assert_eq!(refused(&note, &known), NoteError::Malformed, "{note:?}");
    }
}

#[test]
fn a_checkpoint_is_three_lines() {
    let workspace = "wsp_00000000000000000000000000";
    let checkpoint = Checkpoint { origin: checkpoint::origin(workspace), size: 1042, root: [7; 32] };
    let text = checkpoint.to_string();
    assert_eq!(
        text,
        "send0.dev/audit-log/wsp_00000000000000000000000000\n1042\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"
    );
    assert_eq!(checkpoint.workspace(), Some(workspace));
    assert_eq!(text.parse().as_ref(), Ok(&checkpoint));
    assert_eq!(format!("{text}extension\n").parse().as_ref(), Ok(&checkpoint), "extensions are passed over");
    for other in [
        text.trim_end().to_owned(),
        text.replace("1042", "01042"),
        text.replace("1042", "+1042"),
        text.replace("1042", ""),
        text.replace("1042", "18446744073709551616"),
        text.replace("BwcHBwcH", "BwcHBwc="),
        text.replace("BwcHBwcHBwcH", "BwcHBwcH"),
        format!("\n{text}"),
        format!("{text}\nextension\n"),
    ] {
        assert!(other.parse::<Checkpoint>().is_err(), "{other:?}");
    }
}
