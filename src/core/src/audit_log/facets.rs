//! What stands beside the list: how many events of each actor, family of actions, outcome and source, and when.

use super::{
    Asked, EventView, Outcome, Place, Source, Term,
    queries::{self, Alike},
    recent::{FOUND_MAX, newest},
    search::{COUNTS, Criteria, Range, look},
};
use crate::{AppError, context::Ctx, ids::WorkspaceId};
use sqlx::PgConnection;
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

pub(super) async fn count(ctx: &Ctx, workspace: WorkspaceId, criteria: &Criteria) -> Result<Facets, AppError> {
    let (db, now, limit) = (&ctx.db, ctx.clock.now(), FOUND_MAX as i64);
    if criteria.is_deep() {
        let found = look(db, workspace, criteria, Place::Top, limit, COUNTS).await?;
        if found.stopped_at.is_some() {
            return Ok(Facets::default());
        }
        let alike = found.events.iter().map(Alike::only).collect();
        let counting = Counting::of(alike);
        return Ok(facets(&counting, &found.events, counting.over_time(criteria, now)));
    }
    // One transaction for all of it: to begin one takes as long as to look something up.
    let mut read = db.read_log(workspace).await?;
    let conn = read.conn();
    let ends = queries::ends(conn, workspace, criteria.from, criteria.to, Some(COUNTS.time)).await?;
    let range = Range { above: ends.from - 1, below: ends.to.min(ends.next), newest_first: true };
    let known = ctx.recent.of(workspace, criteria, range);
    let left = known.left(range);
    let found = match left.is_empty() {
        true => Some(vec![]),
        false => queries::alike(conn, workspace, criteria, left, limit).await?,
    };
    let Some(found) = found.map(|found| known.and(found, range)) else { return Ok(Facets::default()) };
    let counting = Counting::of(found.alike().to_vec());
    ctx.recent.keep(workspace, criteria, found);
    if !queries::lift_limit(conn).await? {
        return Ok(Facets::default());
    }
    let named = queries::by_seq(conn, workspace, &counting.newest_of_each(), true).await?;
    let over_time = match criteria.all.is_empty() {
        true => all_over_time(conn, workspace, criteria, range, now).await?,
        false => counting.over_time(criteria, now),
    };
    Ok(facets(&counting, &named, over_time))
}

/// `events`: among them the newest of each actor that is listed.
fn facets(counting: &Counting, events: &[EventView], over_time: Vec<Bucket>) -> Facets {
    let kinds = vec![
        Facet { title: "Actor", values: counting.by_actor(events) },
        Facet { title: "Action", values: counting.by_family() },
        Facet {
            title: "Outcome",
            values: counting.by_each(
                Outcome::ALL,
                |one| one.outcome,
                |outcome| (Asked::Outcome(outcome), outcome.as_str()),
            ),
        },
        Facet {
            title: "Source",
            values: counting.by_each(Source::ALL, |one| one.source, |source| (Asked::Source(source), source.as_str())),
        },
    ];
    Facets { counted: counting.events().count(), is_capped: counting.is_capped, kinds, over_time }
}

impl Alike {
    /// Just one.
    fn only(event: &EventView) -> Self {
        Self {
            action: event.action.clone(),
            outcome: event.outcome,
            actor_id: event.actor.id.clone(),
            source: Source::of(&event.actor.kind, &event.actor.id, &event.request.path),
            events: vec![(event.seq, event.time)],
        }
    }
}

fn term(asked: Asked) -> Term {
    Term { negated: false, asked }
}

/// The most frequent values, each with its number; values as frequent as each other in their own order.
fn tally<T: Ord + std::hash::Hash>(values: impl Iterator<Item = (T, usize)>) -> Vec<(T, usize)> {
    let mut counts: HashMap<T, usize> = HashMap::new();
    values.for_each(|(value, count)| *counts.entry(value).or_default() += count);
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    counts.truncate(VALUES_MAX);
    counts
}

/// What is counted.
struct Counting {
    alike: Vec<Alike>,
    is_capped: bool,
}

impl Counting {
    /// One more than is counted may have been found: it tells that there are more.
    fn of(alike: Vec<Alike>) -> Self {
        let is_capped = alike.iter().map(|one| one.events.len()).sum::<usize>() > COUNTED_MAX;
        Self { alike: newest(alike, COUNTED_MAX), is_capped }
    }

    fn events(&self) -> impl Iterator<Item = &(i64, OffsetDateTime)> {
        self.alike.iter().flat_map(|one| &one.events)
    }

    fn actors(&self) -> Vec<(&str, usize)> {
        tally(self.alike.iter().map(|one| (one.actor_id.as_str(), one.events.len())))
    }

    /// The numbers of the events that tell how the actors are called now.
    fn newest_of_each(&self) -> Vec<i64> {
        let of = |id: &str| {
            let theirs = self.alike.iter().filter(|one| one.actor_id == id).flat_map(|one| &one.events);
            theirs.map(|(seq, _)| *seq).max()
        };
        self.actors().into_iter().filter_map(|(id, _)| of(id)).collect()
    }

    /// Under the names that they had last.
    fn by_actor(&self, events: &[EventView]) -> Vec<Counted> {
        let named =
            |id: &str| events.iter().find(|event| event.actor.id == id).and_then(|event| event.actor.name.clone());
        let counted = |(id, count): (&str, usize)| Counted {
            term: term(Asked::Actor(id.to_owned())),
            label: named(id).unwrap_or_else(|| id.to_owned()),
            count,
        };
        self.actors().into_iter().map(counted).collect()
    }

    fn by_family(&self) -> Vec<Counted> {
        let family = |one: &Alike| format!("{}.*", one.action.split('.').next().unwrap_or_default());
        let counts = tally(self.alike.iter().map(|one| (family(one), one.events.len())));
        let counted = |(family, count): (String, usize)| Counted {
            term: term(Asked::Action(family.clone())),
            label: family,
            count,
        };
        counts.into_iter().map(counted).collect()
    }

    /// In the order of all the values there are.
    fn by_each<T: Copy + PartialEq, const N: usize>(
        &self,
        all: [T; N],
        of: fn(&Alike) -> T,
        said: fn(T) -> (Asked, &'static str),
    ) -> Vec<Counted> {
        let counted = all.map(|value| {
            let (asked, label) = said(value);
            let alike = self.alike.iter().filter(|one| of(one) == value);
            Counted { term: term(asked), label: label.to_owned(), count: alike.map(|one| one.events.len()).sum() }
        });
        counted.into_iter().filter(|counted| counted.count > 0).collect()
    }

    /// Over the time of the events that were counted: of what lies before them, nothing is said.
    fn over_time(&self, criteria: &Criteria, now: OffsetDateTime) -> Vec<Bucket> {
        let times = || self.events().map(|(_, at)| *at);
        let Some((oldest, newest)) = times().min().zip(times().max()) else { return vec![] };
        let from = if self.is_capped { oldest } else { criteria.from.unwrap_or(oldest) };
        let count =
            |from: OffsetDateTime, to: OffsetDateTime| times().filter(|at| *at >= from && *at < to).count() as u64;
        let stretches = stretches(from, last(criteria, now).max(newest));
        stretches.into_iter().map(|(from, to)| Bucket { from, to, count: count(from, to) }).collect()
    }
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
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    criteria: &Criteria,
    range: Range,
    now: OffsetDateTime,
) -> Result<Vec<Bucket>, AppError> {
    let end = range.below;
    let oldest = queries::first_from(conn, workspace, range.above + 1).await?;
    let Some((first, oldest)) = oldest.filter(|(first, _)| *first < end) else { return Ok(vec![]) };
    let (from, to) = (criteria.from.unwrap_or(oldest).max(oldest), last(criteria, now));
    let stretches = stretches(from, to.max(from));
    // Each begins where the one before it ends.
    let begins = stretches.iter().map(|(from, _)| *from);
    let edges: Vec<OffsetDateTime> = begins.chain(stretches.last().map(|(_, to)| *to)).collect();
    let seqs = queries::seqs_at(conn, workspace, &edges).await?;
    let bucket = |(stretch, seqs): (&(OffsetDateTime, OffsetDateTime), &[i64])| {
        let count = seqs[1].clamp(first, end) - seqs[0].clamp(first, end);
        Bucket { from: stretch.0, to: stretch.1, count: u64::try_from(count).unwrap_or_default() }
    };
    Ok(stretches.iter().zip(seqs.windows(2)).map(bucket).collect())
}

fn last(criteria: &Criteria, now: OffsetDateTime) -> OffsetDateTime {
    criteria.to.map_or(now, |to| to.min(now) - Duration::microseconds(1))
}

#[cfg(test)]
mod facet_tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn of_one_event_too_many_the_oldest_is_left_out_wherever_it_stands() {
        let at = datetime!(2026-11-01 09:17:30 UTC);
        let alike = |action: &str, actor: &str, seqs: &[i64]| Alike {
            action: action.to_owned(),
            outcome: Outcome::Success,
            actor_id: actor.to_owned(),
            source: Source::Console,
            events: seqs.iter().map(|seq| (*seq, at + Duration::seconds(*seq))).collect(),
        };
        let many: Vec<i64> = (3..=1_000).rev().collect();
        let groups = || vec![alike("a.b", "ana", &many), alike("c.d", "bo", &[1]), alike("c.e", "ana", &[2, 1_001])];
        let counting = Counting::of(groups());
        assert_eq!((counting.events().count(), counting.is_capped), (COUNTED_MAX, true));
        assert_eq!(counting.events().map(|(seq, _)| *seq).min(), Some(2));
        assert_eq!((counting.actors(), counting.newest_of_each()), (vec![("ana", 1_000)], vec![1_001]));
        let all = Counting::of(groups().split_off(1));
        assert_eq!((all.events().count(), all.is_capped), (3, false));
        assert_eq!((all.actors(), all.newest_of_each()), (vec![("ana", 2), ("bo", 1)], vec![1_001, 1]));
    }

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
