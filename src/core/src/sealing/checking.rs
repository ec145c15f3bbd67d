//! What is stored, held against what was sealed: all the time, bit by bit, and at once when somebody asks.

use super::{
    Finding, Kind, Standing, TILE,
    operations::{PRUNED, leads_on, register_file, signing_keys},
    queries::{self, Checked, Log, Row, Sealed},
    register::{Mark, Marks, Register},
    tree::{Missing, Nodes, Tree, fold, tiles_for},
};
use crate::{
    Actor, AppError, Ctx,
    audit_log::{Action, Event, Outcome, Stated},
    ids::WorkspaceId,
};
use send0_verify::{
    checkpoint::{self, Checkpoint},
    leaf,
    note::{self, Verifier},
};
use sqlx::PgConnection;
use time::Duration;

/// Events that are read at once.
const WINDOW: i64 = 5000;
/// Of these, how many are compared in one go: nobody else's call has that thread meanwhile.
const STEP: i64 = 512;
/// How often a log in which nothing happens is gone through again.
const QUIET: Duration = Duration::seconds(60);

/// Checks what is new in each log, and goes on with the pass through the whole of it. What is found is written down once, in the
/// log itself, and the viewer shows it from then on.
///
/// # Errors
/// The first error; the other logs are checked all the same.
pub async fn check_all(ctx: &Ctx) -> Result<(), AppError> {
    let keys = signing_keys(ctx).await?.verifiers();
    let mut register = ctx.register.all(register_file(ctx)?).await?;
    let now = ctx.clock.now();
    let mut done = Ok(());
    for log in queries::logs(&ctx.db.worker).await? {
        let (workspace, is_done) = (log.workspace, log.checked_to == log.size);
        let marks = register.remove(&workspace).unwrap_or_default();
        if is_done && log.checked_at.is_some_and(|at| now - at < QUIET) {
            continue;
        }
        let checked = check(ctx, &log, &keys, &marks).await;
        done = done.and(checked.inspect_err(|error| tracing::error!(%workspace, %error, "a log could not be checked")));
    }
    done
}

async fn check(ctx: &Ctx, log: &Log, keys: &[Verifier], marks: &Marks) -> Result<(), AppError> {
    let workspace = log.workspace;
    let (checked, before) = {
        let mut read = ctx.db.read_log(workspace).await?;
        let conn = read.conn();
        let Some(stored) = queries::tree(conn, workspace).await? else { return Ok(()) };
        let Some(standing) = queries::standing(conn, workspace).await? else { return Ok(()) };
        let checked = match &stored {
            Ok(sealed) => go_on(conn, log, sealed, &standing, (keys, marks)).await?,
            Err(torn) => not_at_all(conn, log, *torn, standing.failed).await?,
        };
        (checked, standing.failed)
    };
    queries::checked(&ctx.db.worker, workspace, &checked, ctx.clock.now()).await?;
    match checked.failed {
        Some(finding) if before != Some(finding) => tell(ctx, workspace, finding).await,
        _ => Ok(()),
    }
}

/// What is new, and one more part of the whole.
async fn go_on(
    conn: &mut PgConnection,
    log: &Log,
    sealed: &Sealed,
    standing: &Standing,
    (keys, marks): (&[Verifier], &Marks),
) -> Result<Checked, AppError> {
    let (workspace, tree, size, first) =
        (log.workspace, &sealed.tree, sealed.tree.size().cast_signed(), standing.first_seq);
    let new = (log.checked_to + 1).max(first);
    let to = size.min(new + WINDOW - 1);
    let from = queries::next_to_check(conn, workspace).await?.max(first);
    let until = size.min(from + WINDOW - 1);
    let is_looked_at =
        |seq| (from..=until).contains(&seq) || (new..=to).contains(&seq) || !(first..=size).contains(&seq);
    let is_kept = |finding: &Finding| finding.looked_at_with().is_some_and(|seq| !is_looked_at(seq));
    let found = [
        outside(conn, workspace, size).await?,
        signed(keys, workspace, sealed),
        receipted(conn, keys, workspace, first).await?,
        registered(conn, workspace, marks).await?,
        compare(conn, workspace, tree, new, to).await?,
        compare(conn, workspace, tree, from, until).await?,
        // What was found stays found until the pass has come by it again and finds it mended.
        standing.failed.filter(is_kept),
    ];
    let failed = found.into_iter().flatten().min_by_key(Finding::rank);
    let whole = until == size;
    Ok(Checked { to: to.max(log.checked_to), next_seq: if whole { 1 } else { until + 1 }, whole, failed })
}

/// Where the tree is none, there is nothing that anything could be held against.
async fn not_at_all(
    conn: &mut PgConnection,
    log: &Log,
    torn: Finding,
    before: Option<Finding>,
) -> Result<Checked, AppError> {
    let failed = before.into_iter().chain([torn]).min_by_key(Finding::rank);
    let next_seq = queries::next_to_check(conn, log.workspace).await?;
    Ok(Checked { to: log.checked_to, next_seq, whole: false, failed })
}

/// Says it in the log itself: whoever reads it, or takes it to their SIEM, learns of it.
async fn tell(ctx: &Ctx, workspace: WorkspaceId, finding: Finding) -> Result<(), AppError> {
    tracing::error!(%workspace, seq = finding.seq, kind = finding.kind.as_str(), "a log is not as it was sealed");
    let actor = Actor::jobs(workspace, "check");
    let event = Event::new(Action::AuditLogCheckFailed).because(Outcome::Failed, finding.kind.as_str()).change(
        "seq",
        None::<i64>,
        finding.seq,
    );
    ctx.log_call(&actor, event).await
}

/// What is wrong where nothing is sealed: an event where none can be, or none where the next to be sealed should be.
async fn outside(conn: &mut PgConnection, workspace: WorkspaceId, size: i64) -> Result<Option<Finding>, AppError> {
    let stray = queries::stray(conn, workspace).await?.map(|seq| Finding { seq, kind: Kind::Insert });
    let gap = queries::is_missing(conn, workspace, size + 1).await?;
    let gap = gap.then_some(Finding { seq: size + 1, kind: Kind::Delete });
    Ok([stray, gap].into_iter().flatten().min_by_key(|finding| finding.seq))
}

/// Whether the log leads on from what the register has of it.
async fn registered(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    marks: &Marks,
) -> Result<Option<Finding>, AppError> {
    let mut unmet: Vec<&Mark> = marks.broken.iter().collect();
    if let Some(mark) = &marks.newest
        && !leads_on(conn, workspace, mark.size, mark.root).await?
    {
        unmet.push(mark);
    }
    let least = unmet.iter().map(|mark| mark.size.cast_signed()).min();
    Ok(least.map(|seq| Finding { seq, kind: Kind::Register }))
}

/// Whether what is gone from the beginning went with a receipt: signed by us, of just these events of this log.
async fn receipted(
    conn: &mut PgConnection,
    keys: &[Verifier],
    workspace: WorkspaceId,
    first: i64,
) -> Result<Option<Finding>, AppError> {
    let last = first - 1;
    if last < 1 {
        return Ok(None);
    }
    let note = queries::receipt(conn, workspace, first).await?;
    // There are checkpoints of just as many events that are none.
    let note = note.filter(|note| note.lines().nth(3) == Some(PRUNED));
    let signed = note.and_then(|note| opened(keys, &note)).filter(|signed| {
        signed.origin == checkpoint::origin(&workspace.to_string()) && signed.size == last.unsigned_abs()
    });
    let is_ours = match signed {
        Some(signed) => leads_on(conn, workspace, signed.size, signed.root).await?,
        None => false,
    };
    Ok((!is_ours).then_some(Finding { seq: last, kind: Kind::Prune }))
}

/// What a note says, if one of these keys has signed it.
fn opened(keys: &[Verifier], note: &str) -> Option<Checkpoint> {
    note::open(note, keys).ok()?.parse().ok()
}

/// Whether the newest checkpoint is signed by one of ours and is of this tree.
fn signed(keys: &[Verifier], workspace: WorkspaceId, sealed: &Sealed) -> Option<Finding> {
    let Sealed { tree, root, note } = sealed;
    let is_ours = opened(keys, note).is_some_and(|signed| {
        signed.origin == checkpoint::origin(&workspace.to_string())
            && signed.size == tree.size()
            && signed.root == tree.root()
            && signed.root == root.as_slice()
    });
    (!is_ours).then_some(Finding { seq: tree.size().cast_signed(), kind: Kind::Checkpoint })
}

/// Compares the events between two numbers with their leaves, and the finished tiles among them with what stands above them.
pub(super) async fn compare(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    tree: &Tree,
    from: i64,
    to: i64,
) -> Result<Option<Finding>, AppError> {
    let to = to.min(tree.size().cast_signed());
    for from in (from..=to).step_by(STEP as usize) {
        let found = compare_step(conn, workspace, tree, from, to.min(from + STEP - 1)).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

async fn compare_step(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    tree: &Tree,
    from: i64,
    to: i64,
) -> Result<Option<Finding>, AppError> {
    let rows = queries::rows(conn, workspace, from, to, to - from + 1).await?;
    let whole = whole_tiles(tree, from, to);
    let mut wanted = queries::leaf_tiles(tree, from, to);
    wanted.extend(tiles_for(tree, |node| {
        parents(&whole).for_each(|(level, index)| _ = node(level, index));
    }));
    wanted.sort_unstable();
    wanted.dedup();
    let nodes = Nodes { tree, tiles: queries::tiles(conn, workspace, &wanted).await? };
    match first_unlike(workspace, &nodes, &rows, from, to).or_else(|| first_torn(&nodes, &whole)) {
        // What was pruned since is not missing.
        Some(gone) if gone.kind == Kind::Delete && is_pruned(conn, workspace, gone.seq).await? => Ok(None),
        found => Ok(found),
    }
}

async fn is_pruned(conn: &mut PgConnection, workspace: WorkspaceId, seq: i64) -> Result<bool, AppError> {
    let standing = queries::standing(conn, workspace).await?;
    Ok(standing.is_some_and(|standing| seq < standing.first_seq))
}

fn first_unlike(workspace: WorkspaceId, nodes: &Nodes<'_>, rows: &[Row], from: i64, to: i64) -> Option<Finding> {
    let mut expected = from;
    for row in rows {
        if row.seq != expected {
            return Some(Finding { seq: expected, kind: Kind::Delete });
        }
        if let Some(kind) = unlike(workspace, nodes, row) {
            return Some(Finding { seq: row.seq, kind });
        }
        expected += 1;
    }
    (expected <= to).then_some(Finding { seq: expected, kind: Kind::Delete })
}

fn unlike(workspace: WorkspaceId, nodes: &Nodes<'_>, row: &Row) -> Option<Kind> {
    match nodes.node(0, row.seq.unsigned_abs() - 1) {
        Err(Missing) => Some(Kind::Tree),
        Ok(leaf) => (leaf != row.leaf(workspace) || !keeps_its_word(workspace, row)).then_some(Kind::Edit),
    }
}

/// Compares single events with their leaves: those that somebody looks at.
pub(super) async fn compare_some(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    tree: &Tree,
    seqs: &[i64],
) -> Result<Option<Finding>, AppError> {
    let mut sealed: Vec<i64> =
        seqs.iter().copied().filter(|seq| (1..=tree.size().cast_signed()).contains(seq)).collect();
    sealed.sort_unstable();
    let rows = queries::some_rows(conn, workspace, &sealed).await?;
    let mut wanted: Vec<_> = sealed.iter().flat_map(|seq| queries::leaf_tiles(tree, *seq, *seq)).collect();
    wanted.dedup();
    let nodes = Nodes { tree, tiles: queries::tiles(conn, workspace, &wanted).await? };
    let found = rows.iter().find_map(|row| unlike(workspace, &nodes, row).map(|kind| Finding { seq: row.seq, kind }));
    Ok(found)
}

/// Whether the columns say what the body says, and what identifies people is what it commits to, unless it was erased.
fn keeps_its_word(workspace: WorkspaceId, row: &Row) -> bool {
    let Some(stated) = Stated::in_body(&row.body) else { return false };
    let columns =
        (row.event_id, row.action.as_str(), row.outcome.as_str(), row.actor_kind.as_str(), row.actor_id.as_str());
    let actor = &stated.actor;
    let body = (stated.id.0, stated.action.as_str(), stated.outcome.as_str(), actor.kind.as_str(), actor.id.as_str());
    let is_personal_whole = match (&row.personal, &row.salt) {
        (None, None) => true,
        (Some(personal), Some(salt)) => stated.commitment == leaf::commitment(salt, personal.as_bytes()),
        _ => false,
    };
    columns == body && stated.workspace == workspace && is_personal_whole
}

/// The finished tiles of leaves that end within these events.
fn whole_tiles(tree: &Tree, from: i64, to: i64) -> Vec<u64> {
    let (first, last) = ((from.unsigned_abs() - 1) / TILE, to.unsigned_abs() / TILE);
    (first..last.min(tree.size() / TILE)).collect()
}

/// For each tile the node above it, and where it is the last of 256, the ones above those.
fn parents(whole: &[u64]) -> impl Iterator<Item = (u8, u64)> {
    whole.iter().flat_map(|tile| {
        let mut found = vec![(8u8, *tile)];
        let (mut level, mut index) = (8u8, *tile);
        while (index + 1) % TILE == 0 && level < 48 {
            index /= TILE;
            // The tile whose last hash this was, by its own hashes and as it stands above.
            found.push((level, index * TILE));
            level += 8;
            found.push((level, index));
        }
        found
    })
}

/// A finished tile is what stands above it, all the way up.
fn first_torn(nodes: &Nodes<'_>, whole: &[u64]) -> Option<Finding> {
    let torn = |tile: &u64| {
        let own = nodes.tiles.get(&(0, *tile)).map(|hashes| fold(hashes));
        let mut fits = own.is_some() && nodes.node(8, *tile).ok() == own;
        let (mut level, mut index) = (1u8, *tile);
        while fits && (index + 1) % TILE == 0 {
            index /= TILE;
            let own = nodes.tiles.get(&(level, index)).map(|hashes| fold(hashes));
            level += 1;
            fits = own.is_some() && nodes.node(8 * level, index).ok() == own;
        }
        !fits
    };
    let tile = whole.iter().find(|tile| torn(tile))?;
    Some(Finding { seq: (tile * TILE + 1).cast_signed(), kind: Kind::Tree })
}

/// What the whole check of an installation found, for the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whose log.
    pub workspace: WorkspaceId,
    /// How far it is sealed; 0 when it is gone.
    pub size: i64,
    /// What does not fit, as a sentence.
    pub problem: Option<String>,
}

/// Goes through every event of every log, and holds every log against the register: one that vanished, or that is shorter or
/// other than what was signed once, is named.
///
/// # Errors
/// [`AppError::Unavailable`] when the database or the register cannot be read.
pub async fn check_everything(ctx: &Ctx) -> Result<Vec<Verdict>, AppError> {
    let keys = signing_keys(ctx).await?.verifiers();
    // All of it anew: what this process has read before may have been changed since.
    let mut register = Register::default().all(register_file(ctx)?).await?;
    let mut verdicts = Vec::new();
    for log in queries::logs(&ctx.db.worker).await? {
        let marks = register.remove(&log.workspace);
        let problem = match check_rows(ctx, &log, &keys).await? {
            Some(finding) => Some(finding.kind.sentence(finding.seq)),
            None => match marks {
                None => Some("The register does not know this log.".to_owned()),
                Some(marks) => against_register(ctx, &log, &keys, &marks).await?,
            },
        };
        verdicts.push(Verdict { workspace: log.workspace, size: log.size, problem });
    }
    verdicts.extend(register.into_keys().map(|workspace| Verdict {
        workspace,
        size: 0,
        problem: Some("The register knows this log; the database does not.".to_owned()),
    }));
    Ok(verdicts)
}

async fn check_rows(ctx: &Ctx, log: &Log, keys: &[Verifier]) -> Result<Option<Finding>, AppError> {
    let mut read = ctx.db.read_log(log.workspace).await?;
    let conn = read.conn();
    let sealed = match queries::tree(conn, log.workspace).await? {
        Some(Ok(sealed)) => sealed,
        Some(Err(torn)) => return Ok(Some(torn)),
        None => return Ok(None),
    };
    let Some(standing) = queries::standing(conn, log.workspace).await? else { return Ok(None) };
    let beyond = outside(conn, log.workspace, sealed.tree.size().cast_signed()).await?;
    if let Some(finding) = beyond.filter(|finding| finding.seq < standing.first_seq) {
        return Ok(Some(finding));
    }
    if let Some(finding) = receipted(conn, keys, log.workspace, standing.first_seq).await? {
        return Ok(Some(finding));
    }
    let mut from = standing.first_seq;
    while from <= standing.sealed_to {
        let to = from + WINDOW - 1;
        if let Some(finding) = compare(conn, log.workspace, &sealed.tree, from, to).await? {
            return Ok(Some(finding));
        }
        from = to + 1;
    }
    Ok(beyond.or_else(|| signed(keys, log.workspace, &sealed)))
}

async fn against_register(ctx: &Ctx, log: &Log, keys: &[Verifier], marks: &Marks) -> Result<Option<String>, AppError> {
    let mut read = ctx.db.read_log(log.workspace).await?;
    for mark in marks.broken.iter().chain(&marks.newest) {
        if opened(keys, &mark.note).is_none() {
            return Ok(Some("The register's checkpoint is signed by no known key.".to_owned()));
        }
        if mark.size > log.size.unsigned_abs() {
            return Ok(Some(format!("It was turned back: {} events were signed, {} are there.", mark.size, log.size)));
        }
        if !leads_on(read.conn(), log.workspace, mark.size, mark.root).await? {
            return Ok(Some(format!("Its history up to #{} is not what was signed.", mark.size)));
        }
    }
    Ok(marks
        .broken
        .first()
        .map(|mark| format!("Its history was not what was signed up to #{}, for a while.", mark.size)))
}
