//! The public pages for programs: JSON, and a feed (Atom, RFC 4287). The same for everybody, and to be kept a while.

use super::status_of;
use app::public::CACHE;
use atom_syndication::{Content, Entry, Feed, FixedDateTime, Link, Person, Text};
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use send0_core::{
    AppError, Ctx,
    changelog::{Changes, changelog},
    compliance,
    practices::{CONTACT, PRACTICES},
    subprocessors::{Notice, operations},
    zones,
};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// `/security.json`.
pub async fn security_json() -> Response {
    kept(Json(json!({ "practices": PRACTICES, "contact": CONTACT })))
}

/// `/compliance.json`.
pub async fn compliance_json(State(ctx): State<Ctx>) -> Response {
    let today = ctx.clock.now().date();
    match compliance::operations::public(&ctx).await {
        Ok(all) => {
            let all: Vec<_> = all.iter().map(|one| one.view(today)).collect();
            kept(Json(json!({ "frameworks": all, "contact": CONTACT })))
        }
        Err(error) => failed(&error),
    }
}

/// `/subprocessors.json`.
pub async fn subprocessors_json(State(ctx): State<Ctx>) -> Response {
    match operations::public(&ctx).await {
        Ok(all) => kept(Json(json!({
            "subprocessors": all.current,
            "announced": all.announced.iter().map(Notice::view).collect::<Vec<_>>(),
            "history": all.history.iter().map(Notice::view).collect::<Vec<_>>(),
        }))),
        Err(error) => failed(&error),
    }
}

/// `/subprocessors.atom`.
pub async fn subprocessors_atom(State(ctx): State<Ctx>) -> Response {
    match operations::public(&ctx).await {
        Ok(all) => {
            let mut notices: Vec<&Notice> = all.announced.iter().chain(&all.history).collect();
            notices.sort_by_key(|notice| std::cmp::Reverse(notice.changed_at()));
            let about = About {
                path: "/subprocessors",
                title: "send0: subprocessors",
                subtitle: "Every change, at least 30 full days ahead.",
            };
            let entries = notices.iter().map(|notice| entry(&ctx.origin, notice)).collect();
            let newest = notices.first().copied().and_then(Notice::changed_at);
            kept((ATOM, feed(&ctx.origin, &about, newest, entries).to_string()))
        }
        Err(error) => failed(&error),
    }
}

/// `/changelog.atom`.
pub async fn changelog_atom(State(ctx): State<Ctx>) -> Response {
    let days = changelog();
    let entries = days.iter().map(|day| Entry {
        id: format!("{}/changelog#{}", ctx.origin, day.id()),
        title: Text::plain(format!("Changes of {}", day.id())),
        updated: instant(day.at()),
        links: vec![link("alternate", format!("{}/changelog#{}", ctx.origin, day.id()))],
        content: Some(plain(day.changes.join("\n"))),
        ..Entry::default()
    });
    let about = About { path: "/changelog", title: "send0: changelog", subtitle: "What has changed in the console." };
    let newest = days.first().map(Changes::at);
    kept((ATOM, feed(&ctx.origin, &about, newest, entries.collect()).to_string()))
}

fn kept(answer: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, CACHE)], answer).into_response()
}

fn failed(error: &AppError) -> Response {
    status_of(error).into_response()
}

/// What a feed says of itself.
struct About {
    path: &'static str,
    title: &'static str,
    subtitle: &'static str,
}

const ATOM: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];

fn feed(origin: &str, about: &About, newest: Option<OffsetDateTime>, entries: Vec<Entry>) -> Feed {
    let page = format!("{origin}{}", about.path);
    Feed {
        id: format!("{page}.atom"),
        title: Text::plain(about.title),
        subtitle: Some(Text::plain(about.subtitle)),
        updated: instant(newest.unwrap_or(OffsetDateTime::UNIX_EPOCH)),
        authors: vec![Person { name: "send0".into(), email: Some(CONTACT.into()), ..Person::default() }],
        links: vec![link("self", format!("{page}.atom")), link("alternate", page)],
        entries,
        ..Feed::default()
    }
}

fn plain(text: String) -> Content {
    Content { value: Some(text), content_type: Some("text".into()), ..Content::default() }
}

fn entry(origin: &str, notice: &Notice) -> Entry {
    let day = zones::words("", notice.effective_at);
    let first = match (&notice.withdrawn, notice.in_effect_at) {
        (Some((_, why)), _) => format!("Withdrawn: {why}"),
        (None, Some(_)) => format!("In effect. {}", notice.why),
        (None, None) => format!("In effect on {day}. {}", notice.why),
    };
    let differences = notice.differences().into_iter().map(|(field, before, after)| {
        format!("{field}: {} → {}", before.unwrap_or_else(|| "–".into()), after.unwrap_or_else(|| "–".into()))
    });
    let text = std::iter::once(first).chain(differences).collect::<Vec<_>>().join("\n");
    Entry {
        id: format!("{origin}/subprocessors#{}", notice.id),
        title: Text::plain(notice.title()),
        updated: instant(notice.changed_at().unwrap_or(notice.drafted_at)),
        published: notice.published_at.map(instant),
        links: vec![link("alternate", format!("{origin}/subprocessors#{}", notice.id))],
        content: Some(plain(text)),
        ..Entry::default()
    }
}

fn link(rel: &str, href: String) -> Link {
    Link { rel: rel.to_owned(), href, ..Link::default() }
}

fn instant(at: OffsetDateTime) -> FixedDateTime {
    let text = at.format(&Rfc3339).unwrap_or_default();
    text.parse().unwrap_or_default()
}
