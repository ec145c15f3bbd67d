//! What of a log is asked for, in the URL, and the form that asks it.

use super::{islands::QueryBox, page::Shown, tail::LIVE};
use crate::ui::{Banner, Filters, Glyph, Icon, TextField, Tone};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;
use send0_core::{
    AppError, FieldError,
    audit_log::{Action, Asked as Bound, Filter, FilterText, KEYS, Outcome, Place, Query, QueryError, Source, Term},
};
use time::{Duration, OffsetDateTime, UtcOffset, macros::format_description};

/// What the URL of a search can say, besides whether it is live.
const PARAMETERS: [&str; 8] = ["q", "actor", "action", "outcome", "from", "to", "older", "newer"];

/// What of a log is asked for, in the URL.
pub struct Asked {
    /// The filter.
    pub filter: Filter,
    /// Which part of the list.
    pub place: Place,
    /// Whether new events are watched for.
    pub is_live: bool,
    /// Whether the URL says nothing at all.
    is_bare: bool,
    /// As it was typed; what other parameters say is in the query.
    text: FilterText,
    /// What cannot be read of it.
    wrong: Vec<FieldError>,
}

impl Asked {
    /// As the URL has it. What cannot be read is said above the list, and left out; the rest holds.
    pub fn of(query: &ParamsMap) -> Result<Self, AppError> {
        let (text, place) = (text_of(query).folded(), place_of(query)?);
        let (filter, wrong) = text.read();
        let is_live = query.get(LIVE).is_some();
        let is_said = |name: &str| query.get(name).is_some();
        let is_bare = !is_live && !PARAMETERS.into_iter().any(is_said);
        Ok(Self { filter, place, is_live, is_bare, text, wrong })
    }

    /// Whether the URL says nothing at all.
    pub fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// Whether it is about the newest.
    pub fn is_newest(&self) -> bool {
        self.place == Place::Top
    }

    /// Whether all of it could be read.
    pub fn is_readable(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Whether times stand beside the query.
    pub fn has_times(&self) -> bool {
        self.filter.from.is_some() || self.filter.to.is_some()
    }

    /// All of it in the language of queries.
    pub fn whole(&self) -> Query {
        let mut query = self.filter.query.clone();
        let times = [self.filter.from.map(Bound::After), self.filter.to.map(Bound::Before)];
        query.terms.extend(times.into_iter().flatten().map(|asked| Term { negated: false, asked }));
        query
    }

    /// Whether anything is asked for, readable or not.
    pub fn is_anything(&self) -> bool {
        self.text != FilterText::default()
    }

    /// This search with more parameters.
    pub fn link(&self, base: &str, more: &[(&str, &str)]) -> String {
        let fields = [("q", self.text.q.as_str()), ("from", &self.text.from), ("to", &self.text.to)];
        address(base, fields.into_iter().chain(more.iter().copied()))
    }

    /// A search for this within the times of this one.
    pub fn link_for(&self, base: &str, query: &Query) -> String {
        let q = query.to_string();
        address(base, [("q", q.as_str()), ("from", &self.text.from), ("to", &self.text.to)])
    }

    /// What could not be read.
    pub fn misread(&self) -> Option<AnyView> {
        misread("The filter could not be read as a whole; this part of it is left out", &self.wrong)
    }
}

/// What cannot be read of a filter, if there is anything.
pub fn misread(title: &'static str, wrong: &[FieldError]) -> Option<AnyView> {
    if wrong.is_empty() {
        return None;
    }
    let line = |error: &FieldError| view! { <p><code>{error.field.clone()}</code>{format!(" {}", error.message)}</p> };
    let lines = wrong.iter().map(line).collect_view();
    Some(view! { <Banner tone=Tone::Warn title>{lines}</Banner> }.into_any())
}

/// A search for this and nothing else.
pub fn link_to(base: &str, query: &Query) -> String {
    address(base, [("q", query.to_string().as_str())])
}

fn address<'a>(base: &str, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }
}

pub fn text_of(query: &ParamsMap) -> FilterText {
    let value = |name| query.get(name).unwrap_or_default();
    FilterText {
        actor: value("actor"),
        action: value("action"),
        outcome: value("outcome"),
        from: value("from"),
        to: value("to"),
        q: value("q"),
    }
}

fn place_of(query: &ParamsMap) -> Result<Place, AppError> {
    let seq = |text: String| text.parse::<i64>().map_err(|_| AppError::NotFound);
    match (query.get("older"), query.get("newer")) {
        (Some(older), _) => seq(older).map(Place::Older),
        (None, Some(newer)) => seq(newer).map(Place::Newer),
        (None, None) => Ok(Place::Top),
    }
}

/// The form: one box for the query, and the times. `actors` are offered by name.
pub fn form(log: &Shown, asked: &Asked, actors: &[String]) -> impl IntoView + use<> {
    let clear = asked.is_anything().then(|| log.all.clone());
    let FilterText { q, from, to, .. } = asked.text.clone();
    let (from, to) = (in_field(asked.filter.from, from), in_field(asked.filter.to, to));
    let errors = Query::parse(&q).err().unwrap_or_default();
    let wrong = !errors.is_empty();
    let described = wrong.then(|| "q-error".to_owned());
    let marked = wrong.then(|| marked(&q, &errors));
    let completions = completions(log.now, actors);
    view! {
        <Filters action=log.base.clone() clear>
            <span class="search query">
                <Icon glyph=Glyph::Search/>
                <QueryBox value=q completions described wrong/>
            </span>
            <TextField name="from" label="From, UTC" kind="datetime-local" value=from/>
            <TextField name="to" label="To, UTC" kind="datetime-local" value=to/>
        </Filters>
        {marked}
        {help()}
    }
}

/// A time that could be read, as a field for times has to have it; else what was typed.
fn in_field(at: Option<OffsetDateTime>, typed: String) -> String {
    let Some(at) = at.map(|at| at.to_offset(UtcOffset::UTC)) else { return typed };
    let text = match (at.second(), at.millisecond()) {
        (0, 0) => at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]")),
        (_, 0) => at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]")),
        _ => at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]")),
    };
    text.unwrap_or(typed)
}

/// What the box offers, line by line: the keys, then the values of those that have a few.
fn completions(now: OffsetDateTime, actors: &[String]) -> String {
    let keys = KEYS.iter().map(|(key, _)| format!("{key}:"));
    let term = |asked| Term { negated: false, asked }.to_string();
    let actors = actors.iter().map(|name| term(Bound::Actor(name.clone())));
    let outcomes = Outcome::ALL.into_iter().map(|outcome| term(Bound::Outcome(outcome)));
    let sources = Source::ALL.into_iter().map(|source| term(Bound::Source(source)));
    let days = [0, 1, 7, 30, 90].map(|days| (now - Duration::days(days)).date().midnight().assume_utc());
    let days = days.into_iter().flat_map(|day| [term(Bound::After(day)), term(Bound::Before(day))]);
    let all: Vec<String> = keys.chain(actors).chain(actions()).chain(outcomes).chain(sources).chain(days).collect();
    all.join("\n")
}

/// Families before their actions.
fn actions() -> Vec<String> {
    let families = Action::ALL.iter().filter_map(|action| action.as_str().split_once('.'));
    let families = families.map(|(thing, _)| format!("action:{thing}.*"));
    let mut all: Vec<String> = families.chain(Action::ALL.iter().map(|action| format!("action:{action}"))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What was typed, with what cannot be read marked in it.
fn marked(q: &str, errors: &[QueryError]) -> impl IntoView + use<> {
    let letters = q.chars().enumerate();
    let is_wrong = |place: usize| errors.iter().any(|error| (error.span.start..error.span.end).contains(&place));
    let mut parts: Vec<(bool, String)> = vec![];
    for (place, letter) in letters {
        match parts.last_mut().filter(|(wrong, _)| *wrong == is_wrong(place)) {
            Some((_, part)) => part.push(letter),
            None => parts.push((is_wrong(place), letter.to_string())),
        }
    }
    let part = |(wrong, part): (bool, String)| match wrong {
        true => view! { <mark>{part}</mark> }.into_any(),
        false => part.into_any(),
    };
    let parts = parts.into_iter().map(part).collect_view();
    view! { <p class="query-error" id="q-error"><code>{parts}</code></p> }
}

fn help() -> impl IntoView {
    let line = |(key, what): (&'static str, &'static str)| {
        view! { <div><dt><code>{format!("{key}:")}</code></dt><dd>{what}</dd></div> }
    };
    view! {
        <details class="query-help">
            <summary class="meta">"How to search"</summary>
            <dl>{KEYS.map(line).into_iter().collect_view()}</dl>
            <p>
                "Words without a key are looked for in the whole event; put several in quotes to find them side by side. "
                "Several terms of one key find any of them, terms of different keys all of them, and "<code>"-"</code>" before a term what it does not find."
            </p>
        </details>
    }
}
