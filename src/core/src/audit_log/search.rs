//! Looking for events: what a filter means, and the walk through the log that finds it.
//!
//! A filter on columns alone is one query. What lies in the text of events is looked for where an index offers candidates, and
//! step by step where none does; each candidate is then held against the whole filter here, so that there is one truth. A walk
//! ends with its page, with the log, or with its time, and then says how far it came.

use super::{Action, Asked, EventView, Filter, Outcome, Place, Source, Term, queries, query};
use crate::{AppError, database::Database, database::WorkspaceRead, ids::WorkspaceId};
use ipnet::IpNet;
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};
use time::OffsetDateTime;

/// How long a search may take, and what it may look at in any case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// After so long it gives what it has.
    pub time: Duration,
    /// But not before it has gone through so many events: a short log is always searched whole.
    pub least: i64,
    /// How many events the first step goes through; each further one goes through twice as many.
    pub step: i64,
}

/// What a page may take: with what stands around it, it is usually there within 50 ms.
pub(super) const PAGE: Budget = Budget { time: Duration::from_millis(40), least: 5_000, step: 2_000 };
/// What the counts beside it may take.
pub(super) const COUNTS: Budget = Budget { time: Duration::from_millis(25), ..PAGE };

/// Candidates that are fetched at once.
const BATCH: i64 = 500;
/// The longest step.
const LONGEST_STEP: i64 = 65_536;

/// A filter whose names are ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Criteria {
    /// Inclusive.
    pub from: Option<OffsetDateTime>,
    /// Exclusive.
    pub to: Option<OffsetDateTime>,
    /// What holds of each event, or does not.
    pub all: Vec<Criterion>,
    /// The session whose own searches are left out.
    pub but_searches_of: Option<String>,
}

/// One thing that holds of each event, or of none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Criterion {
    /// Whether it holds of none.
    pub negated: bool,
    /// Any of these.
    pub any: Any,
}

/// Values of one kind, any of which will do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Any {
    Actors(Vec<String>),
    Actions(Vec<Action>),
    Outcomes(Vec<Outcome>),
    Sources(Vec<Source>),
    Targets(Vec<String>),
    Networks(Vec<IpNet>),
    /// Just one: texts are all to be there.
    Text(String),
}

/// Whom a name can mean.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The id of a person or a key.
    pub id: String,
    /// How they are called.
    pub name: String,
    /// Of people.
    pub email: Option<String>,
}

impl Filter {
    /// Whether anybody is asked for by something that may be no id.
    pub(super) fn names_somebody(&self) -> bool {
        self.asked_actors().any(|text| !is_id(text))
    }

    /// Whether by what may be a name, which no address is.
    pub(super) fn names_by_name(&self) -> bool {
        self.asked_actors().any(|text| !is_id(text) && !text.contains('@'))
    }

    fn asked_actors(&self) -> impl Iterator<Item = &String> {
        let of_query = self.query.terms.iter().filter_map(|term| match &term.asked {
            Asked::Actor(text) => Some(text),
            _ => None,
        });
        self.actor.iter().chain(of_query)
    }
}

impl Criteria {
    /// What the filter means, where these are known.
    pub(super) fn of(filter: &Filter, known: &[Known]) -> Self {
        let but_searches_of = filter.but_searches_of.map(|session| session.to_string());
        let mut criteria = Self { from: filter.from, to: filter.to, all: vec![], but_searches_of };
        let mut also = |any| criteria.all.push(Criterion { negated: false, any });
        filter.actor.iter().for_each(|text| also(Any::Actors(actors(text, known))));
        if !filter.actions.is_empty() {
            also(Any::Actions(filter.actions.clone()));
        }
        filter.outcome.iter().for_each(|outcome| also(Any::Outcomes(vec![*outcome])));
        let begun = criteria.all.len();
        for term in &filter.query.terms {
            criteria.take(term, known, begun);
        }
        criteria.meet(begun);
        criteria
    }

    /// What was done to this.
    pub(super) fn of_target(id: &str) -> Self {
        let any = Any::Targets(vec![id.to_owned()]);
        Self { all: vec![Criterion { negated: false, any }], ..Self::default() }
    }

    /// Of one kind of values the parameters and the query may each name some; what is left is one condition, which an index can lead to.
    fn meet(&mut self, begun: usize) {
        let of_query = self.all.split_off(begun);
        for criterion in of_query {
            let mut of_parameters = self.all.iter_mut().take(begun);
            if criterion.negated || !of_parameters.any(|parameter| parameter.any.meet(&criterion.any)) {
                self.all.push(criterion);
            }
        }
    }

    /// Terms of one key in the query are alternatives; beside what the parameters say, they narrow.
    fn take(&mut self, term: &Term, known: &[Known], begun: usize) {
        let any = match &term.asked {
            Asked::After(at) => return self.bound(*at, !term.negated),
            Asked::Before(at) => return self.bound(*at, term.negated),
            Asked::Actor(text) => Any::Actors(actors(text, known)),
            Asked::Action(text) => Any::Actions(Action::matching(text)),
            Asked::Outcome(outcome) => Any::Outcomes(vec![*outcome]),
            Asked::Source(source) => Any::Sources(vec![*source]),
            Asked::Target(id) => Any::Targets(vec![id.clone()]),
            Asked::Ip(network) => Any::Networks(vec![*network]),
            Asked::Text(text) => Any::Text(query::folded(text)),
        };
        let alike = self.all[begun..].iter_mut().filter(|criterion| criterion.negated == term.negated);
        for criterion in alike {
            if criterion.any.extend(&any) {
                return;
            }
        }
        self.all.push(Criterion { negated: term.negated, any });
    }

    fn bound(&mut self, at: OffsetDateTime, is_from: bool) {
        if is_from {
            self.from = Some(self.from.map_or(at, |from| from.max(at)));
        } else {
            self.to = Some(self.to.map_or(at, |to| to.min(at)));
        }
    }

    /// Whether the columns of an event do not tell.
    pub(super) fn is_deep(&self) -> bool {
        self.all.iter().any(|criterion| matches!(criterion.any, Any::Targets(_) | Any::Networks(_) | Any::Text(_)))
    }

    /// Whether the event is one of those.
    pub(super) fn hold(&self, event: &EventView) -> bool {
        let is_in_time = self.from.is_none_or(|from| event.time >= from) && self.to.is_none_or(|to| event.time < to);
        is_in_time
            && self.all.iter().all(|criterion| criterion.any.holds(event) != criterion.negated)
            && !self.leave_out(event)
    }

    /// Whether it is a search of the session whose own are left out, which no column tells.
    fn leave_out(&self, event: &EventView) -> bool {
        self.but_searches_of.is_some()
            && event.actor.session == self.but_searches_of
            && event.action == Action::AuditLogSearched.as_str()
    }

    fn positive(&self) -> impl Iterator<Item = &Any> {
        self.all.iter().filter(|criterion| !criterion.negated).map(|criterion| &criterion.any)
    }

    /// The way that leads past the fewest events.
    fn way(&self) -> Way {
        let targets = self.positive().find_map(|any| match any {
            Any::Targets(ids) => Some(ids.clone()),
            _ => None,
        });
        if let Some(ids) = targets {
            return Way::Targets(ids);
        }
        let rows = Rows {
            patterns: self.positive().filter_map(Any::pattern).collect(),
            networks: self.positive().find_map(Any::networks),
        };
        let texts = self.positive().filter_map(|any| match any {
            Any::Text(text) => Some(text),
            _ => None,
        });
        match texts.filter(|text| has_trigram(text)).max_by_key(|text| text.len()) {
            Some(text) => Way::Trigrams { pattern: pattern(text), rows },
            None if rows.patterns.is_empty() && rows.networks.is_none() => Way::Events,
            None => Way::Rows(rows),
        }
    }
}

impl Any {
    /// Takes in values of the same kind. Texts are no alternatives.
    fn extend(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Actors(mine), Self::Actors(more)) | (Self::Targets(mine), Self::Targets(more)) => {
                mine.extend_from_slice(more);
            }
            (Self::Actions(mine), Self::Actions(more)) => mine.extend(more),
            (Self::Outcomes(mine), Self::Outcomes(more)) => mine.extend(more),
            (Self::Sources(mine), Self::Sources(more)) => mine.extend(more),
            (Self::Networks(mine), Self::Networks(more)) => mine.extend(more),
            _ => return false,
        }
        true
    }

    /// Leaves what is in both, when they are of the same kind.
    fn meet(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Actors(mine), Self::Actors(others)) => mine.retain(|one| others.contains(one)),
            (Self::Actions(mine), Self::Actions(others)) => mine.retain(|one| others.contains(one)),
            (Self::Outcomes(mine), Self::Outcomes(others)) => mine.retain(|one| others.contains(one)),
            _ => return false,
        }
        true
    }

    fn holds(&self, event: &EventView) -> bool {
        match self {
            Self::Actors(ids) => ids.contains(&event.actor.id),
            Self::Actions(actions) => actions.iter().any(|action| action.as_str() == event.action),
            Self::Outcomes(outcomes) => outcomes.contains(&event.outcome),
            Self::Sources(sources) => {
                sources.contains(&Source::of(&event.actor.kind, &event.actor.id, &event.request.path))
            }
            Self::Targets(ids) => event.targets.iter().any(|target| ids.contains(&target.id)),
            Self::Networks(networks) => {
                let address = event.request.address.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
                address.is_some_and(|address| networks.iter().any(|network| network.contains(&address.to_canonical())))
            }
            Self::Text(text) => {
                let (plain, personal) = query::searchable(event);
                plain.contains(text) || personal.contains(text)
            }
        }
    }

    fn pattern(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(pattern(text)),
            _ => None,
        }
    }

    fn networks(&self) -> Option<Vec<String>> {
        match self {
            Self::Networks(networks) => Some(networks.iter().map(ToString::to_string).collect()),
            _ => None,
        }
    }
}

/// The ids that somebody asked for can have: their own, or those of whom the text names.
fn actors(text: &str, known: &[Known]) -> Vec<String> {
    let (asked, mut ids) = (text.to_lowercase(), vec![text.to_owned()]);
    if is_id(text) {
        return ids;
    }
    let is_meant = |one: &&Known| match asked.contains('@') {
        true => one.email.as_deref() == Some(asked.as_str()),
        false => one.name.to_lowercase().contains(&asked),
    };
    ids.extend(known.iter().filter(is_meant).map(|one| one.id.clone()));
    ids
}

fn is_id(text: &str) -> bool {
    let is_typed = text.parse::<crate::ids::UserId>().is_ok() || text.parse::<crate::ids::KeyId>().is_ok();
    is_typed || ["cli", "jobs", "anonymous"].contains(&text)
}

/// For `like`: anything, the text, anything.
fn pattern(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Whether the index knows anything of the text: three letters or digits in a row. Without them it would be read whole.
fn has_trigram(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_alphanumeric() { run + 1 } else { 0 };
        run == 3
    })
}

/// Where candidates come from.
enum Way {
    /// Events of these targets, from an index.
    Targets(Vec<String>),
    /// Events whose text is like this, from the index of trigrams; at first, as `Rows`.
    Trigrams { pattern: String, rows: Rows },
    /// Step by step through what the worker has taken in.
    Rows(Rows),
    /// Step by step through the log.
    Events,
}

/// What is asked of the rows of the worker.
#[derive(Clone, Default)]
pub(super) struct Rows {
    /// For `like`, all of them.
    pub patterns: Vec<String>,
    /// Any of them.
    pub networks: Option<Vec<String>>,
}

/// Some events, in the order in which they were looked for.
#[derive(Debug)]
pub(super) struct Found {
    /// At most as many as asked for.
    pub events: Vec<EventView>,
    /// Where it stopped for want of time: this event and what lies before it was looked at.
    pub stopped_at: Option<i64>,
}

/// Looks for at most `limit` events, from `place` on, within the budget.
pub(super) async fn look(
    db: &Database,
    workspace: WorkspaceId,
    criteria: &Criteria,
    place: Place,
    limit: i64,
    budget: Budget,
) -> Result<Found, AppError> {
    let begun = Instant::now();
    let mut read = db.read_log(workspace).await?;
    // A walk looks at the time itself, between its steps.
    let longest = (!criteria.is_deep()).then_some(budget.time);
    let ends = queries::ends(read.conn(), workspace, criteria.from, criteria.to, longest).await?;
    let newest_first = !matches!(place, Place::Newer(_));
    let mut range = Range { above: ends.from - 1, below: ends.to.min(ends.next), newest_first };
    match place {
        Place::Top => {}
        Place::Older(seq) => range.below = range.below.min(seq),
        Place::Newer(seq) => range.above = range.above.max(seq),
    }
    if !criteria.is_deep() {
        if let Some(events) = by_columns(&mut read, workspace, criteria, range, limit, begun + budget.time).await? {
            return Ok(Found { events, stopped_at: None });
        }
        read = db.read_log(workspace).await?;
    }
    let walk = Walk { read, workspace, criteria, limit, budget, begun, gone: 0, found: vec![] };
    walk.all(range, ends.done).await
}

/// Events of which the columns tell that they are meant, but for those that are left out. `None` when they were not found in time.
async fn by_columns(
    read: &mut WorkspaceRead,
    workspace: WorkspaceId,
    criteria: &Criteria,
    mut left: Range,
    limit: i64,
    end: Instant,
) -> Result<Option<Vec<EventView>>, AppError> {
    let mut found = vec![];
    loop {
        let Some(events) = queries::page(read.conn(), workspace, criteria, left, limit).await? else {
            return Ok(None);
        };
        let last = events.last().map(|event| event.seq).filter(|_| events.len() as i64 == limit);
        found.extend(events.into_iter().filter(|event| !criteria.leave_out(event)));
        match last {
            // For each that was left out there may be another.
            Some(last) if (found.len() as i64) < limit => {
                if Instant::now() >= end {
                    return Ok(None);
                }
                left = left.after(last);
            }
            _ => break,
        }
    }
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(Some(found))
}

/// Events between two others, in one of two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// After this one.
    pub above: i64,
    /// Before this one.
    pub below: i64,
    /// The direction.
    pub newest_first: bool,
}

impl Range {
    pub(super) fn is_empty(self) -> bool {
        self.above + 1 >= self.below
    }

    /// The next so many events of it.
    fn step(self, length: i64) -> Self {
        match self.newest_first {
            true => Self { above: self.above.max(self.below.saturating_sub(length + 1)), ..self },
            false => Self { below: self.below.min(self.above.saturating_add(length + 1)), ..self },
        }
    }

    /// What is left when this event and those before it, in the direction, are done.
    fn after(self, seq: i64) -> Self {
        if self.newest_first { Self { below: seq, ..self } } else { Self { above: seq, ..self } }
    }

    /// What is left when a step is done.
    fn past(self, step: Self) -> Self {
        if self.newest_first { self.after(step.above + 1) } else { self.after(step.below - 1) }
    }

    /// Up to which event it is done.
    fn edge(self) -> i64 {
        if self.newest_first { self.below } else { self.above }
    }

    /// The part that the worker has taken in, and the part that it has not.
    fn split(self, done: i64) -> (Self, Self) {
        (Self { below: self.below.min(done + 1), ..self }, Self { above: self.above.max(done), ..self })
    }
}

struct Walk<'a> {
    read: WorkspaceRead,
    workspace: WorkspaceId,
    criteria: &'a Criteria,
    limit: i64,
    budget: Budget,
    begun: Instant,
    /// How many events it has left behind.
    gone: i64,
    found: Vec<EventView>,
}

impl Walk<'_> {
    async fn all(mut self, range: Range, done: i64) -> Result<Found, AppError> {
        let (taken_in, new) = range.split(done);
        let way = self.criteria.way();
        let parts = [(taken_in, way), (new, Way::Events)];
        let mut parts: Vec<(Range, Way)> = parts.into_iter().filter(|(part, _)| !part.is_empty()).collect();
        if range.newest_first {
            parts.reverse();
        }
        for (part, way) in parts {
            if let Some(stopped_at) = self.part(part, way).await? {
                return Ok(Found { events: self.found, stopped_at: Some(stopped_at) });
            }
        }
        Ok(Found { events: self.found, stopped_at: None })
    }

    fn is_full(&self) -> bool {
        self.found.len() as i64 >= self.limit
    }

    fn is_out_of_time(&self) -> bool {
        self.gone >= self.budget.least && self.begun.elapsed() >= self.budget.time
    }

    /// One part of the log. Gives where it stopped for want of time.
    async fn part(&mut self, mut left: Range, way: Way) -> Result<Option<i64>, AppError> {
        let mut length = self.budget.step;
        while !left.is_empty() && !self.is_full() {
            if self.is_out_of_time() {
                return Ok(Some(left.edge()));
            }
            let before = left.edge();
            left = match &way {
                Way::Targets(ids) => self.targets(left, &ids.clone()).await?,
                // Near the newest first: what is common is found there, and the index would have to list all of it.
                Way::Trigrams { rows, .. } if self.gone < self.budget.step => {
                    self.rows(left, length, &rows.clone()).await?
                }
                Way::Trigrams { pattern, .. } => self.trigrams(left, &pattern.clone()).await?,
                Way::Rows(rows) => self.rows(left, length, &rows.clone()).await?,
                Way::Events => self.events(left, length).await?,
            };
            self.gone += (left.edge() - before).abs();
            length = (length * 2).min(LONGEST_STEP);
        }
        Ok(None)
    }

    async fn events(&mut self, left: Range, length: i64) -> Result<Range, AppError> {
        let step = left.step(length);
        let events =
            queries::page(self.read.conn(), self.workspace, self.criteria, step, BATCH).await?.unwrap_or_default();
        let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
        self.keep(events);
        Ok(self.left(left, step, &seqs))
    }

    async fn rows(&mut self, left: Range, length: i64, rows: &Rows) -> Result<Range, AppError> {
        let step = left.step(length);
        let seqs = queries::rows(self.read.conn(), self.workspace, rows, step, BATCH).await?;
        self.fetch(&seqs, left.newest_first).await?;
        Ok(self.left(left, step, &seqs))
    }

    async fn targets(&mut self, left: Range, ids: &[String]) -> Result<Range, AppError> {
        let seqs = queries::of_targets(self.read.conn(), self.workspace, ids, left, BATCH).await?;
        self.fetch(&seqs, left.newest_first).await?;
        Ok(self.left(left, left, &seqs))
    }

    async fn trigrams(&mut self, left: Range, pattern: &str) -> Result<Range, AppError> {
        let rest = self.budget.time.saturating_sub(self.begun.elapsed());
        let (mut seqs, reached) = queries::trigrams(self.read.conn(), pattern, left, BATCH, rest).await?;
        seqs.truncate(BATCH as usize);
        let gone_through =
            if left.newest_first { Range { above: reached, ..left } } else { Range { below: reached, ..left } };
        self.fetch(&seqs, left.newest_first).await?;
        Ok(self.left(left, gone_through, &seqs))
    }

    /// A full batch may not be all there is.
    fn left(&self, left: Range, step: Range, seqs: &[i64]) -> Range {
        match seqs.last() {
            Some(last) if seqs.len() as i64 == BATCH => left.after(*last),
            _ => left.past(step),
        }
    }

    async fn fetch(&mut self, seqs: &[i64], newest_first: bool) -> Result<(), AppError> {
        let events = queries::by_seq(self.read.conn(), self.workspace, seqs, newest_first).await?;
        self.keep(events);
        Ok(())
    }

    fn keep(&mut self, events: Vec<EventView>) {
        let room = usize::try_from(self.limit).unwrap_or_default().saturating_sub(self.found.len());
        self.found.extend(events.into_iter().filter(|event| self.criteria.hold(event)).take(room));
    }
}
