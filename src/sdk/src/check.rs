//! The check of an export: one pass, in memory that does not grow with it. The rules, in their order, stand in
//! `docs/audit-log-format.md`.

use crate::{
    Checkpoints, Finding, Hash, Kind, Report,
    checkpoints::Known,
    content::{self, Content},
    export::{self, Event, Line, MAX_LINE, Receipt},
    hex,
    note::Verifier,
    order::Order,
    span::{Snapshot, Span},
    tree::Frontier,
};
use std::io::{BufRead, Read};

/// Checks an export against checkpoints that one of the verifiers has signed.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(mut reader: impl BufRead, checkpoints: &Checkpoints, verifiers: &[Verifier]) -> Result<Report, Finding> {
    let mut check = Check::new(checkpoints, verifiers);
    let mut line = Vec::with_capacity(4096);
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        match read.map_err(|error| Finding::new(Kind::NotRead, 0, error.to_string()))? {
            0 => return check.finish().map(|report| Report { skipped: checkpoints.skipped(), ..report }),
            _ => check.line(&line)?,
        }
    }
}

struct Check<'c> {
    checkpoints: &'c Checkpoints,
    verifiers: &'c [Verifier],
    log: Option<Log>,
    line: u64,
    order: Order,
    /// The first thing that is wrong with an event by itself.
    fault: Option<Finding>,
    span: Option<Span>,
    snapshots: Vec<Snapshot>,
    counts: Counts,
    receipt: Option<Receipt>,
}

/// Whose log it is, and what is known about it.
struct Log {
    workspace: String,
    known: Known,
    /// The next size at which a root is known.
    next: Option<u64>,
}

#[derive(Default)]
struct Counts {
    events: u64,
    last: u64,
    sealed: u64,
    erased: u64,
    /// The first event with a leaf and without a proof.
    unproven: Option<u64>,
    /// The last event with a leaf.
    sealed_last: u64,
    /// The first event without one.
    unsealed: Option<u64>,
    /// The root that the proofs lead to.
    root: Option<Hash>,
}

impl<'c> Check<'c> {
    fn new(checkpoints: &'c Checkpoints, verifiers: &'c [Verifier]) -> Self {
        Self {
            checkpoints,
            verifiers,
            log: None,
            line: 0,
            order: Order::default(),
            fault: None,
            span: None,
            snapshots: vec![],
            counts: Counts::default(),
            receipt: None,
        }
    }

    fn line(&mut self, bytes: &[u8]) -> Result<(), Finding> {
        self.line += 1;
        if bytes == b"\n" {
            return Ok(());
        }
        let line = if self.receipt.is_some() { None } else { export::line(bytes) };
        match line {
            Some(Line::Event(event)) => {
                self.open(event.workspace)?;
                self.event(&event);
                Ok(())
            }
            Some(Line::Receipt(receipt)) => {
                self.open(&receipt.workspace)?;
                self.receipt = Some(receipt);
                Ok(())
            }
            None => Err(self.unreadable(bytes)),
        }
    }

    /// What came before it counts more; a last line that breaks off is a missing end.
    fn unreadable(&self, bytes: &[u8]) -> Finding {
        let whole = bytes.ends_with(b"\n") || bytes.len() as u64 == MAX_LINE;
        let expected = self.order.expected().unwrap_or(1);
        let finding = if whole || self.receipt.is_some() {
            Finding::new(Kind::Unreadable, expected, "it is no line of an export")
        } else {
            Finding::new(Kind::Truncate, expected, "the export breaks off")
        };
        self.anomaly().unwrap_or(finding.in_line(self.line))
    }

    /// Knows from here on whose log this is: that of the checkpoints if they are of one, else that of the first line.
    fn open(&mut self, workspace: &str) -> Result<(), Finding> {
        if self.log.is_none() {
            let workspace = self.checkpoints.workspace().unwrap_or(workspace).to_owned();
            let known = self.checkpoints.of(&workspace, self.verifiers)?;
            self.log = Some(Log { workspace, known, next: None });
        }
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>) {
        self.counts.events += 1;
        if self.log.as_ref().is_some_and(|log| log.workspace != event.workspace) {
            self.blame(Finding::new(Kind::Foreign, event.seq, "it is of another workspace"));
            return;
        }
        let expected = self.order.expected();
        self.order.see(self.line, event.seq);
        self.counts.last = event.seq;
        match content::check(event, expected) {
            Ok(content) => self.sound(event.seq, &content),
            Err(finding) => self.blame(finding),
        }
    }

    fn blame(&mut self, finding: Finding) {
        let line = self.line;
        self.fault.get_or_insert_with(|| finding.in_line(line));
    }

    /// An event that is sound by itself.
    fn sound(&mut self, seq: u64, content: &Content) {
        self.counts.erased += u64::from(content.erased);
        if let Some(root) = content.root {
            if *self.counts.root.get_or_insert(root) != root {
                self.blame(Finding::new(Kind::Edit, seq, "its proof leads elsewhere than those before it"));
            }
        } else if content.sealed {
            self.counts.unproven.get_or_insert(seq);
        }
        if !content.sealed && self.counts.unsealed.is_none() {
            self.counts.unsealed = Some(seq);
            self.take_snapshot();
        }
        if content.sealed {
            self.counts.sealed += 1;
            self.counts.sealed_last = seq;
            if let Some(unsealed) = self.counts.unsealed.filter(|unsealed| *unsealed < seq) {
                self.blame(Finding::new(Kind::Edit, unsealed, "its leaf is missing, but later events have one"));
            }
        }
        if self.fault.is_none() && !self.order.is_broken() {
            self.grow(seq, content.leaf);
        }
    }

    /// One more leaf of the part that is in order so far.
    fn grow(&mut self, seq: u64, leaf: Hash) {
        let Some(log) = &mut self.log else { return };
        let span = self.span.get_or_insert_with(|| {
            let span = Span::new(seq - 1);
            self.snapshots.push(span.snapshot());
            log.next = log.known.above(seq - 1);
            span
        });
        span.push(leaf);
        if log.next == Some(seq) {
            log.next = log.known.above(seq);
            self.snapshots.push(span.snapshot());
        }
    }

    fn take_snapshot(&mut self) {
        self.snapshots.extend(self.span.as_ref().map(Span::snapshot));
    }

    /// The first line that is wrong, if the export is not filtered.
    fn anomaly(&self) -> Option<Finding> {
        let range = self.receipt.as_ref().and_then(|receipt| Some((receipt.first?, receipt.last?)));
        let (first, last) = range.unwrap_or((1, u64::MAX));
        earlier(self.fault.clone(), self.order.finding(first, last))
    }

    fn finish(mut self) -> Result<Report, Finding> {
        if let Some(workspace) = self.checkpoints.workspace() {
            self.open(workspace)?;
        }
        self.take_snapshot();
        let nothing =
            || Finding::new(Kind::NoCheckpoint, 0, "the export is empty, and the checkpoints are of several logs");
        let mut log = self.log.take().ok_or_else(nothing)?;
        let Some(receipt) = self.receipt.take() else {
            return self.without_receipt(log);
        };
        let first = self.order.first().or(receipt.first).unwrap_or(1).max(1);
        if receipt.workspace != log.workspace {
            return Err(Finding::new(Kind::Foreign, first, "the receipt is of another workspace"));
        }
        // It is asked for below: what came before the receipt counts more.
        self.receipt = Some(receipt.clone());
        if receipt.query.is_some() {
            return self.filtered(log, receipt, first);
        }
        let prefix = self.prefix(&receipt, first);
        let good = match &prefix {
            Some(prefix) => self.roots(&log.known, prefix, first)?,
            None => first - 1,
        };
        self.anomaly().map_or(Ok(()), Err)?;
        let size = note(&mut log, &receipt, self.verifiers)?;
        if self.counts.events == 0 {
            return nothing_exported(log, &receipt, size, first);
        }
        self.extent(&receipt, first)?;
        let size = size.ok_or_else(untied)?;
        self.sealing(size, size)?;
        let fork = |detail: &str| Finding::new(Kind::Fork, good.saturating_add(1), detail);
        if log.known.largest().is_some_and(|largest| largest >= first - 1) {
            let prefix = prefix.ok_or_else(|| fork("the receipt does not say what comes before the export"))?;
            let leads = size < first - 1 || {
                let root = self.root_at(&prefix, size, &receipt);
                let root = root.ok_or_else(|| fork("the receipt does not lead to its checkpoint"))?;
                log.known.root(size) == Some(&root)
            };
            if !leads {
                return Err(fork("the export does not lead to the root of the receipt's checkpoint"));
            }
        }
        self.reach(&log, size)?;
        Ok(self.report(log, size, first, None))
    }

    /// The events before the export, as the receipt says. `None` when it says nothing usable.
    fn prefix(&self, receipt: &Receipt, first: u64) -> Option<Frontier> {
        let hashes = hashes(receipt.from_prefix.as_deref())?;
        (receipt.first.is_none_or(|says| says == first)).then(|| Frontier::from_parts(first - 1, hashes)).flatten()
    }

    /// Compares each root that is known below what is wrong with the events. The largest size that fits.
    fn roots(&self, known: &Known, prefix: &Frontier, first: u64) -> Result<u64, Finding> {
        let mut good = first - 1;
        let Some(span) = &self.span else { return Ok(good) };
        let end = self.anomaly().map_or(u64::MAX, |anomaly| anomaly.seq - 1);
        for snapshot in self.snapshots.iter().filter(|snapshot| snapshot.size <= end) {
            let Some(root) = known.root(snapshot.size) else { continue };
            if span.root(prefix, snapshot) != *root {
                let detail =
                    format!("the events up to {0} are not those of the checkpoint of {0} events", snapshot.size);
                return Err(Finding::new(Kind::Fork, good.saturating_add(1), detail));
            }
            good = good.max(snapshot.size);
        }
        Ok(good)
    }

    /// First, last and count are those of the receipt. What a search found lies between first and last.
    fn extent(&self, receipt: &Receipt, first: u64) -> Result<(), Finding> {
        let (last, whole) = (self.counts.last, receipt.query.is_none());
        let (from, to) = (receipt.first.unwrap_or(first), receipt.last.unwrap_or(last));
        let finding = |kind, seq, detail: &str| Err(Finding::new(kind, seq, detail));
        if whole && from < first {
            finding(Kind::Delete, from, "the export begins later than its receipt says")
        } else if from > first {
            finding(Kind::Insert, first, "the export begins earlier than its receipt says")
        } else if whole && to > last {
            finding(Kind::Truncate, last + 1, "the export ends earlier than its receipt says")
        } else if to < last {
            finding(Kind::Insert, to + 1, "the export ends later than its receipt says")
        } else if receipt.count > self.counts.events {
            finding(Kind::Delete, from, "the receipt counts more events")
        } else if receipt.count < self.counts.events {
            finding(Kind::Insert, first, "the receipt counts fewer events")
        } else {
            Ok(())
        }
    }

    /// The events with a leaf are those that the receipt's checkpoint, of this size, covers; none without one is among those that are `sealed`.
    fn sealing(&self, size: u64, sealed: u64) -> Result<(), Finding> {
        match self.counts.unsealed {
            Some(unsealed) if unsealed <= sealed => {
                Err(Finding::new(Kind::Edit, unsealed, "its leaf is missing, but a checkpoint covers it"))
            }
            _ if self.counts.sealed_last > size => {
                Err(Finding::new(Kind::Fork, size + 1, "it has a leaf, but the receipt's checkpoint is older"))
            }
            _ => Ok(()),
        }
    }

    /// The root over `size` events, of which the export is a part or which end in it.
    fn root_at(&self, prefix: &Frontier, size: u64, receipt: &Receipt) -> Option<Hash> {
        let span = self.span.as_ref()?;
        if size > self.counts.last {
            let mut frontier = span.frontier(prefix);
            return frontier.extend(size, &hashes(receipt.to_suffix.as_deref())?).then(|| frontier.root());
        }
        let snapshot = self.snapshots.iter().find(|snapshot| snapshot.size == size)?;
        receipt.to_suffix.as_ref().is_none_or(Vec::is_empty).then(|| span.root(prefix, snapshot))
    }

    /// An export that goes to the end of its log goes to the end of what was sealed.
    fn reach(&self, log: &Log, size: u64) -> Result<(), Finding> {
        let last = self.counts.last;
        match log.known.largest() {
            Some(largest) if size <= last && largest > last => Err(missing_end(last, largest)),
            _ => Ok(()),
        }
    }

    /// The end of the file is missing, or the file is of somebody who keeps no receipts.
    fn without_receipt(self, log: Log) -> Result<Report, Finding> {
        let first = self.order.first().unwrap_or(1);
        if first == 1 {
            self.roots(&log.known, &Frontier::new(), 1)?;
        }
        self.anomaly().map_or(Ok(()), Err)?;
        if first != 1 {
            return Err(Finding::new(
                Kind::Delete,
                1,
                "the export does not begin with the first event, and has no receipt",
            ));
        }
        match log.known.largest() {
            None => Err(Finding::new(Kind::NoCheckpoint, 0, "no checkpoint of this workspace is known")),
            Some(largest) if largest > self.counts.last => Err(missing_end(self.counts.last, largest)),
            Some(largest) => Ok(self.report(log, largest, 1, None)),
        }
    }

    fn filtered(self, mut log: Log, receipt: Receipt, first: u64) -> Result<Report, Finding> {
        earlier(self.fault.clone(), self.order.finding_filtered()).map_or(Ok(()), Err)?;
        let size = note(&mut log, &receipt, self.verifiers)?;
        if self.counts.events == 0 {
            return match receipt.count {
                0 => Ok(Report { query: receipt.query, ..empty(log, size.ok_or_else(unseen)?) }),
                _ => Err(Finding::new(Kind::Truncate, first, "the events that the receipt counts are missing")),
            };
        }
        self.extent(&receipt, first)?;
        let size = size.ok_or_else(untied)?;
        // No root tells of an event between two that were not found.
        self.sealing(size, log.known.largest().unwrap_or(size))?;
        if let Some(unproven) = self.counts.unproven {
            return Err(Finding::new(Kind::Edit, unproven, "its proof is missing, but it has a leaf"));
        }
        if self.counts.root.is_some_and(|root| log.known.root(size) != Some(&root)) {
            return Err(Finding::new(
                Kind::Fork,
                first,
                "the proofs do not lead to the root of the receipt's checkpoint",
            ));
        }
        Ok(self.report(log, size, first, receipt.query))
    }

    fn report(self, log: Log, size: u64, first: u64, query: Option<String>) -> Report {
        let Counts { events, last, erased, sealed, .. } = self.counts;
        let filtered = query.is_some();
        let fits = |at: u64| at >= first - 1 && (at == size || !filtered && log.known.root(at).is_some());
        let mut sizes: Vec<u64> =
            self.snapshots.iter().map(|snapshot| snapshot.size).chain([size]).filter(|at| fits(*at)).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let size = sizes.last().copied().filter(|size| *size >= first).unwrap_or(0);
        let covered = size.min(last).saturating_add(1).saturating_sub(first);
        Report {
            workspace: log.workspace,
            first: if events == 0 { 0 } else { first },
            last,
            events,
            sealed: if filtered { sealed } else { covered },
            erased,
            size,
            checkpoints: sizes.len() as u64,
            unchecked: log.known.len() - sizes.len() as u64,
            query,
            proven: filtered && sealed > 0,
            ..Report::default()
        }
    }
}

/// The one in the earlier line; in the same line, what is wrong with the event.
fn earlier(fault: Option<Finding>, order: Option<Finding>) -> Option<Finding> {
    fault.into_iter().chain(order).min_by_key(|finding| finding.line)
}

fn missing_end(last: u64, largest: u64) -> Finding {
    let detail = format!("a checkpoint covers {largest} events, the export ends with event {last}");
    Finding::new(Kind::Truncate, last + 1, detail)
}

/// Null says the same as no hashes.
fn hashes(texts: Option<&[String]>) -> Option<Vec<Hash>> {
    texts.unwrap_or_default().iter().map(|text| hex::hash(text)).collect()
}

/// Takes the receipt's checkpoint up among the known ones. Its size; `None` when the receipt has none.
fn note(log: &mut Log, receipt: &Receipt, verifiers: &[Verifier]) -> Result<Option<u64>, Finding> {
    let Some(note) = &receipt.checkpoint else { return Ok(None) };
    let size = crate::checkpoints::unverified(note).map_or(0, |checkpoint| checkpoint.size);
    let resigned = |known: &Known, detail| Finding::new(Kind::Resigned, known.below(size) + 1, detail);
    let added = log.known.add(&log.workspace, note, verifiers);
    added.map(Some).map_err(|detail| resigned(&log.known, format!("in the receipt, {detail}")))
}

/// There are events, and whoever exported them says nothing that they could be held against.
fn untied() -> Finding {
    Finding::new(Kind::NoCheckpoint, 0, "the receipt has none: nothing shows that the events are those of the log")
}

/// There is no event in it, and none was looked at.
fn unseen() -> Finding {
    Finding::new(Kind::NoCheckpoint, 0, "no event was looked at for the export: it shows nothing")
}

/// An export without events is complete when there is nothing to export.
fn nothing_exported(log: Log, receipt: &Receipt, size: Option<u64>, first: u64) -> Result<Report, Finding> {
    let missing = match size {
        Some(_) => log.known.largest().is_some_and(|largest| largest >= first),
        None => receipt.first.is_some() || receipt.last.is_some(),
    };
    if receipt.count > 0 || missing {
        return Err(Finding::new(Kind::Truncate, first, "there are events, and none is in the export"));
    }
    Ok(empty(log, size.ok_or_else(unseen)?))
}

/// Of no events. Held against the receipt's checkpoint.
fn empty(log: Log, size: u64) -> Report {
    let unchecked = log.known.len() - 1;
    Report { workspace: log.workspace, size, checkpoints: 1, unchecked, ..Report::default() }
}
