//! `send0-verify`: see `send0-verify --help` and docs/operating.md.

fn main() {}
