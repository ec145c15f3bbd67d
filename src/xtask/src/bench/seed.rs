//! Many events, written past the product but in its own shape and through its own function.

use std::time::Instant;

use crate::{
    error::Result,
    figures::{grouped, rate},
    installation::{Installation, Key, Workspace},
};

/// As many as there are ids: they are made from a number of 24 bits, which is 6 hexadecimal digits.
pub const MOST: usize = 1 << 24;
const BATCH: usize = 10_000;

/// `{slug}`, `{workspace}`, `{key}`, `{first}` and `{last}` are filled in. Bodies are RFC 8785, as in
/// `src/core/src/audit_log/record.rs`: of ten calls six are the key's, one is refused, one is a person's sign-in;
/// one in a hundred revokes a key.
const SQL: &str = include_str!("seed.sql");

/// Appends them and lets PostgreSQL take note of how many there are.
pub fn events(installation: &Installation, workspace: &Workspace, key: &Key, count: usize) -> Result<()> {
    let begun = Instant::now();
    for first in (0..count).step_by(BATCH) {
        installation.psql(&sql(workspace, key, first))?;
    }
    installation.psql("vacuum analyze audit_events")?;
    let size = "select pg_size_pretty(sum(pg_total_relation_size(relid))) from pg_partition_tree('audit_events')";
    let (took, size) = (begun.elapsed(), installation.psql(size)?);
    println!("\nseeded {} events, {size} with indexes, {}/s", grouped(count), rate(count, took));
    Ok(())
}

fn sql(workspace: &Workspace, key: &Key, first: usize) -> String {
    SQL.replace("{slug}", &workspace.slug)
        .replace("{workspace}", &workspace.id)
        .replace("{key}", &key.id)
        .replace("{first}", &first.to_string())
        .replace("{last}", &(first + BATCH - 1).to_string())
}
