//! Taking the log out: whole, or what a filter names, the oldest first, as lines that other programs read.

use super::{
    Action, Event, Filter, Format, formats,
    operations::{asking_for, criteria_in},
    queries::{self, Stored},
    search::Criteria,
};
use crate::{
    Actor, AppError, Ctx,
    database::Database,
    ids::WorkspaceId,
    intent::Intent,
    permissions::Permission,
    sealing::operations::{self as sealing, RangeProof},
    secrets,
};
use futures::stream::{Stream, poll_fn};
use send0_verify::Hash;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::collections::HashMap;
use tokio::sync::mpsc;

/// The first events that are read: few, so that the first bytes come at once.
const FIRST_WINDOW: i64 = 100;
/// The events of a window. Each window is a transaction of its own, and what of the log is in memory at a time.
const WINDOW: i64 = 2_000;
/// The events that a window of a filter looks at, at most: however little matches, no transaction takes long.
const SPAN: i64 = 50_000;
/// Windows that wait for a client that reads slowly.
const AHEAD: usize = 1;

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What it is written in.
    pub format: Format,
    /// Which events.
    pub filter: Filter,
    /// The number of the last event that one has already; 0: none.
    pub after: i64,
}

/// What an export will hold, once it is known and allowed.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub workspace: WorkspaceId,
    pub format: Format,
    /// Without bounds in time, which have become `bounds`.
    pub criteria: Criteria,
    /// What is asked for, apart from bounds in time, as one line; `None`: everything.
    pub query: Option<String>,
    pub after: i64,
    /// The first and the last event that are looked at. Fixed at the start, so that an export has an end. What goes on after a
    /// cursor without a filter is the rest of a file, and these are the bounds of the whole of it.
    pub bounds: Option<(i64, i64)>,
}

/// Exports the log as it is now, in pieces of whole lines. One event, committed before this returns, says what was taken out.
/// A piece that could not be had ends the stream with an error: the receipt at the end of NDJSON says that nothing is missing.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.export`; [`AppError::ProofNeeded`] in a session without a recent proof.
pub async fn export(
    ctx: &Ctx,
    actor: &Actor,
    asked: &Asked,
) -> Result<impl Stream<Item = Result<Vec<u8>, AppError>> + Send + use<>, AppError> {
    let (plan, event) = prepare(ctx, actor, asked).await?;
    ctx.log_call(actor, event).await?;
    Ok(pieces(ctx.clone(), plan))
}

/// What the export will hold, and the event that says so. Nothing is written yet, unless it is refused.
pub(super) async fn prepare(ctx: &Ctx, actor: &Actor, asked: &Asked) -> Result<(Plan, Event), AppError> {
    let action = Action::AuditLogExported;
    ctx.authorise(actor, Permission::AuditExport, action).await?;
    let (workspace, filter) = (actor.workspace, &asked.filter);
    let criteria = criteria_in(ctx, workspace, filter).await?;
    // What a filter found before the cursor is proven by the checkpoint of another call, and stays a file of its own.
    let after = if criteria.all.is_empty() { 0 } else { asked.after };
    let mut read = ctx.db.read_log(workspace).await?;
    let bounds = queries::bounds(read.conn(), workspace, &criteria, after).await?;
    let bounds = bounds.filter(|(_, last)| asked.after <= *last);
    drop(read);
    let event = exported(asked, bounds);
    let words = format!("Export the audit log as {}", asked.format.as_str().to_uppercase());
    let times = [criteria.from, criteria.to].map(|time| time.map(|time| time.unix_timestamp()));
    let intent = Intent::new(workspace, words, (asked.format, query(filter), times));
    ctx.demand_proof(actor, event.clone(), intent).await?;
    Ok((Plan::new(workspace, asked, criteria, bounds), event))
}

impl Plan {
    pub fn new(workspace: WorkspaceId, asked: &Asked, criteria: Criteria, bounds: Option<(i64, i64)>) -> Self {
        let query = Some(query(&asked.filter)).filter(|_| !criteria.all.is_empty());
        let criteria = Criteria { from: None, to: None, ..criteria };
        Self { workspace, format: asked.format, criteria, query, after: asked.after, bounds }
    }
}

/// Of the whole file, what leaves with this call.
fn exported(asked: &Asked, bounds: Option<(i64, i64)>) -> Event {
    let rest = bounds.map(|(first, last)| (first.max(asked.after.saturating_add(1)), last));
    let bounds = rest.filter(|(first, last)| first <= last);
    let event = Event::new(Action::AuditLogExported).under(Permission::AuditExport);
    let event = event.change("format", None::<&str>, asked.format.as_str());
    let event = event.change("first", None::<i64>, bounds.map(|bounds| bounds.0));
    asking_for(event.change("last", None::<i64>, bounds.map(|bounds| bounds.1)), &asked.filter)
}

/// What is asked for, apart from bounds in time, as one line.
fn query(filter: &Filter) -> String {
    let actions: Vec<&str> = filter.actions.iter().map(|action| action.as_str()).collect();
    let parts = [
        filter.actor.as_ref().map(|actor| format!("actor:{actor}")),
        (!actions.is_empty()).then(|| format!("action:{}", actions.join(","))),
        filter.outcome.map(|outcome| format!("outcome:{}", outcome.as_str())),
        Some(filter.query.to_string()).filter(|text| !text.is_empty()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Reads ahead in a task of its own, which ends when whoever takes the pieces goes away.
fn pieces(ctx: Ctx, plan: Plan) -> impl Stream<Item = Result<Vec<u8>, AppError>> + Send {
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut exporter = Exporter::new(plan);
        while let Some(piece) = exporter.next(&ctx).await.transpose() {
            let failed = piece.is_err();
            if sender.send(piece).await.is_err() || failed {
                return;
            }
        }
    });
    poll_fn(move |context| receiver.poll_recv(context))
}

/// What of an export is written next.
enum Stage {
    Head,
    Events,
    Receipt,
    Done(Receipt),
}

/// Writes an export piece by piece. Nothing is held between pieces: no transaction, no connection.
pub(super) struct Exporter {
    plan: Plan,
    stage: Stage,
    /// The last event that was looked at.
    pub at: i64,
    /// How many events were written.
    pub count: i64,
    /// What ties the events to one checkpoint, taken before the first of them is written; `None` when there is nothing to prove.
    proof: Option<RangeProof>,
    window: i64,
}

impl Exporter {
    pub fn new(plan: Plan) -> Self {
        let at = plan.bounds.map_or(plan.after, |(first, _)| plan.after.max(first - 1));
        Self { plan, stage: Stage::Head, at, count: 0, proof: None, window: FIRST_WINDOW }
    }

    /// The next piece, in whole lines; `None` at the end.
    pub async fn next(&mut self, ctx: &Ctx) -> Result<Option<Vec<u8>>, AppError> {
        loop {
            let piece = match self.stage {
                Stage::Head => self.head(ctx).await?,
                Stage::Events => self.events(&ctx.db).await?,
                Stage::Receipt => self.end()?,
                Stage::Done(_) => return Ok(None),
            };
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    /// What the export held, once it is at its end.
    pub fn receipt(&self) -> Option<&Receipt> {
        if let Stage::Done(receipt) = &self.stage { Some(receipt) } else { None }
    }

    /// Who goes on after a cursor has the head already. What will be in the export is sealed first: of every event that the
    /// receipt's checkpoint covers, the leaf must be there. Of what a filter finds, only NDJSON has the proofs.
    async fn head(&mut self, ctx: &Ctx) -> Result<Vec<u8>, AppError> {
        let Plan { workspace, format, ref query, bounds, .. } = self.plan;
        let provable = bounds.filter(|_| format == Format::Ndjson || query.is_none());
        if let Some((first, last)) = provable {
            self.proof = unless_damaged(sealing::range_proof(ctx, workspace, first, last).await)?;
        }
        self.stage = Stage::Events;
        Ok(if self.plan.after == 0 { formats::head(self.plan.format).into() } else { vec![] })
    }

    async fn events(&mut self, db: &Database) -> Result<Vec<u8>, AppError> {
        let last = self.plan.bounds.map_or(self.at, |(_, last)| last);
        if self.at >= last {
            self.stage = Stage::Receipt;
            return Ok(vec![]);
        }
        let limit = std::mem::replace(&mut self.window, WINDOW);
        let Plan { workspace, ref criteria, .. } = self.plan;
        let until = last.min(self.at.saturating_add(if criteria.all.is_empty() { limit } else { SPAN }));
        let mut read = db.read_log(workspace).await?;
        let is_proof = self.plan.format == Format::Ndjson;
        let columns = if is_proof { queries::PROVEN } else { queries::COLUMNS };
        let rows = queries::window(read.conn(), workspace, criteria, (self.at, until), limit, columns).await?;
        let stored = rows.iter().map(|row| if is_proof { Stored::proven(row) } else { Stored::of(row) });
        let rows = stored.collect::<Result<Vec<_>, _>>()?;
        let looked_at = rows.last().filter(|_| rows.len() as i64 == limit).map_or(until, |row| row.seq);
        let meant = meant(workspace, criteria, rows);
        let sealed = self.sealed(read.conn(), &meant).await?;
        drop(read);
        let mut piece = Vec::with_capacity(meant.len() * formats::LINE_LENGTH);
        for stored in &meant {
            let sealed = sealed.get(&stored.seq);
            formats::write(&mut piece, self.plan.format, workspace, stored, sealed.map(|sealed| &sealed.leaf));
            if let Some(proof) = sealed.and_then(|sealed| sealed.proof.as_deref()) {
                add_proof(&mut piece, proof);
            }
        }
        self.count += meant.len() as i64;
        self.at = looked_at;
        Ok(piece)
    }

    /// What was sealed of the events of a window, by their numbers, for the format that says so.
    async fn sealed(&self, conn: &mut PgConnection, rows: &[Stored<'_>]) -> Result<HashMap<i64, Sealed>, AppError> {
        let Plan { workspace, format, ref query, .. } = self.plan;
        let (Format::Ndjson, Some(first), Some(last)) = (format, rows.first(), rows.last()) else {
            return Ok(HashMap::new());
        };
        let size = self.proof.as_ref().and_then(|proof| size(&proof.checkpoint));
        if let (Some(_), Some(size)) = (query, size) {
            let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
            let proven = unless_damaged(sealing::inclusions(conn, workspace, size, &seqs).await)?.unwrap_or_default();
            let sealed = proven.into_iter().map(|(leaf, proof)| Sealed { leaf, proof: Some(proof) });
            return Ok(seqs.into_iter().zip(sealed).collect());
        }
        let leaves = unless_damaged(sealing::leaves(conn, workspace, first.seq, last.seq).await)?.unwrap_or_default();
        Ok((first.seq..).zip(leaves.into_iter().map(|leaf| Sealed { leaf, proof: None })).collect())
    }

    fn end(&mut self) -> Result<Vec<u8>, AppError> {
        let last = Last { receipt: self.sign_off() };
        let mut line = serde_json::to_vec(&last).map_err(|_| AppError::Internal)?;
        line.push(b'\n');
        self.stage = Stage::Done(last.receipt);
        Ok(if self.plan.format == Format::Ndjson { line } else { vec![] })
    }

    /// The receipt. Of a part of the log without gaps it says what ties it to a signed checkpoint; what a filter found has its
    /// own proofs.
    fn sign_off(&self) -> Receipt {
        let Plan { workspace, ref query, bounds, after, .. } = self.plan;
        // Who goes on after a cursor has what is before it.
        let received = bounds.map_or(0, |(first, _)| (after - first + 1).max(0));
        let count = received + self.count;
        let (is_filtered, is_whole) = (query.is_some(), bounds.is_some_and(|(first, last)| count == last - first + 1));
        // Of what has a gap there is nothing to prove: something was pruned meanwhile, or worse.
        let proof = self.proof.as_ref().filter(|_| is_filtered || is_whole);
        let range = proof.filter(|_| !is_filtered);
        let all_hex = |hashes: &[Hash]| hashes.iter().map(|hash| secrets::hex(hash)).collect::<Vec<_>>();
        Receipt {
            workspace,
            query: query.clone(),
            first: bounds.map(|bounds| bounds.0),
            last: bounds.map(|bounds| bounds.1),
            count,
            from_prefix: range.map(|proof| all_hex(&proof.from_prefix)),
            to_suffix: range.map(|proof| all_hex(&proof.to_suffix)),
            checkpoint: proof.map(|proof| proof.checkpoint.clone()),
        }
    }
}

/// Those that the whole filter means: the columns, by which they were found, do not tell everything.
fn meant<'r>(workspace: WorkspaceId, criteria: &Criteria, mut rows: Vec<Stored<'r>>) -> Vec<Stored<'r>> {
    if criteria.is_deep() {
        rows.retain(|stored| criteria.hold(&stored.view(workspace)));
    }
    rows
}

/// An event as it was sealed.
struct Sealed {
    leaf: Hash,
    /// What leads from the leaf to the receipt's checkpoint, where the events between are not in the export.
    proof: Option<Vec<Hash>>,
}

/// Puts the proof of an event at the end of its line, the last that was written: a line is an object.
fn add_proof(piece: &mut Vec<u8>, proof: &[Hash]) {
    let hashes: Vec<String> = proof.iter().map(|hash| format!("\"{}\"", secrets::hex(hash))).collect();
    piece.truncate(piece.len() - "}\n".len());
    piece.extend_from_slice(format!(",\"proof\":[{}]}}\n", hashes.join(",")).as_bytes());
}

/// How many events a checkpoint covers: the second line of the note.
fn size(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

/// A log that is not as it was sealed is exported all the same, without what cannot be proven: whoever looks into it needs it.
fn unless_damaged<T>(proof: Result<T, AppError>) -> Result<Option<T>, AppError> {
    match proof {
        Err(AppError::Internal | AppError::Conflict(_)) => Ok(None),
        proof => proof.map(Some),
    }
}

#[derive(Serialize)]
struct Last {
    receipt: Receipt,
}

/// Says that an export is complete: which events were looked at, and how many are in it. Without a filter that is said of the
/// whole file, also to who goes on after a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whose log it is.
    pub workspace: WorkspaceId,
    /// What it was filtered by, apart from bounds in time; `null`: every event from `first` to `last` is in it.
    pub query: Option<String>,
    /// The first event that was looked at; `null`: there was none.
    pub first: Option<i64>,
    /// The last one.
    pub last: Option<i64>,
    /// How many events are in it.
    pub count: i64,
    /// The tree before `first`, hashes in hexadecimal; `null` when filtered, when nothing was looked at, and of a log that is not as
    /// it was sealed.
    pub from_prefix: Option<Vec<String>>,
    /// From the tree up to `last` to that of the checkpoint; likewise.
    pub to_suffix: Option<Vec<String>>,
    /// The checkpoint, a signed note (C2SP tlog-checkpoint); likewise, but there when filtered: the proofs lead to it.
    pub checkpoint: Option<String>,
}

impl Receipt {
    /// The root of the tree that the checkpoint signs, in base64: the third line of the note.
    pub fn root(&self) -> Option<&str> {
        self.checkpoint.as_deref()?.lines().nth(2)
    }
}
