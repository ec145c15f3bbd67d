//! The query language of the log: `actor:ana -source:api after:2026-11-01 "free text"`. Terms of one key mean any of them, of
//! different keys all of them; `-` means that a term must not hold. Without I/O, so that it also runs in the browser.

use super::{Action, EventView, Outcome};
use ipnet::IpNet;
use std::{fmt, net::IpAddr};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// The longest query, in characters.
pub const QUERY_MAX: usize = 1000;
/// The most terms of a query.
pub const TERMS_MAX: usize = 32;

/// The keys, with what stands after their colon.
pub const KEYS: [(&str, &str); 8] = [
    ("actor", "an id, a part of a name, or the mail address of a member of today"),
    ("action", "api_key.issued, or a family: api_key.*"),
    ("outcome", "success, denied or failed"),
    ("source", "api, console, cli or system"),
    ("target", "the id of what it was done to: key_…"),
    ("ip", "an address or a network: 10.0.0.0/8"),
    ("after", "a time, inclusive: 2026-11-01"),
    ("before", "a time, exclusive: 2026-11-01T18:00"),
];

/// By which way something came to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A call of the API.
    Api,
    /// Somebody on the pages of the console.
    Console,
    /// The command line of the server.
    Cli,
    /// The server by itself.
    System,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Api, Self::Console, Self::Cli, Self::System];

    /// As a query spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }

    /// Where an event came from: its actor tells, and of nobody known the path.
    pub fn of(actor_kind: &str, actor_id: &str, path: &str) -> Self {
        match (actor_kind, actor_id) {
            ("api_key", _) => Self::Api,
            ("system", "cli") => Self::Cli,
            ("system", _) => Self::System,
            ("anonymous", _) if path.starts_with("/v1") => Self::Api,
            _ => Self::Console,
        }
    }
}

/// What one term asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Who did it: an id, a part of a name, or the mail address of whoever is a member now.
    Actor(String),
    /// What was done: an action, or a family of them.
    Action(String),
    /// How it went.
    Outcome(Outcome),
    /// By which way.
    Source(Source),
    /// The id of what it was done to.
    Target(String),
    /// From where. Without host bits.
    Ip(IpNet),
    /// Since when, inclusive.
    After(OffsetDateTime),
    /// Until when, exclusive.
    Before(OffsetDateTime),
    /// A text that stands somewhere in the event.
    Text(String),
}

impl Asked {
    /// What stands before the colon; nothing before free text.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Actor(_) => Some("actor"),
            Self::Action(_) => Some("action"),
            Self::Outcome(_) => Some("outcome"),
            Self::Source(_) => Some("source"),
            Self::Target(_) => Some("target"),
            Self::Ip(_) => Some("ip"),
            Self::After(_) => Some("after"),
            Self::Before(_) => Some("before"),
            Self::Text(_) => None,
        }
    }

    fn value(&self) -> String {
        match self {
            Self::Actor(text) | Self::Action(text) | Self::Target(text) | Self::Text(text) => text.clone(),
            Self::Outcome(outcome) => outcome.as_str().to_owned(),
            Self::Source(source) => source.as_str().to_owned(),
            Self::Ip(network) if network.prefix_len() == network.max_prefix_len() => network.addr().to_string(),
            Self::Ip(network) => network.to_string(),
            Self::After(at) | Self::Before(at) => written(*at),
        }
    }
}

/// A date where it is midnight, else all of it.
fn written(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let (date, midnight) = (at.date(), at.date().midnight().assume_utc());
    let long = || at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
    if at == midnight { format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()) } else { long() }
}

/// One term of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Whether it must not hold.
    pub negated: bool,
    /// What it asks for.
    pub asked: Asked,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.asked.value();
        let minus = if self.negated { "-" } else { "" };
        let bare = match self.asked.key() {
            Some(key) => {
                write!(f, "{minus}{key}:")?;
                is_bare(&value)
            }
            None => {
                f.write_str(minus)?;
                is_bare(&value) && !value.starts_with('-') && key_length(&value).is_none()
            }
        };
        if bare { f.write_str(&value) } else { f.write_str(&quoted(&value)) }
    }
}

fn is_bare(value: &str) -> bool {
    !value.is_empty() && !value.starts_with('"') && !value.chars().any(char::is_whitespace)
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// How many characters of a word are a key, if a colon follows them.
fn key_length(word: &str) -> Option<usize> {
    let length = word.find(|c: char| !(c.is_ascii_alphabetic() || c == '_'))?;
    (length > 0 && word[length..].starts_with(':')).then_some(length)
}

/// What to look for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The terms, in their order.
    pub terms: Vec<Term>,
}

/// A part of what was typed: characters, counted from 0, without the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first character.
    pub start: usize,
    /// The one after the last.
    pub end: usize,
}

/// What cannot be read in a query, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// Where.
    pub span: Span,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl QueryError {
    /// The column of the first character, counted from 1.
    pub fn column(&self) -> usize {
        self.span.start + 1
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column {}: {}", self.column(), self.message)
    }
}

impl Query {
    /// What was typed, as terms.
    ///
    /// # Errors
    /// Everything in it that cannot be read.
    pub fn parse(text: &str) -> Result<Self, Vec<QueryError>> {
        let (query, errors) = Self::read(text);
        if errors.is_empty() { Ok(query) } else { Err(errors) }
    }

    /// The terms that can be read, and everything that cannot, which asks for nothing.
    pub fn read(text: &str) -> (Self, Vec<QueryError>) {
        let (terms, errors) = Self::located(text);
        (Self { terms: terms.into_iter().map(|(_, term)| term).collect() }, errors)
    }

    /// The same, with where each term stands. Of what is too long nothing is read: where it was to end, nobody knows.
    pub fn located(text: &str) -> (Vec<(Span, Term)>, Vec<QueryError>) {
        let length = text.chars().count();
        if length > QUERY_MAX {
            let message = format!("A query has at most {QUERY_MAX} characters.");
            return (vec![], vec![QueryError { span: Span { start: QUERY_MAX, end: length }, message }]);
        }
        let (mut terms, mut errors) = (vec![], vec![]);
        for word in words(text) {
            match word.and_then(Word::term) {
                Ok(term) => terms.push(term),
                Err(error) => errors.push(error),
            }
        }
        if let Some((span, _)) = terms.get(TERMS_MAX) {
            errors.push(QueryError { span: *span, message: format!("A query has at most {TERMS_MAX} terms.") });
        }
        terms.truncate(TERMS_MAX);
        (terms, errors)
    }

    /// Whether it asks for exactly this.
    pub fn has(&self, term: &Term) -> bool {
        self.terms.contains(term)
    }

    /// The same with this term; without it, if it was there.
    pub fn toggled(&self, term: &Term) -> Self {
        let mut terms: Vec<Term> = self.terms.iter().filter(|other| *other != term).cloned().collect();
        if terms.len() == self.terms.len() {
            terms.push(term.clone());
        }
        Self { terms }
    }

    /// The same with these bounds in place of those there were.
    pub fn between(&self, after: OffsetDateTime, before: OffsetDateTime) -> Self {
        let is_bound = |term: &&Term| matches!(term.asked, Asked::After(_) | Asked::Before(_));
        let mut terms: Vec<Term> = self.terms.iter().filter(|term| !is_bound(term)).cloned().collect();
        terms.extend([Asked::After(after), Asked::Before(before)].map(|asked| Term { negated: false, asked }));
        Self { terms }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, term) in self.terms.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{term}")?;
        }
        Ok(())
    }
}

/// A term as it was typed.
struct Word {
    span: Span,
    negated: bool,
    key: Option<String>,
    value: String,
    /// Where what follows the colon begins.
    value_at: usize,
}

impl Word {
    fn term(self) -> Result<(Span, Term), QueryError> {
        let (span, negated) = (self.span, self.negated);
        if let Some(at) = self.value.chars().position(char::is_control) {
            let start = (self.value_at + at).min(span.end - 1);
            let message = "A control character cannot be looked for.".to_owned();
            return Err(QueryError { span: Span { start, end: span.end }, message });
        }
        let asked = match self.key.as_deref() {
            None => Asked::Text(self.value),
            Some(key) => self.asked(key)?,
        };
        Ok((span, Term { negated, asked }))
    }

    fn asked(&self, key: &str) -> Result<Asked, QueryError> {
        let value = self.value.as_str();
        let wrong = |message: String| QueryError { span: Span { start: self.value_at, end: self.span.end }, message };
        let owned = || value.to_owned();
        let at = || {
            super::model::parse_time(value).ok_or_else(|| {
                wrong("A time such as 2026-11-24, 2026-11-24T18:00 (UTC) or 2026-11-24T18:00:00Z stands here.".into())
            })
        };
        match key {
            "actor" => Ok(Asked::Actor(owned())),
            "target" => Ok(Asked::Target(owned())),
            "action" if Action::matching(value).is_empty() => {
                Err(wrong("There is no such action. api_key.issued or api_key.* would be one.".into()))
            }
            "action" => Ok(Asked::Action(owned())),
            "outcome" => {
                let outcome =
                    value.parse().map_err(|()| wrong("One of success, denied, failed stands here.".into()))?;
                Ok(Asked::Outcome(outcome))
            }
            "source" => {
                let source = Source::ALL.into_iter().find(|source| source.as_str() == value);
                source.map(Asked::Source).ok_or_else(|| wrong("One of api, console, cli, system stands here.".into()))
            }
            "ip" => network(value).map(Asked::Ip).ok_or_else(|| {
                wrong("An address such as 203.0.113.7 or a network such as 10.0.0.0/8 stands here.".into())
            }),
            "after" => at().map(Asked::After),
            "before" => at().map(Asked::Before),
            _ => {
                let keys = KEYS.map(|(key, _)| key).join(", ");
                let message =
                    format!("There is no key {key}. Keys are {keys}; to look for this as text, put it in quotes.");
                Err(QueryError { span: Span { start: self.span.start, end: self.value_at }, message })
            }
        }
    }
}

/// An address, or a network with or without host bits: what matters is what it holds.
fn network(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    let network = || text.parse::<IpNet>().ok().map(|network| network.trunc());
    // An IPv4 network in the clothes of IPv6 would hold nothing: addresses are logged without them.
    address.or_else(network).filter(|network| network.addr().to_canonical() == network.addr())
}

/// Splits what was typed. A quote that never ends takes the rest.
fn words(text: &str) -> Vec<Result<Word, QueryError>> {
    let mut reader = Reader { left: text, at: 0 };
    let mut words = vec![];
    while reader.skip_space() {
        words.push(reader.word());
    }
    words
}

struct Reader<'a> {
    left: &'a str,
    /// How many characters are read.
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.left.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.left = &self.left[next.len_utf8()..];
        self.at += 1;
        Some(next)
    }

    /// Whether anything follows.
    fn skip_space(&mut self) -> bool {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
        self.peek().is_some()
    }

    fn is_at_end_of_word(&self) -> bool {
        self.peek().is_none_or(char::is_whitespace)
    }

    fn word(&mut self) -> Result<Word, QueryError> {
        let start = self.at;
        let negated = self.peek() == Some('-');
        if negated {
            self.next();
        }
        let key = key_length(self.left).map(|length| self.left[..length].to_ascii_lowercase());
        if let Some(key) = &key {
            // With its colon; both are ASCII, so that bytes are characters.
            self.left = &self.left[key.len() + 1..];
            self.at += key.len() + 1;
        }
        let value_at = self.at;
        let value = if self.peek() == Some('"') { self.quoted()? } else { self.bare() };
        let span = Span { start, end: self.at };
        if value.is_empty() {
            let message = match &key {
                Some(key) => format!("Something has to stand after {key}:"),
                None => "Something has to stand here.".to_owned(),
            };
            return Err(QueryError { span, message });
        }
        Ok(Word { span, negated, key, value, value_at })
    }

    fn bare(&mut self) -> String {
        let mut value = String::new();
        while !self.is_at_end_of_word() {
            value.extend(self.next());
        }
        value
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let (mut value, opened) = (String::new(), self.at);
        self.next();
        loop {
            match self.next() {
                None => {
                    let message = "This quote is never closed.".to_owned();
                    return Err(QueryError { span: Span { start: opened, end: self.at }, message });
                }
                Some('"') => break,
                Some('\\') if matches!(self.peek(), Some('"' | '\\')) => value.extend(self.next()),
                Some(other) => value.push(other),
            }
        }
        if self.is_at_end_of_word() {
            return Ok(value);
        }
        let at = self.at;
        self.bare();
        let message = "After a closing quote a space is needed.".to_owned();
        Err(QueryError { span: Span { start: at, end: self.at }, message })
    }
}

/// Everything about an event that free text is looked for in, in lower case: first what identifies nobody, then what does.
/// The first part stays when a person is erased.
pub fn searchable(event: &EventView) -> (String, String) {
    let mut plain =
        vec![event.action.as_str(), event.outcome.as_str(), event.actor.kind.as_str(), event.actor.id.as_str()];
    let sentence = event.action.parse::<Action>().ok().map(Action::sentence);
    plain.extend(sentence);
    plain.extend(event.reason.as_deref());
    plain.extend(
        [&event.actor.permission, &event.actor.role, &event.actor.session].into_iter().flatten().map(String::as_str),
    );
    plain.extend(event.targets.iter().flat_map(|target| [target.kind.as_str(), target.id.as_str()]));
    let request = event.request.id.to_string();
    plain.extend([request.as_str(), event.request.method.as_str(), event.request.path.as_str()]);
    plain.extend(event.changes.iter().map(|change| change.field.as_str()));

    let mut personal: Vec<String> =
        [&event.actor.name, &event.request.address, &event.request.agent].into_iter().flatten().cloned().collect();
    personal.extend(event.targets.iter().filter_map(|target| target.name.clone()));
    for value in event.changes.iter().flat_map(|change| [&change.before, &change.after]) {
        words_of(value, &mut personal);
    }
    (folded(&plain.join("\n")), folded(&personal.join("\n")))
}

/// As texts are compared. PostgreSQL stores no NUL in a text.
pub(super) fn folded(text: &str) -> String {
    text.to_lowercase().replace('\0', "\u{fffd}")
}

fn words_of(value: &serde_json::Value, words: &mut Vec<String>) {
    use serde_json::Value;
    match value {
        Value::Null => {}
        Value::String(text) => words.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| words_of(item, words)),
        Value::Object(fields) => fields.values().for_each(|field| words_of(field, words)),
        other => words.push(other.to_string()),
    }
}

#[cfg(test)]
mod query_tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn parsed(text: &str) -> Vec<Term> {
        Query::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}")).terms
    }

    fn wrong(text: &str) -> Vec<(usize, usize, String)> {
        let errors = Query::parse(text).expect_err(text);
        errors.into_iter().map(|error| (error.column(), error.span.end - error.span.start, error.message)).collect()
    }

    fn is(asked: Asked) -> Term {
        Term { negated: false, asked }
    }

    fn not(asked: Asked) -> Term {
        Term { negated: true, asked }
    }

    #[test]
    fn each_key_is_read() {
        let at = |text: &str| super::super::model::parse_time(text).expect("time");
        let all = r#"actor:ana action:api_key.* outcome:denied ip:10.1.2.3/8 target:key_1 after:2026-11-01 before:2026-11-02T18:00 source:cli -source:api "free text""#;
        assert_eq!(
            parsed(all),
            [
                is(Asked::Actor("ana".into())),
                is(Asked::Action("api_key.*".into())),
                is(Asked::Outcome(Outcome::Denied)),
                is(Asked::Ip("10.0.0.0/8".parse().expect("network"))),
                is(Asked::Target("key_1".into())),
                is(Asked::After(at("2026-11-01"))),
                is(Asked::Before(at("2026-11-02T18:00"))),
                is(Asked::Source(Source::Cli)),
                not(Asked::Source(Source::Api)),
                is(Asked::Text("free text".into())),
            ]
        );
        for (key, _) in KEYS {
            assert!(all.contains(&format!("{key}:")), "{key} is meant to be tried here");
        }
    }

    #[test]
    fn a_time_is_read_however_precise_it_is() {
        for (text, at) in [
            ("2026-11-01", Some(datetime!(2026-11-01 0:00 UTC))),
            ("2026-11-01T18:00", Some(datetime!(2026-11-01 18:00 UTC))),
            ("2026-11-01T18:00:30", Some(datetime!(2026-11-01 18:00:30 UTC))),
            ("2026-11-01T18:00:30.25", Some(datetime!(2026-11-01 18:00:30.25 UTC))),
            ("2026-11-01T18:00:30.25Z", Some(datetime!(2026-11-01 18:00:30.25 UTC))),
            ("2026-11-01T18:00:30+02:00", Some(datetime!(2026-11-01 16:00:30 UTC))),
            ("2026-11-01T18", None),
            ("2026-11-01T18:00:30ZZ", None),
            ("2026-11-31", None),
        ] {
            assert_eq!(super::super::model::parse_time(text), at, "{text}");
        }
    }

    #[test]
    fn words_that_are_no_terms_are_text() {
        let text = |text: &str| is(Asked::Text(text.into()));
        assert_eq!(parsed("  Staging \t key_01 "), [text("Staging"), text("key_01")]);
        assert_eq!(parsed("2001:db8::1 a\"b x\\y"), [text("2001:db8::1"), text("a\"b"), text("x\\y")]);
        assert_eq!(parsed(r#""note: \"x\" \\ \z""#), [text(r#"note: "x" \ \z"#)]);
        assert_eq!(
            parsed(r#"-"two words" -one"#),
            [not(Asked::Text("two words".into())), not(Asked::Text("one".into()))]
        );
        assert_eq!(parsed(r#"actor:"Ana Maria""#), [is(Asked::Actor("Ana Maria".into()))]);
        assert_eq!(parsed("ACTOR:ana"), [is(Asked::Actor("ana".into()))]);
        assert_eq!(parsed("ip:2001:DB8::1"), [is(Asked::Ip("2001:db8::1/128".parse().expect("network")))]);
        assert_eq!(parsed("   "), []);
    }

    #[test]
    fn an_error_says_where_it_is() {
        let place =
            |text: &str| wrong(text).into_iter().map(|(column, length, _)| (column, length)).collect::<Vec<_>>();
        assert_eq!(place("outcome:maybe"), [(9, 5)]);
        assert_eq!(place("é outcome:maybe ip:here"), [(11, 5), (20, 4)]);
        assert_eq!(place("actor:"), [(1, 6)]);
        assert_eq!(place("ana -"), [(5, 1)]);
        assert_eq!(place("x \"never closed"), [(3, 13)]);
        assert_eq!(place("\"a\"b c"), [(4, 1)]);
        assert_eq!(place("colour:red"), [(1, 7)]);
        assert_eq!(place("-https://x.example"), [(1, 7)]);
        assert_eq!(place("action:cake.eaten after:soon source:tv"), [(8, 10), (25, 4), (37, 2)]);
        assert_eq!(place("a\u{0}b"), [(2, 2)]);
        assert_eq!(place(&"x ".repeat(QUERY_MAX)), [(QUERY_MAX + 1, QUERY_MAX)]);
        assert_eq!(place(&"x ".repeat(TERMS_MAX + 1)), [(2 * TERMS_MAX + 1, 1)]);
        assert!(wrong("colour:red")[0].2.contains("actor, action"), "it says what would be right");
        assert_eq!(
            Query::parse("outcome:maybe").expect_err("wrong")[0].to_string(),
            "Column 9: One of success, denied, failed stands here."
        );
    }

    #[test]
    fn what_can_be_read_is_read_beside_what_cannot() {
        for (typed, read) in [
            ("outcome:denied outcome:maybe -source:api", "outcome:denied -source:api"),
            ("after:2026-11-01 colour:red ip:here ana", "after:2026-11-01 ana"),
            ("source:cli \"never closed outcome:denied", "source:cli"),
            ("actor:", ""),
        ] {
            let (query, errors) = Query::read(typed);
            assert_eq!((query.to_string().as_str(), errors.is_empty()), (read, false), "{typed}");
            assert_eq!(Query::parse(typed), Err(errors), "what is strict takes none of it");
        }
        let (query, errors) = Query::read(&"x ".repeat(TERMS_MAX + 3));
        assert_eq!((query.terms.len(), errors.len()), (TERMS_MAX, 1));
        assert_eq!(Query::read(&"x ".repeat(QUERY_MAX)).0, Query::default());
    }

    #[test]
    fn a_click_adds_a_term_and_takes_it_away() {
        let query = Query::parse("ana -source:api").expect("query");
        let denied = is(Asked::Outcome(Outcome::Denied));
        let more = query.toggled(&denied);
        assert_eq!(more.to_string(), "ana -source:api outcome:denied");
        assert_eq!(more.toggled(&denied), query);
        assert!(more.has(&denied) && !query.has(&denied));
        let at = |text: &str| super::super::model::parse_time(text).expect("time");
        let bounded = Query::parse("after:2020-01-01 ana -before:2021-01-01").expect("query");
        let narrower = bounded.between(at("2026-11-01"), at("2026-11-01T12:30"));
        assert_eq!(narrower.to_string(), "ana after:2026-11-01 before:2026-11-01T12:30:00Z");
    }

    #[test]
    fn every_event_has_a_source() {
        for (kind, id, path, source) in [
            ("api_key", "key_1", "/v1/members", Source::Api),
            ("user", "usr_1", "/_fn/x", Source::Console),
            ("operator", "usr_1", "/_fn/x", Source::Console),
            ("system", "cli", "serve", Source::Cli),
            ("system", "jobs", "notices", Source::System),
            ("anonymous", "anonymous", "/v1/members", Source::Api),
            ("anonymous", "anonymous", "/sign-in", Source::Console),
        ] {
            assert_eq!(Source::of(kind, id, path), source, "{kind} {path}");
        }
    }

    fn asked() -> impl Strategy<Value = Asked> {
        let words = || r#"[a-zA-Z0-9_:"\\ é.@*-]{1,12}"#.prop_filter("something stands in it", |text| !text.is_empty());
        prop_oneof![
            words().prop_map(Asked::Actor),
            words().prop_map(Asked::Target),
            words().prop_map(Asked::Text),
            prop::sample::select(vec!["api_key.*", "member.invited", "*"])
                .prop_map(|action| Asked::Action(action.into())),
            prop::sample::select(Outcome::ALL.to_vec()).prop_map(Asked::Outcome),
            prop::sample::select(Source::ALL.to_vec()).prop_map(Asked::Source),
            (any::<[u8; 4]>(), 0..=32u8).prop_map(|(address, length)| {
                Asked::Ip(IpNet::new(IpAddr::from(address), length).expect("a length").trunc())
            }),
            (any::<[u8; 16]>(), 0..=128u8).prop_filter_map("no IPv4 in the clothes of IPv6", |(address, length)| {
                let network = IpNet::new(IpAddr::from(address), length).expect("a length").trunc();
                (network.addr().to_canonical() == network.addr()).then_some(Asked::Ip(network))
            }),
            (-62_167_219_200_i64..=253_402_300_799, 0..1_000_000_000_i64).prop_map(|(second, nano)| {
                let at = OffsetDateTime::from_unix_timestamp(second).expect("a time");
                Asked::After(at + time::Duration::nanoseconds(nano))
            }),
            (0..20_000_i64)
                .prop_map(|day| { Asked::Before(OffsetDateTime::from_unix_timestamp(day * 86_400).expect("a day")) }),
        ]
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_it_panic(text in any::<String>()) {
            let _ = Query::parse(&text);
        }

        #[test]
        fn nor_anything_that_looks_like_a_query(text in r#"([-a-z":\\ ]|actor:|after:2026|ip:1.2|é){0,40}"#) {
            let characters: Vec<char> = text.chars().collect();
            let (terms, errors) = Query::located(&text);
            prop_assert_eq!(Query::parse(&text).is_ok(), errors.is_empty());
            // Each term stands where it says, whatever stands beside it: what is cut out there is the same term.
            for (span, term) in terms {
                let cut: String = characters[span.start..span.end].iter().collect();
                prop_assert_eq!(Query::parse(&cut).map(|query| query.terms), Ok(vec![term]));
            }
            for error in errors {
                prop_assert!(error.span.start < error.span.end && error.span.end <= characters.len(), "{error:?}");
            }
        }

        #[test]
        fn what_is_printed_is_read_as_the_same(terms in prop::collection::vec((any::<bool>(), asked()), 0..6)) {
            let query = Query { terms: terms.into_iter().map(|(negated, asked)| Term { negated, asked }).collect() };
            prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
        }
    }
}
