//! The numbers of the events as they come: 1 more each time, or what that says.

use crate::{Finding, Kind};

/// Follows the numbers.
#[derive(Default)]
pub(crate) struct Order {
    first: Option<u64>,
    expected: u64,
    anomaly: Option<Anomaly>,
    /// The first number that is not above all before it: what is wrong in a filtered export too.
    descent: Option<Finding>,
    highest: u64,
}

/// Where the numbers went wrong first.
struct Anomaly {
    line: u64,
    /// The number that should have been there.
    wanted: u64,
    /// The number that was there.
    got: u64,
    wanted_came: bool,
    got_again: bool,
    /// A number that had been there before.
    repeated: bool,
}

impl Order {
    /// What the next number should be; `None` before the first.
    pub fn expected(&self) -> Option<u64> {
        self.first.map(|_| self.expected)
    }

    pub fn first(&self) -> Option<u64> {
        self.first
    }

    pub fn is_broken(&self) -> bool {
        self.anomaly.is_some()
    }

    pub fn see(&mut self, line: u64, seq: u64) {
        let Some(first) = self.first else {
            (self.first, self.expected, self.highest) = (Some(seq), seq.saturating_add(1), seq);
            return;
        };
        if seq <= self.highest && self.descent.is_none() {
            let kind = if seq == self.highest { Kind::Insert } else { Kind::Reorder };
            self.descent = Some(Finding::new(kind, seq, "the numbers do not rise").in_line(line));
        }
        self.highest = self.highest.max(seq);
        if let Some(anomaly) = &mut self.anomaly {
            anomaly.wanted_came |= anomaly.wanted == seq;
            anomaly.got_again |= anomaly.got == seq;
        } else if seq == self.expected {
            self.expected = seq.saturating_add(1);
        } else {
            let before = seq < first;
            let (wanted, got) = if before { (seq, first) } else { (self.expected, seq) };
            let repeated = !before && seq < self.expected;
            self.anomaly = Some(Anomaly { line, wanted, got, wanted_came: before, got_again: false, repeated });
        }
    }

    /// What the numbers of an unfiltered export of `first..=last` say.
    pub fn finding(&self, first: u64, last: u64) -> Option<Finding> {
        let anomaly = self.anomaly.as_ref()?;
        let Anomaly { wanted, got, .. } = *anomaly;
        let outside = |seq: u64| seq < first || seq > last;
        let finding = if anomaly.repeated || outside(got) || anomaly.wanted_came && anomaly.got_again {
            Finding::new(
                Kind::Insert,
                got,
                format!("event {got} stands where event {wanted} should, and is one too many"),
            )
        } else if outside(wanted) {
            Finding::new(Kind::Insert, wanted, format!("event {wanted} is not part of this export"))
        } else if anomaly.wanted_came {
            Finding::new(Kind::Reorder, wanted, format!("event {got} stands before event {wanted}"))
        } else {
            Finding::new(Kind::Delete, wanted, format!("event {got} follows where event {wanted} should stand"))
        };
        Some(finding.in_line(anomaly.line))
    }

    /// What the numbers of a filtered export say: they have gaps, but they rise.
    pub fn finding_filtered(&self) -> Option<Finding> {
        self.descent.clone()
    }
}
