//! Sealing, and what is shown of it.

use super::{
    ConsistencyProof, Finding, InclusionProof, Kind, SigningKeys, Standing, checking,
    queries::{self, Sealed},
    register::{self, Line},
    tree::{Ask, Missing, Nodes, Tree, tiles_for},
};
use crate::{
    Actor, AppError, Ctx, FieldError,
    audit_log::{Action, Event, Outcome},
    ids::{EventId, WorkspaceId},
    permissions::Permission,
    secrets::hex,
};
use send0_verify::{
    Hash,
    checkpoint::{self, Checkpoint},
    note::Verifier,
    tree,
};
use sqlx::PgConnection;
use std::path::PathBuf;

pub use super::checking::{check_all, check_everything};

/// Events that are sealed in one step.
const STEP: i64 = 4096;

/// Seals whatever is new in any log, and says how many logs that was.
///
/// # Errors
/// The first error; the other logs are sealed all the same.
pub async fn seal_all(ctx: &Ctx) -> Result<usize, AppError> {
    let unsealed = queries::unsealed(&ctx.db.worker).await?;
    let count = unsealed.len();
    let mut done = Ok(());
    for (workspace, events) in unsealed {
        let sealed = seal(ctx, workspace, events).await;
        if let Ok(Some(seq)) = sealed {
            tracing::error!(%workspace, seq, "an event is missing; nothing behind it is sealed");
        }
        let sealed = sealed.inspect_err(|error| tracing::error!(%workspace, %error, "a log could not be sealed"));
        done = done.and(sealed.map(|_| ()));
    }
    done.map(|()| count)
}

/// Seals a log up to this event, or as far as it goes: to the first that is missing, which is given. Others may do the same at the
/// same time: one of them succeeds, and that is enough.
async fn seal(ctx: &Ctx, workspace: WorkspaceId, to: i64) -> Result<Option<i64>, AppError> {
    loop {
        let (mut tree, rows) = {
            let mut read = ctx.db.read_log(workspace).await?;
            let tree = queries::sealed(read.conn(), workspace).await?.map(|sealed| sealed.tree).unwrap_or_default();
            let next = tree.size().cast_signed() + 1;
            (tree, queries::rows(read.conn(), workspace, next, to, STEP).await?)
        };
        let before = (tree.size(), tree.root());
        let mut finished = Vec::new();
        for row in &rows {
            if row.seq.unsigned_abs() != tree.size() + 1 {
                break;
            }
            tree.push(row.leaf(workspace), &mut finished);
        }
        if tree.size() == before.0 {
            let next = tree.size().cast_signed() + 1;
            return Ok((next <= to).then_some(next));
        }
        let note = sign(&signing_keys(ctx).await?, workspace, tree.size(), tree.root(), None)?;
        let now = ctx.clock.now();
        if queries::seal(&ctx.db.worker, workspace, before.0, &tree, &finished, &note, now).await? {
            let lines = entries(ctx, workspace, note, Some(before)).await?;
            register::append(register_file(ctx)?, lines).await?;
        }
    }
}

/// What goes into the register with a checkpoint: before it, if the log does not lead on from the one that stands there last, that
/// it does not. `from` is what the log has just been seen to lead on from.
async fn entries(
    ctx: &Ctx,
    workspace: WorkspaceId,
    note: String,
    from: Option<(u64, Hash)>,
) -> Result<Vec<Line>, AppError> {
    let time = ctx.clock.now();
    let mut lines = vec![Line { time, workspace, note, broken: false }];
    if let Some(mark) = ctx.register.of(register_file(ctx)?, workspace).await?.newest
        && from != Some((mark.size, mark.root))
        && mark.note != lines[0].note
        && !leads_on(ctx.db.read_log(workspace).await?.conn(), workspace, mark.size, mark.root).await?
    {
        tracing::error!(%workspace, size = mark.size, "a log does not lead on from what was signed of it");
        lines.insert(0, Line { time, workspace, note: mark.note, broken: true });
    }
    Ok(lines)
}

/// Whether the log as it is stored leads on from a checkpoint.
pub(super) async fn leads_on(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    size: u64,
    root: Hash,
) -> Result<bool, AppError> {
    let Some(Sealed { tree, .. }) = queries::sealed(conn, workspace).await? else { return Ok(false) };
    if size >= tree.size() {
        return Ok((size, root) == (tree.size(), tree.root()));
    }
    let nodes = nodes_for(conn, workspace, &tree, |node| tree::root(size, node)).await?;
    Ok(tree::root(size, |level, index| nodes.node(level, index)) == Ok(root))
}

/// Seals whatever is there, for who asks and would rather not wait for the job.
async fn seal_to_the_end(ctx: &Ctx, workspace: WorkspaceId) -> Result<(), AppError> {
    let last = queries::last(ctx.db.read_log(workspace).await?.conn(), workspace).await?;
    seal(ctx, workspace, last).await.map(|_| ())
}

/// Seals up to this event, for who wants it proven.
///
/// # Errors
/// [`AppError::Conflict`] when one before it is missing, so that it cannot be.
async fn seal_whole(ctx: &Ctx, workspace: WorkspaceId, to: i64) -> Result<(), AppError> {
    match seal(ctx, workspace, to).await? {
        None => Ok(()),
        Some(seq) => {
            let text = format!("Event #{seq} is missing from the log: nothing from there on can be proven.");
            Err(AppError::Conflict(text))
        }
    }
}

/// The line that makes a checkpoint a receipt: these events were removed in order.
pub(super) const PRUNED: &str = "pruned";

/// `extension`: what the note says besides.
fn sign(
    keys: &SigningKeys,
    workspace: WorkspaceId,
    size: u64,
    root: Hash,
    extension: Option<&str>,
) -> Result<String, AppError> {
    let checkpoint = Checkpoint { origin: checkpoint::origin(&workspace.to_string()), size, root };
    let extension = extension.map(|line| format!("{line}\n")).unwrap_or_default();
    keys.current().sign(&format!("{checkpoint}{extension}")).map_err(|error| {
        tracing::error!(%error, "a checkpoint could not be signed");
        AppError::Internal
    })
}

/// Writes the newest checkpoint of every log into the register: when the server starts, and every hour, so that a log that is
/// quiet is listed as well, and what a crash kept from being written is there. A log that vanished is told to the operators, once.
///
/// # Errors
/// The first error; the other logs are listed all the same.
pub async fn call_the_roll(ctx: &Ctx) -> Result<(), AppError> {
    let mut known = ctx.register.all(register_file(ctx)?).await?;
    let (mut lines, mut done) = (vec![], Ok(()));
    for log in queries::logs(&ctx.db.worker).await? {
        known.remove(&log.workspace);
        match entries(ctx, log.workspace, log.note, None).await {
            Ok(more) => lines.extend(more),
            Err(error) => done = done.and(Err(error)),
        }
    }
    for (workspace, marks) in known {
        // Broken once, it was told.
        let Some(mark) = marks.newest else { continue };
        tell_operators(ctx, workspace).await?;
        lines.push(Line { time: ctx.clock.now(), workspace, note: mark.note, broken: true });
    }
    register::append(register_file(ctx)?, lines).await?;
    // Where it cannot, it grows on.
    let rotated = ctx.register.rotate(register_file(ctx)?, ctx.clock.now()).await;
    done.and(rotated)
}

/// Of a log that vanished: there is none left in which it could be said.
async fn tell_operators(ctx: &Ctx, vanished: WorkspaceId) -> Result<(), AppError> {
    tracing::error!(workspace = %vanished, "the register knows a log that the database does not");
    let event = Event::new(Action::AuditLogCheckFailed).because(Outcome::Failed, Kind::Register.as_str());
    ctx.log_call(&Actor::jobs(WorkspaceId::PLATFORM, "check"), event.on("workspace", vanished, None)).await
}

// What is shown ----------------------------------------------------------------------------------------------------

/// The public keys, one C2SP verifier key each, the current one first. Public: that is what they are for.
///
/// # Errors
/// [`AppError::Unavailable`] when the file of the keys cannot be read.
pub async fn public_keys(ctx: &Ctx) -> Result<Vec<String>, AppError> {
    Ok(signing_keys(ctx).await?.verifiers().iter().map(Verifier::to_string).collect())
}

/// The newest checkpoint: a signed note (C2SP tlog-checkpoint).
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn checkpoint(ctx: &Ctx, actor: &Actor) -> Result<String, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::ApiCalled).await?;
    seal_to_the_end(ctx, actor.workspace).await?;
    let mut read = ctx.db.read_log(actor.workspace).await?;
    Ok(stored(read.conn(), actor.workspace).await?.note)
}

/// That an event is in the log. What is not sealed yet is sealed for it.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id and for another workspace's alike; [`AppError::Conflict`] when an event before it is
/// missing.
pub async fn inclusion(ctx: &Ctx, actor: &Actor, id: EventId) -> Result<InclusionProof, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::ApiCalled).await?;
    let workspace = actor.workspace;
    let seq = {
        let mut read = ctx.db.read_log(workspace).await?;
        queries::seq_of(read.conn(), workspace, id).await?.ok_or(AppError::NotFound)?
    };
    seal_whole(ctx, workspace, seq).await?;
    let mut read = ctx.db.read_log(workspace).await?;
    let Sealed { tree, note, .. } = stored(read.conn(), workspace).await?;
    let (index, size) = (seq.unsigned_abs() - 1, tree.size());
    let asked = |node: &mut Ask<'_>| (node(0, index), tree::inclusion(index, size, node));
    let nodes = nodes_for(read.conn(), workspace, &tree, asked).await?;
    let leaf = nodes.node(0, index).map_err(missing)?;
    let proof = tree::inclusion(index, size, |level, index| nodes.node(level, index)).map_err(missing)?;
    Ok(InclusionProof {
        id,
        seq,
        leaf: hex(&leaf),
        index: index.cast_signed(),
        size: size.cast_signed(),
        proof: all_hex(&proof),
        checkpoint: note,
    })
}

/// That the log only grew from one size to another; without the second, to the newest.
///
/// # Errors
/// [`AppError::Malformed`] naming the parameter, for sizes that the log never had.
pub async fn consistency(ctx: &Ctx, actor: &Actor, from: i64, to: Option<i64>) -> Result<ConsistencyProof, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::ApiCalled).await?;
    let workspace = actor.workspace;
    seal_to_the_end(ctx, workspace).await?;
    let mut read = ctx.db.read_log(workspace).await?;
    let tree = stored(read.conn(), workspace).await?.tree;
    let to = to.unwrap_or(tree.size().cast_signed());
    let outside =
        |field: &str, text: String| Err(AppError::Malformed(vec![FieldError::new(field, "out_of_range", text)]));
    if to < 1 || to.unsigned_abs() > tree.size() {
        return outside("to", format!("A number from 1 to {}, which is how far the log is sealed.", tree.size()));
    }
    if from < 1 || from > to {
        return outside("from", format!("A number from 1 to {to}."));
    }
    let (old, new) = (from.unsigned_abs(), to.unsigned_abs());
    let asked = |node: &mut Ask<'_>| {
        (tree::root(old, &mut *node), tree::root(new, &mut *node), tree::consistency(old, new, node))
    };
    let nodes = nodes_for(read.conn(), workspace, &tree, asked).await?;
    let node = |level, index| nodes.node(level, index);
    Ok(ConsistencyProof {
        from,
        to,
        from_root: hex(&tree::root(old, node).map_err(missing)?),
        to_root: hex(&tree::root(new, node).map_err(missing)?),
        proof: all_hex(&tree::consistency(old, new, node).map_err(missing)?),
    })
}

/// How far the log is proven, with the events that are shown held against the tree at this moment. `None` before anything is
/// sealed.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn standing(ctx: &Ctx, actor: &Actor, shown: &[i64]) -> Result<Option<Standing>, AppError> {
    ctx.authorise(actor, Permission::AuditRead, Action::PageViewed).await?;
    standing_in(ctx, actor.workspace, shown).await
}

/// The same of the platform's log, for operators.
pub async fn standing_of_platform(ctx: &Ctx, actor: &Actor, shown: &[i64]) -> Result<Option<Standing>, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    standing_in(ctx, WorkspaceId::PLATFORM, shown).await
}

async fn standing_in(ctx: &Ctx, workspace: WorkspaceId, shown: &[i64]) -> Result<Option<Standing>, AppError> {
    let mut read = ctx.db.read_log(workspace).await?;
    let Some(mut standing) = queries::standing(read.conn(), workspace).await? else { return Ok(None) };
    let found = match queries::tree(read.conn(), workspace).await?.ok_or(AppError::NotFound)? {
        Ok(Sealed { tree, .. }) => checking::compare_some(read.conn(), workspace, &tree, shown).await?,
        Err(torn) => Some(torn),
    };
    standing.failed = [standing.failed, found].into_iter().flatten().min_by_key(Finding::rank);
    Ok(Some(standing))
}

// For exports ------------------------------------------------------------------------------------------------------

/// What ties a part of a log to its newest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RangeProof {
    /// The perfect subtrees of what lies before the part.
    pub from_prefix: Vec<Hash>,
    /// And of what lies behind it, up to the size of the checkpoint.
    pub to_suffix: Vec<Hash>,
    /// The signed note.
    pub checkpoint: String,
}

/// The leaves of events as they were sealed, and of those that are not, nothing.
///
/// # Errors
/// [`AppError::Internal`] when stored hashes are missing.
pub(crate) async fn leaves(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    from: i64,
    to: i64,
) -> Result<Vec<Hash>, AppError> {
    let Some(Sealed { tree, .. }) = queries::sealed(conn, workspace).await? else { return Ok(vec![]) };
    let tiles = queries::tiles(conn, workspace, &queries::leaf_tiles(&tree, from, to)).await?;
    let nodes = Nodes { tree: &tree, tiles };
    let last = to.unsigned_abs().min(tree.size());
    (from.unsigned_abs()..=last).map(|seq| nodes.node(0, seq - 1).map_err(missing)).collect()
}

/// What ties the events between two numbers to the newest checkpoint. What is not sealed yet is sealed for it.
///
/// # Errors
/// [`AppError::Internal`] when stored hashes are missing.
pub(crate) async fn range_proof(
    ctx: &Ctx,
    workspace: WorkspaceId,
    first: i64,
    last: i64,
) -> Result<RangeProof, AppError> {
    seal_whole(ctx, workspace, last).await?;
    let mut read = ctx.db.read_log(workspace).await?;
    let Sealed { tree, note, .. } = stored(read.conn(), workspace).await?;
    let (before, behind, size) = (first.unsigned_abs() - 1, last.unsigned_abs(), tree.size());
    let asked = |node: &mut Ask<'_>| (tree::range(0, before, &mut *node), tree::range(behind, size, node));
    let nodes = nodes_for(read.conn(), workspace, &tree, asked).await?;
    let node = |level, index| nodes.node(level, index);
    Ok(RangeProof {
        from_prefix: tree::range(0, before, node).map_err(missing)?,
        to_suffix: tree::range(behind, size, node).map_err(missing)?,
        checkpoint: note,
    })
}

/// The leaf of each of these events, and its inclusion proof in the tree of the first `size` events, which may have grown since.
///
/// # Errors
/// [`AppError::Internal`] when stored hashes are missing.
pub(crate) async fn inclusions(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    size: u64,
    seqs: &[i64],
) -> Result<Vec<(Hash, Vec<Hash>)>, AppError> {
    let Sealed { tree, .. } = stored(conn, workspace).await?;
    let indices = || seqs.iter().map(|seq| seq.unsigned_abs() - 1);
    let asked = |node: &mut Ask<'_>| {
        indices().map(|index| (node(0, index), tree::inclusion(index, size, &mut *node))).collect::<Vec<_>>()
    };
    let nodes = nodes_for(conn, workspace, &tree, asked).await?;
    // Proofs in one tree have most of their hashes in common.
    let mut known = std::collections::HashMap::<(u8, u64), Hash>::new();
    let mut node = |level, index| match known.get(&(level, index)) {
        Some(hash) => Ok(*hash),
        None => nodes.node(level, index).inspect(|hash| _ = known.insert((level, index), *hash)),
    };
    let proven = indices().map(|index| Ok((node(0, index)?, tree::inclusion(index, size, &mut node)?)));
    proven.collect::<Result<_, Missing>>().map_err(missing)
}

// For pruning ------------------------------------------------------------------------------------------------------

/// Every workspace with a sealed log.
pub(crate) async fn workspaces(ctx: &Ctx) -> Result<Vec<WorkspaceId>, AppError> {
    Ok(queries::logs(&ctx.db.worker).await?.into_iter().map(|log| log.workspace).collect())
}

/// What is left of the first events of a log when they go: a signed checkpoint of that size, and its root. `None` while they
/// are not sealed, or are not as they were.
pub(crate) async fn receipt(
    ctx: &Ctx,
    workspace: WorkspaceId,
    size: i64,
) -> Result<Option<(String, String)>, AppError> {
    let mut read = ctx.db.read_log(workspace).await?;
    let Some(Sealed { tree, .. }) = queries::sealed(read.conn(), workspace).await? else { return Ok(None) };
    let known = queries::standing(read.conn(), workspace).await?;
    let is_verified = known.is_some_and(|known| known.failed.is_none() && known.checked_to >= size);
    if size.unsigned_abs() > tree.size() || !is_verified {
        return Ok(None);
    }
    let size = size.unsigned_abs();
    let root = root_at(read.conn(), workspace, &tree, size).await?;
    let note = sign(&signing_keys(ctx).await?, workspace, size, root, Some(PRUNED))?;
    Ok(Some((note, hex(&root))))
}

// Parts ------------------------------------------------------------------------------------------------------------

async fn stored(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Sealed, AppError> {
    queries::sealed(conn, workspace).await?.ok_or(AppError::NotFound)
}

/// The nodes of a tree that an answer looks at.
async fn nodes_for<'t, T>(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    tree: &'t Tree,
    ask: impl FnOnce(&mut Ask<'_>) -> T,
) -> Result<Nodes<'t>, AppError> {
    let wanted = tiles_for(tree, ask);
    Ok(Nodes { tree, tiles: queries::tiles(conn, workspace, &wanted).await? })
}

/// What the root was when the log had this many events.
async fn root_at(conn: &mut PgConnection, workspace: WorkspaceId, tree: &Tree, size: u64) -> Result<Hash, AppError> {
    let nodes = nodes_for(conn, workspace, tree, |node| tree::root(size, node)).await?;
    tree::root(size, |level, index| nodes.node(level, index)).map_err(missing)
}

fn missing(_: Missing) -> AppError {
    tracing::error!("a stored hash of a log is missing");
    AppError::Internal
}

fn all_hex(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| hex(hash)).collect()
}

/// Read each time: another process may have added one.
pub(super) async fn signing_keys(ctx: &Ctx) -> Result<SigningKeys, AppError> {
    let path = file(ctx, "audit-keys")?;
    let keys = tokio::task::spawn_blocking(move || SigningKeys::load_or_create(&path)).await;
    keys.map_err(|_| AppError::Internal)?.map_err(|error| {
        tracing::error!(%error, "nothing can be signed");
        AppError::Unavailable
    })
}

pub(super) fn register_file(ctx: &Ctx) -> Result<PathBuf, AppError> {
    file(ctx, "checkpoints.ndjson")
}

fn file(ctx: &Ctx, name: &str) -> Result<PathBuf, AppError> {
    let folder = ctx.folder.as_deref().ok_or(AppError::Unavailable)?;
    Ok(folder.join(name))
}
