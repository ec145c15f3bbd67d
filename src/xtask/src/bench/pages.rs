//! How fast the audit log is, and how many bytes pages and files have.

use std::collections::BTreeSet;

use super::{REQUESTS, expect, measure};
use crate::{
    error::Result,
    figures::grouped,
    http::{Answer, Request},
    installation::{Installation, Key, Workspace},
};

/// Its pages and its API, over everything that was seeded.
pub fn audit_log(
    installation: &Installation,
    workspace: &Workspace,
    key: &Key,
    session: &str,
    events: usize,
) -> Result<()> {
    let middle = events / 2;
    println!("\naudit log, {REQUESTS} requests each on one connection");
    let log = format!("/w/{}/audit-log", workspace.slug);
    let headers = [("Cookie", session), ("Accept", "text/html")];
    let pages = [
        ("page, newest", log.clone()),
        ("page, deep", format!("{log}?older={middle}")),
        ("page, one action", format!("{log}?action=api_key.revoked")),
        ("page, one actor, deep", format!("{log}?actor={}&older={middle}", key.id)),
        ("page, denied", format!("{log}?outcome=denied")),
        ("page, some actions", format!("{log}?q=action:api_key.*")),
        ("page, command line", format!("{log}?q=source:cli")),
    ];
    for (name, path) in &pages {
        let request = Request { headers: &headers, ..Request::get(path) };
        show(installation, name, &request)?;
    }
    let api = [
        ("API, newest", "/v1/audit-events".to_owned()),
        ("API, 100, deep", format!("/v1/audit-events?limit=100&cursor={middle}")),
        ("API, one action", "/v1/audit-events?action=api_key.revoked".to_owned()),
    ];
    for (name, path) in &api {
        show(installation, name, &Request { bearer: Some(&key.key), ..Request::get(path) })?;
    }
    Ok(())
}

/// The pages that somebody opens every day.
pub fn demo(installation: &Installation, slug: &str, session: &str) -> Result<()> {
    println!("\nthe demo's pages, {REQUESTS} requests each on one connection");
    let headers = [("Cookie", session), ("Accept", "text/html")];
    for page in ["", "/members", "/api-keys", "/allowlist", "/audit-log", "/settings"] {
        let path = format!("/w/{slug}{page}");
        show(
            installation,
            if page.is_empty() { "/" } else { page },
            &Request { headers: &headers, ..Request::get(&path) },
        )?;
    }
    Ok(())
}

/// One line: how long the answers took.
pub fn show(installation: &Installation, name: &str, request: &Request) -> Result<()> {
    let times = measure(installation, request, |done| done < REQUESTS)?;
    println!("{name:<22} {}", times.summary());
    Ok(())
}

/// Of the pages that somebody sees first, and of every file that they load.
pub fn sizes(installation: &Installation, workspace: &Workspace, session: &str) -> Result<()> {
    println!("\n{:<44} {:>10} {:>10}", "bytes", "raw", "gzip");
    let slug = &workspace.slug;
    let inside = [format!("/w/{slug}"), format!("/w/{slug}/api-keys"), format!("/w/{slug}/audit-log")];
    let mut files = BTreeSet::new();
    let outside = ["/sign-in", "/security", "/subprocessors"].map(str::to_owned);
    for path in outside.iter().chain(&inside) {
        // Signed in, nobody sees the form any more.
        let session = if outside.contains(path) { "" } else { session };
        let page = size(installation, path, session)?;
        files.extend(files_of(&page.text()));
    }
    for file in files {
        size(installation, &file, "")?;
    }
    Ok(())
}

fn size(installation: &Installation, path: &str, session: &str) -> Result<Answer> {
    let get = |encoding| {
        let headers = [("Cookie", session), ("Accept", "text/html,*/*"), ("Accept-Encoding", encoding)];
        installation.send(&Request { headers: &headers, ..Request::get(path) })
    };
    let (raw, gzip) = (get("identity")?, get("gzip")?);
    expect(200, path, &raw)?;
    let compressed = match gzip.header("content-encoding") {
        Some(_) => grouped(gzip.body.len()),
        None => "not".to_owned(),
    };
    println!("{path:<44} {:>10} {compressed:>10}", grouped(raw.body.len()));
    Ok(raw)
}

/// The styles, scripts and WebAssembly that a page names.
fn files_of(page: &str) -> BTreeSet<String> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c));
    let from = page.match_indices("/pkg/").map(|(at, _)| &page[at..]);
    let paths = from.map(|rest| rest.split(ends).next().unwrap_or_default().to_owned());
    paths.filter(|path| [".css", ".js", ".wasm"].iter().any(|kind| path.ends_with(kind))).collect()
}

#[cfg(test)]
mod tests {
    use super::files_of;

    #[test]
    fn the_files_of_a_page_are_found_once() {
        let page = r#"<link href="/pkg/send0.a1-_.css"><script>import("/pkg/send0.js");f('/pkg/send0.wasm','/pkg/send0.js')</script>/pkg/"#;
        assert_eq!(
            files_of(page).into_iter().collect::<Vec<_>>(),
            ["/pkg/send0.a1-_.css", "/pkg/send0.js", "/pkg/send0.wasm"]
        );
    }
}
