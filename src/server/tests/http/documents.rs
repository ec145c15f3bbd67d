//! What the documents say is so.

use send0_core::{
    accounts::{self, PROOF_LASTS},
    policies::Policy,
    two_factor::RECOVERY_CODES,
};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Requirements of ASVS 5.0.0 in each section of the chapters that are there.
const SECTIONS: [(&str, u32); 18] = [
    ("6.1", 3),
    ("6.2", 12),
    ("6.3", 8),
    ("6.4", 6),
    ("6.5", 8),
    ("6.6", 4),
    ("6.7", 2),
    ("6.8", 4),
    ("7.1", 3),
    ("7.2", 4),
    ("7.3", 2),
    ("7.4", 5),
    ("7.5", 3),
    ("7.6", 2),
    ("8.1", 4),
    ("8.2", 4),
    ("8.3", 3),
    ("8.4", 2),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    id: String,
    level: u8,
    asks: String,
    state: String,
    #[serde(default)]
    tests: Vec<String>,
    #[serde(default)]
    reason: String,
}

fn read(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn requirements() -> Vec<Requirement> {
    let mut file: BTreeMap<String, Vec<Requirement>> = basic_toml::from_str(&read("docs/asvs.toml")).expect("TOML");
    file.remove("requirement").expect("requirements")
}

#[test]
fn every_requirement_is_answered_in_its_place() {
    let ids: Vec<String> = requirements().into_iter().map(|requirement| requirement.id).collect();
    let known = SECTIONS.iter().flat_map(|(section, count)| (1..=*count).map(move |n| format!("{section}.{n}")));
    assert_eq!(ids, known.collect::<Vec<_>>());
}

#[test]
fn what_is_met_names_tests_that_are_there_and_what_is_not_says_why() {
    let mut files = BTreeMap::<String, String>::new();
    for one in requirements() {
        assert!((1..=3).contains(&one.level) && !one.asks.is_empty(), "{}", one.id);
        match one.state.as_str() {
            "met" => assert!(!one.tests.is_empty() && one.reason.is_empty(), "{} is met, by a test", one.id),
            "na" | "gap" => assert!(one.tests.is_empty() && !one.reason.is_empty(), "{} says why", one.id),
            other => panic!("{}: {other} is no state", one.id),
        }
        for test in &one.tests {
            let (path, name) = test.split_once("::").expect(test);
            let text = files.entry(path.to_owned()).or_insert_with(|| read(path));
            let wanted = if path.ends_with(".rs") { format!("fn {name}(") } else { format!("test('{name}'") };
            assert!(text.contains(&wanted), "{}: there is no {test}", one.id);
        }
    }
}

/// The files of our own code under a folder.
fn sources(folder: PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let deeper = |path: PathBuf| if path.is_dir() { sources(path) } else { vec![path] };
    paths.flat_map(deeper).filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}

#[test]
fn every_random_number_comes_from_the_operating_system() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let all = ["src/core/src", "src/server/src", "app/src"].into_iter().flat_map(|folder| sources(root.join(folder)));
    let mut users = Vec::new();
    for path in all {
        let text = fs::read_to_string(&path).expect("a source file");
        for other in ["rand::rng", "rand::random", "ThreadRng", "StdRng", "SmallRng", "getrandom"] {
            let harmless = text.replace("rand::rngs::SysRng", "");
            assert!(!harmless.contains(other), "{}: {other}", path.display());
        }
        if text.contains("SysRng") {
            users.push(path.strip_prefix(&root).expect("under it").to_owned());
        }
    }
    users.sort();
    assert_eq!(users, ["src/core/src/envelope/primitives.rs", "src/core/src/secrets.rs"].map(PathBuf::from));
}

#[test]
fn the_numbers_about_authentication_are_those_of_the_code() {
    let document = read("docs/authentication.md");
    for said in [
        format!("At least {} characters, at most {} characters", accounts::PASSWORD_MIN, accounts::PASSWORD_MAX),
        format!("one of {}, 120 bits", if RECOVERY_CODES == 10 { "ten" } else { "another number" }),
        format!("older than {} minutes", PROOF_LASTS.whole_minutes()),
        format!("days of grace that a workspace gives its members, {} unless", Policy::NEW.grace_days),
        format!(
            "{} free for each account and {} for each network",
            accounts::FREE_PER_ACCOUNT,
            accounts::FREE_PER_ADDRESS
        ),
        "the words `send0` and `console`".to_owned(),
        format!("256 bits, once, {} hours", send0_core::invitations::HOURS),
    ] {
        assert!(document.contains(&said), "docs/authentication.md does not say: {said}");
    }
}
