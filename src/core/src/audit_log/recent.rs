//! The newest events that a filter finds, kept from one counting to the next, so that only what is new has to be looked for: people go
//! through a filter page by page, and a thousand events may lie in as many places of the disk.

use super::{
    facets::COUNTED_MAX,
    queries::Alike,
    search::{Criteria, Range},
};
use crate::ids::WorkspaceId;
use hashlink::LruCache;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One more than is counted tells that there are more.
pub(super) const FOUND_MAX: usize = COUNTED_MAX + 1;
/// How many filters are remembered, at some 25 kB each.
const FILTERS_MAX: usize = 128;

type Filters = LruCache<(WorkspaceId, Criteria), Arc<Newest>>;

/// What was found of late.
#[derive(Clone)]
pub(crate) struct Recent(Arc<Mutex<Filters>>);

impl Default for Recent {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(FILTERS_MAX))))
    }
}

impl Recent {
    /// What is known of the newest events in this range.
    pub(super) fn of(&self, workspace: WorkspaceId, criteria: &Criteria, range: Range) -> Newest {
        let found = self.filters().get(&(workspace, criteria.clone())).cloned();
        let leads_on = found.filter(|known| known.above <= range.above && known.below <= range.below);
        leads_on.map_or_else(|| Newest::nothing_of(range), Arc::unwrap_or_clone)
    }

    /// To be known the next time.
    pub(super) fn keep(&self, workspace: WorkspaceId, criteria: &Criteria, newest: Newest) {
        self.filters().insert((workspace, criteria.clone()), Arc::new(newest));
    }

    fn filters(&self) -> MutexGuard<'_, Filters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest events between two others, at most [`FOUND_MAX`]. What is in the columns of an event never changes, and it goes only together with
/// all that is older. Of a log that somebody tampers with, the counts may be those of before; what is wrong with it is told elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Newest {
    above: i64,
    below: i64,
    alike: Vec<Alike>,
}

impl Newest {
    fn nothing_of(range: Range) -> Self {
        Self { above: range.above, below: range.above + 1, alike: vec![] }
    }

    /// What of the range is not looked through yet.
    pub(super) fn left(&self, range: Range) -> Range {
        Range { above: range.above.max(self.below - 1), ..range }
    }

    /// Together with what was found in [`Self::left`] of the range.
    pub(super) fn and(self, found: Vec<Alike>, range: Range) -> Self {
        let mut alike = self.alike;
        for new in found {
            match alike.iter_mut().find(|one| one.is_like(&new)) {
                Some(one) => one.events.extend(new.events),
                None => alike.push(new),
            }
        }
        alike.iter_mut().for_each(|one| one.events.retain(|(seq, _)| *seq > range.above));
        Self { above: range.above, below: range.below, alike: newest(alike, FOUND_MAX) }
    }

    pub(super) fn alike(&self) -> &[Alike] {
        &self.alike
    }
}

/// Of more events than that, the newest.
pub(super) fn newest(mut alike: Vec<Alike>, at_most: usize) -> Vec<Alike> {
    let mut seqs: Vec<i64> = alike.iter().flat_map(|one| &one.events).map(|(seq, _)| *seq).collect();
    if let Some(too_many) = seqs.len().checked_sub(at_most).filter(|too_many| *too_many > 0) {
        let oldest = *seqs.select_nth_unstable(too_many).1;
        alike.iter_mut().for_each(|one| one.events.retain(|(seq, _)| *seq >= oldest));
    }
    alike.retain(|one| !one.events.is_empty());
    alike
}

#[cfg(test)]
mod recent_tests {
    use super::*;
    use crate::audit_log::{Outcome, Source};
    use time::{Duration, macros::datetime};

    fn alike(action: &str, seqs: impl IntoIterator<Item = i64>) -> Alike {
        let at = datetime!(2026-11-01 09:17:30 UTC);
        Alike {
            action: action.to_owned(),
            outcome: Outcome::Success,
            actor_id: "ana".to_owned(),
            source: Source::Console,
            events: seqs.into_iter().map(|seq| (seq, at + Duration::seconds(seq))).collect(),
        }
    }

    fn range(above: i64, below: i64) -> Range {
        Range { above, below, newest_first: true }
    }

    fn groups(newest: &Newest) -> Vec<(&str, Vec<i64>)> {
        let seqs = |one: &Alike| one.events.iter().map(|(seq, _)| *seq).collect();
        newest.alike().iter().map(|one| (one.action.as_str(), seqs(one))).collect()
    }

    #[test]
    fn only_what_is_new_is_left_to_look_through() {
        let (recent, ana, bo) = (Recent::default(), WorkspaceId::new(), WorkspaceId::new());
        let everything = Criteria::default();
        let known = recent.of(ana, &everything, range(0, 10));
        assert_eq!(known.left(range(0, 10)), range(0, 10));
        recent.keep(ana, &everything, known.and(vec![alike("a.b", [9, 3])], range(0, 10)));
        let known = recent.of(ana, &everything, range(0, 14));
        assert_eq!((known.left(range(0, 14)), groups(&known)), (range(9, 14), vec![("a.b", vec![9, 3])]));
        let known = known.and(vec![alike("a.b", [12]), alike("c.d", [13])], range(0, 14));
        assert_eq!(groups(&known), [("a.b", vec![9, 3, 12]), ("c.d", vec![13])]);
        recent.keep(ana, &everything, known);
        // What was pruned is in it no longer.
        let known = recent.of(ana, &everything, range(9, 14));
        assert!(known.left(range(9, 14)).is_empty());
        assert_eq!(groups(&known.and(vec![], range(9, 14))), [("a.b", vec![12]), ("c.d", vec![13])]);
        assert_eq!(recent.of(ana, &everything, range(20, 24)).left(range(20, 24)), range(20, 24));
        // Nothing is known of another log, another filter, or a log that was turned back.
        let other = Criteria::of_target("key_1");
        for (workspace, criteria, range) in
            [(bo, &everything, range(0, 14)), (ana, &other, range(0, 14)), (ana, &everything, range(0, 13))]
        {
            let known = recent.of(workspace, criteria, range);
            assert_eq!((known.left(range), groups(&known)), (range, vec![]));
        }
    }

    #[test]
    fn of_too_many_the_newest_are_kept_in_whatever_group_they_are() {
        let many = || vec![alike("a.b", 3..=1_000), alike("c.d", [1]), alike("c.e", [2, 1_001])];
        let kept = Newest::nothing_of(range(0, 1_002)).and(many(), range(0, 1_002));
        assert_eq!(kept.alike().iter().map(|one| one.events.len()).sum::<usize>(), FOUND_MAX);
        let kept = kept.and(vec![alike("c.d", [1_002, 1_003])], range(0, 1_004));
        assert_eq!(kept.alike()[1].events.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1_002, 1_003]);
        assert_eq!(kept.alike().iter().map(|one| one.events.len()).collect::<Vec<_>>(), [998, 2, 1]);
        assert_eq!(newest(many(), 2).iter().map(|one| one.action.as_str()).collect::<Vec<_>>(), ["a.b", "c.e"]);
        assert!(newest(vec![], 2).is_empty());
    }
}
