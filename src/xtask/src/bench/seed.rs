//! A million events, written past the product but in its own shape and through its own function.

use std::time::Instant;

use crate::{
    error::Result,
    figures::{grouped, rate},
    installation::{Installation, Key, Workspace},
};

/// How many. Ids are made from a number of 20 bits, which is 5 hexadecimal digits and 4 of an id's characters.
pub const EVENTS: usize = 1_000_000;
const BATCH: usize = 10_000;

/// `{slug}`, `{workspace}`, `{key}`, `{first}` and `{last}` are filled in. Bodies are RFC 8785, as in
/// `src/core/src/audit_log/record.rs`: of ten calls six are the key's, one is refused, one is a person's sign-in;
/// one in a hundred revokes a key.
const SQL: &str = include_str!("seed.sql");

/// Appends them and lets PostgreSQL take note of how many there are.
pub fn million(installation: &Installation, workspace: &Workspace, key: &Key) -> Result<()> {
    let begun = Instant::now();
    for first in (0..EVENTS).step_by(BATCH) {
        installation.psql(&sql(workspace, key, first))?;
    }
    installation.psql("vacuum analyze audit_events")?;
    let size = "select pg_size_pretty(sum(pg_total_relation_size(relid))) from pg_partition_tree('audit_events')";
    let (took, size) = (begun.elapsed(), installation.psql(size)?);
    println!("\nseeded {} events, {size} with indexes, {}/s", grouped(EVENTS), rate(EVENTS, took));
    Ok(())
}

fn sql(workspace: &Workspace, key: &Key, first: usize) -> String {
    SQL.replace("{slug}", &workspace.slug)
        .replace("{workspace}", &workspace.id)
        .replace("{key}", &key.id)
        .replace("{first}", &first.to_string())
        .replace("{last}", &(first + BATCH - 1).to_string())
}
