//! 32 writers at once with 1,000 actions each, some of them taken back or broken off in the middle.

use crate::{
    count,
    error::{Error, Result},
    postgres::Postgres,
    process,
    product::linted,
    project::Project,
};

/// One of the tests of all days, there with one round.
const TEST: &str = "audit_log::tests::events_are_in_order_without_gaps_under_32_writers";
/// Of 20 actions for each writer.
const ROUNDS: &str = "50";

/// Every event has its action, every action its event, and no number is missing or taken twice.
pub fn writers(project: &Project) -> Result<()> {
    let server = Postgres::start()?;
    let mut test = linted(project.command("cargo"));
    test.args(["test", "--workspace", "--lib", "--", "--exact", TEST])
        .env("SQLX_OFFLINE", "true")
        .env("SEND0_TEST_POSTGRES", server.url())
        .env("SEND0_TEST_ROUNDS", ROUNDS);
    let (succeeded, written) = process::tee(&mut test)?;
    // A test of another name would be none, and no failure.
    if succeeded && count::cargo_test(&written).passed == 1 { Ok(()) } else { Err(Error::Checks) }
}
