//! What stands beside the list: how many events of each actor, family of actions, outcome and source, and when.

use super::{
    Asked, EventView, Outcome, Place, Source, Term,
    queries::{self, Outline},
    search::{COUNTS, Criteria, Range, look},
};
use crate::{AppError, database::Database, ids::WorkspaceId};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// How many events are counted, the newest first.
pub const COUNTED_MAX: usize = 1_000;
/// The most values of one kind.
const VALUES_MAX: usize = 8;
/// The most bars.
const BARS_MAX: i64 = 30;
/// What a bar can stand for, in seconds: from a minute to 30 days.
const STEPS: [i64; 12] = [60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];

/// Events counted by their properties.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facets {
    /// How many were counted.
    pub counted: usize,
    /// Whether there are more, older than those.
    pub is_capped: bool,
    /// By actor, family of actions, outcome and source.
    pub kinds: Vec<Facet>,
    /// When. Of a search for nothing but a time, all events are counted; else those of above.
    pub over_time: Vec<Bucket>,
}

/// Events counted by one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Facet {
    /// What it is called.
    pub title: &'static str,
    /// The values, the most frequent first.
    pub values: Vec<Counted>,
}

/// One value of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// What finds just these.
    pub term: Term,
    /// How it is called.
    pub label: String,
    /// How many.
    pub count: usize,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Its beginning, inclusive.
    pub from: OffsetDateTime,
    /// Its end, exclusive.
    pub to: OffsetDateTime,
    /// How many.
    pub count: u64,
}

pub(super) async fn count(
    db: &Database,
    workspace: WorkspaceId,
    criteria: &Criteria,
    now: OffsetDateTime,
) -> Result<Facets, AppError> {
    let Some(mut outlines) = outlines(db, workspace, criteria).await? else { return Ok(Facets::default()) };
    let is_capped = outlines.len() > COUNTED_MAX;
    outlines.truncate(COUNTED_MAX);
    let kinds = vec![
        Facet { title: "Actor", values: by_actor(db, workspace, &outlines).await? },
        Facet { title: "Action", values: by_family(&outlines) },
        Facet { title: "Outcome", values: by_outcome(&outlines) },
        Facet { title: "Source", values: by_source(&outlines) },
    ];
    let over_time = if criteria.all.is_empty() {
        all_over_time(db, workspace, criteria, now).await?
    } else {
        of_outlines(&outlines, criteria, is_capped, now)
    };
    Ok(Facets { counted: outlines.len(), is_capped, kinds, over_time })
}

/// The newest events that are meant. `None` when they were not found in time.
async fn outlines(
    db: &Database,
    workspace: WorkspaceId,
    criteria: &Criteria,
) -> Result<Option<Vec<Outline>>, AppError> {
    let limit = COUNTED_MAX as i64 + 1;
    if criteria.is_deep() {
        let found = look(db, workspace, criteria, Place::Top, limit, COUNTS).await?;
        return Ok(found.stopped_at.is_none().then(|| found.events.iter().map(Outline::of).collect()));
    }
    let mut read = db.read_log(workspace).await?;
    let ends = queries::ends(read.conn(), workspace, criteria.from, criteria.to).await?;
    queries::limit_time(read.conn(), COUNTS.time).await?;
    let range = Range { above: ends.from - 1, below: ends.to.min(ends.next), newest_first: true };
    queries::outlines(read.conn(), workspace, criteria, range, limit).await
}

impl Outline {
    fn of(event: &EventView) -> Self {
        Self {
            seq: event.seq,
            at: event.time,
            action: event.action.clone(),
            outcome: event.outcome,
            actor_id: event.actor.id.clone(),
            source: Source::of(&event.actor.kind, &event.actor.id, &event.request.path),
        }
    }
}

fn term(asked: Asked) -> Term {
    Term { negated: false, asked }
}

/// The most frequent values, each with its number; values as frequent as each other in their own order.
fn tally<T: Ord + std::hash::Hash>(values: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts: HashMap<T, usize> = HashMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    counts.truncate(VALUES_MAX);
    counts
}

/// Under the names that they had last.
async fn by_actor(db: &Database, workspace: WorkspaceId, outlines: &[Outline]) -> Result<Vec<Counted>, AppError> {
    let counts = tally(outlines.iter().map(|outline| outline.actor_id.as_str()));
    let newest = counts.iter().filter_map(|(id, _)| outlines.iter().find(|outline| outline.actor_id == *id));
    let newest: Vec<i64> = newest.map(|outline| outline.seq).collect();
    let mut read = db.read_log(workspace).await?;
    let events = queries::by_seq(read.conn(), workspace, &newest, true).await?;
    let named = |id: &str| events.iter().find(|event| event.actor.id == id).and_then(|event| event.actor.name.clone());
    let counted = counts.into_iter().map(|(id, count)| Counted {
        term: term(Asked::Actor(id.to_owned())),
        label: named(id).unwrap_or_else(|| id.to_owned()),
        count,
    });
    Ok(counted.collect())
}

fn by_family(outlines: &[Outline]) -> Vec<Counted> {
    let family = |outline: &Outline| format!("{}.*", outline.action.split('.').next().unwrap_or_default());
    let counts = tally(outlines.iter().map(family));
    let counted =
        |(family, count): (String, usize)| Counted { term: term(Asked::Action(family.clone())), label: family, count };
    counts.into_iter().map(counted).collect()
}

fn by_outcome(outlines: &[Outline]) -> Vec<Counted> {
    let count = |outcome: Outcome| Counted {
        term: term(Asked::Outcome(outcome)),
        label: outcome.as_str().to_owned(),
        count: outlines.iter().filter(|outline| outline.outcome == outcome).count(),
    };
    Outcome::ALL.map(count).into_iter().filter(|counted| counted.count > 0).collect()
}

fn by_source(outlines: &[Outline]) -> Vec<Counted> {
    let count = |source: Source| Counted {
        term: term(Asked::Source(source)),
        label: source.as_str().to_owned(),
        count: outlines.iter().filter(|outline| outline.source == source).count(),
    };
    Source::ALL.map(count).into_iter().filter(|counted| counted.count > 0).collect()
}

/// Stretches of equal length, on round times, that hold all from one time to another, the last inclusive.
fn stretches(from: OffsetDateTime, last: OffsetDateTime) -> Vec<(OffsetDateTime, OffsetDateTime)> {
    let (first, last) = (from.unix_timestamp(), last.unix_timestamp());
    let number = |step: i64| last.div_euclid(step) - first.div_euclid(step) + 1;
    let step = STEPS.into_iter().find(|step| number(*step) <= BARS_MAX).unwrap_or(STEPS[STEPS.len() - 1]);
    let time = |place: i64| OffsetDateTime::from_unix_timestamp(place * step).ok();
    // A log of more years than fit shows its newest.
    let begin = first.div_euclid(step).max(last.div_euclid(step) - BARS_MAX + 1);
    (begin..=last.div_euclid(step)).filter_map(|place| time(place).zip(time(place + 1))).collect()
}

/// Without anything to look for but a time, an event's number is also how many there are before it.
async fn all_over_time(
    db: &Database,
    workspace: WorkspaceId,
    criteria: &Criteria,
    now: OffsetDateTime,
) -> Result<Vec<Bucket>, AppError> {
    let mut read = db.read_log(workspace).await?;
    let ends = queries::ends(read.conn(), workspace, criteria.from, criteria.to).await?;
    let end = ends.to.min(ends.next);
    let oldest = queries::first_from(read.conn(), workspace, ends.from).await?;
    let Some((first, oldest)) = oldest.filter(|(first, _)| *first < end) else { return Ok(vec![]) };
    let (from, to) = (criteria.from.unwrap_or(oldest).max(oldest), last(criteria, now));
    let stretches = stretches(from, to.max(from));
    let times: Vec<OffsetDateTime> = stretches.iter().flat_map(|(from, to)| [*from, *to]).collect();
    let seqs = queries::seqs_at(read.conn(), workspace, &times).await?;
    let bucket = |(stretch, seqs): (&(OffsetDateTime, OffsetDateTime), &[i64])| {
        let inside = |seq: i64| seq.clamp(first, end);
        let count = seqs.last().map_or(0, |to| inside(*to)) - seqs.first().map_or(0, |from| inside(*from));
        Bucket { from: stretch.0, to: stretch.1, count: u64::try_from(count).unwrap_or_default() }
    };
    Ok(stretches.iter().zip(seqs.chunks(2)).map(bucket).collect())
}

fn last(criteria: &Criteria, now: OffsetDateTime) -> OffsetDateTime {
    criteria.to.map_or(now, |to| to.min(now) - Duration::microseconds(1))
}

/// Over the time of the events that were counted: of what lies before them, nothing is said.
fn of_outlines(outlines: &[Outline], criteria: &Criteria, is_capped: bool, now: OffsetDateTime) -> Vec<Bucket> {
    let Some(oldest) = outlines.last().map(|outline| outline.at) else { return vec![] };
    let from = if is_capped { oldest } else { criteria.from.unwrap_or(oldest) };
    let count = |from: OffsetDateTime, to: OffsetDateTime| {
        outlines.iter().filter(|outline| outline.at >= from && outline.at < to).count() as u64
    };
    let stretches = stretches(from, last(criteria, now).max(outlines[0].at));
    stretches.into_iter().map(|(from, to)| Bucket { from, to, count: count(from, to) }).collect()
}

#[cfg(test)]
mod facet_tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn stretches_are_round_and_few_and_hold_everything() {
        let from = datetime!(2026-11-01 09:17:30 UTC);
        for (last, step, number) in [
            (from, Duration::minutes(1), 1),
            (from + Duration::minutes(40), Duration::minutes(5), 9),
            (from + Duration::hours(10), Duration::minutes(30), 21),
            (from + Duration::days(30), Duration::days(2), 16),
            (from + Duration::days(365), Duration::days(30), 14),
            (from + Duration::days(5_000), Duration::days(30), 30),
        ] {
            let stretches = stretches(from, last);
            let (first, end) = (stretches[0], stretches[stretches.len() - 1]);
            assert_eq!((first.1 - first.0, stretches.len()), (step, number), "until {last}");
            assert!(end.0 <= last && last < end.1);
            assert!(number == 30 || (first.0 <= from && from < first.1));
            assert!(stretches.windows(2).all(|pair| pair[0].1 == pair[1].0), "no gap");
            assert_eq!(first.0.unix_timestamp() % step.whole_seconds(), 0, "round");
        }
    }
}
