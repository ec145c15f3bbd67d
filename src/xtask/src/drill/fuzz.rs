//! The parser of queries, with a thousand times as many texts as on other days.

use crate::{
    count,
    error::{Error, Result},
    process,
    product::linted,
    project::Project,
};

/// Tests of all days, there with the 256 texts of proptest.
const TESTS: [&str; 3] = [
    "audit_log::query::tests::nothing_typed_makes_it_panic",
    "audit_log::query::tests::nor_anything_that_looks_like_a_query",
    "audit_log::query::tests::what_is_printed_is_read_as_the_same",
];
const CASES: &str = "250000";

/// No text makes the parser panic, every error has its place in the text, and what is printed is read as the same.
pub fn fuzz(project: &Project) -> Result<()> {
    let mut test = linted(project.command("cargo"));
    test.args(["test", "--workspace", "--lib", "--", "--exact"])
        .args(TESTS)
        .env("SQLX_OFFLINE", "true")
        .env("PROPTEST_CASES", CASES);
    let (succeeded, written) = process::tee(&mut test)?;
    // A test of another name would be none, and no failure.
    if succeeded && count::cargo_test(&written).passed == TESTS.len() { Ok(()) } else { Err(Error::Checks) }
}
