//! Exports that the server writes by itself: asked for on the page, written to a file by a job, fetched within a day.

use super::{
    Action, Event, FilterText, Format, Outcome,
    export::{Asked, Exporter, Plan, Receipt, prepare},
    export_queries::{self as queries, Claimed, New},
    operations::criteria_in,
};
use crate::{Actor, AppError, Ctx, ids::ExportId, intent::Intent, permissions::Permission, secrets};
use futures::stream::{Stream, try_unfold};
use sha2::{Digest, Sha256};
use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};
use time::{Duration, OffsetDateTime};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncWriteExt},
};
use uuid::Uuid;

/// How many exports of a workspace are kept, with or without their files.
pub const KEPT: i32 = 20;
/// For how long a file can be fetched.
pub const FILE_LASTS: Duration = Duration::hours(24);
/// How long a worker has from one piece to the next, which takes far less.
pub(super) const LEASE: Duration = Duration::minutes(1);
/// How often one is begun before it is given up.
pub(super) const ATTEMPTS: i32 = 5;
/// The bytes of a file that are in memory at a time.
const CHUNK: usize = 64 * 1024;

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportState {
    /// Nobody writes it yet.
    Queued,
    /// It is being written.
    Running,
    /// It can be fetched until it expires.
    Done,
    /// Somebody wanted it no more.
    Cancelled,
    /// It was tried several times.
    Failed,
}

impl ExportState {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    pub(super) fn of(text: &str) -> Option<Self> {
        let all = [Self::Queued, Self::Running, Self::Done, Self::Cancelled, Self::Failed];
        all.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether it is still to come.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

/// An export as the page shows it.
#[derive(Clone, Debug)]
pub struct ExportView {
    /// Its id.
    pub id: ExportId,
    /// Who asked for it; `None` once they have left.
    pub by: Option<String>,
    /// What it is written in.
    pub format: Format,
    /// What was asked for.
    pub filter: FilterText,
    /// How far it is.
    pub state: ExportState,
    /// The first and the last event that are looked at.
    pub bounds: Option<(i64, i64)>,
    /// Up to which event it is written.
    pub next: i64,
    /// How many events are in it so far.
    pub rows: i64,
    /// How large it is so far.
    pub bytes: i64,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: Option<String>,
    /// What says that it is complete.
    pub receipt: Option<Receipt>,
    /// The name of its file, which nobody needs to know.
    pub(super) file: Option<Uuid>,
    /// When it was asked for.
    pub created_at: OffsetDateTime,
    /// When it was done, cancelled or given up.
    pub finished_at: Option<OffsetDateTime>,
    /// Until when it can be fetched.
    pub expires_at: Option<OffsetDateTime>,
}

impl ExportView {
    /// Whether there is a file to fetch.
    pub fn can_be_fetched(&self, now: OffsetDateTime) -> bool {
        self.state == ExportState::Done && self.file.is_some() && self.expires_at.is_some_and(|until| now < until)
    }

    /// How many events were looked at, and how many there are to look at.
    pub fn looked_at(&self) -> (u64, u64) {
        let Some((first, last)) = self.bounds else { return (0, 0) };
        let count = |until: i64| u64::try_from(until - first + 1).unwrap_or_default();
        (if self.next <= first { 0 } else { count(self.next) }, count(last))
    }

    /// What its file is called: `audit-log-1-1042.ndjson`.
    pub fn file_name(&self) -> String {
        let (first, last) = self.bounds.unwrap_or_default();
        format!("audit-log-{first}-{last}.{}", self.format.ending())
    }
}

/// Begins an export in the background. The event that says what is taken out is written now.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.export`; [`AppError::Invalid`] for an unknown format; [`AppError::Malformed`] for a
/// filter that cannot be read; [`AppError::ProofNeeded`]; [`AppError::Conflict`] while another one is being written.
pub async fn start(ctx: &Ctx, actor: &Actor, format: &str, text: &FilterText) -> Result<ExportId, AppError> {
    ctx.authorise(actor, Permission::AuditExport, Action::AuditLogExported).await?;
    if folder(ctx).is_none() {
        tracing::error!("there is no folder for exports");
        return Err(AppError::Unavailable);
    }
    let asked = Asked { format: format.parse()?, filter: text.parse()?, after: 0 };
    let by = actor.user().ok_or(AppError::Internal)?;
    let (plan, event) = prepare(ctx, actor, &asked).await?;
    let filter = serde_json::to_value(text).map_err(|_| AppError::Internal)?;
    let new = New { id: ExportId::new(), by, format: plan.format, filter: &filter, bounds: plan.bounds };
    let mut tx = ctx.db.change(actor).await?;
    if !queries::insert(tx.conn(), actor.workspace, &new, ctx.clock.now()).await? {
        drop(tx);
        let words = "Another export of this log is being written. Wait until it is done, or cancel it.";
        return ctx.refuse(actor, event, "another_export", AppError::Conflict(words.into())).await;
    }
    tx.commit(event.on("export", new.id, None)).await?;
    Ok(new.id)
}

/// The newest exports of the workspace, by whomever.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.export`.
pub async fn list(ctx: &Ctx, actor: &Actor) -> Result<Vec<ExportView>, AppError> {
    ctx.authorise(actor, Permission::AuditExport, Action::PageViewed).await?;
    queries::list(ctx.db.read(actor.workspace).await?.conn(), actor.workspace, None, KEPT.into()).await
}

async fn find(ctx: &Ctx, actor: &Actor, id: ExportId) -> Result<ExportView, AppError> {
    let found = queries::list(ctx.db.read(actor.workspace).await?.conn(), actor.workspace, Some(id), 1).await?;
    found.into_iter().next().ok_or(AppError::NotFound)
}

/// Stops an export. What is written of it is removed.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Conflict`] when there is nothing to stop any more.
pub async fn cancel(ctx: &Ctx, actor: &Actor, id: ExportId) -> Result<(), AppError> {
    let action = Action::AuditExportCancelled;
    ctx.authorise(actor, Permission::AuditExport, action).await?;
    let export = find(ctx, actor, id).await?;
    let mut tx = ctx.db.change(actor).await?;
    if !queries::cancel(tx.conn(), actor.workspace, id, ctx.clock.now()).await? {
        return Err(AppError::Conflict("This export is not being written any more.".into()));
    }
    let event = Event::new(action).under(Permission::AuditExport).on("export", id, None);
    tx.commit(event.change("rows", None::<i64>, export.rows)).await
}

/// Hands out the file of an export, in chunks, and writes down that it did.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::ProofNeeded`]; [`AppError::Refused`] when there is no file yet, or none any more.
pub async fn download(
    ctx: &Ctx,
    actor: &Actor,
    id: ExportId,
) -> Result<(ExportView, impl Stream<Item = io::Result<Vec<u8>>> + Send + use<>), AppError> {
    let action = Action::AuditExportDownloaded;
    ctx.authorise(actor, Permission::AuditExport, action).await?;
    let export = find(ctx, actor, id).await?;
    let event = Event::new(action).under(Permission::AuditExport).on("export", id, None);
    let file = match (folder(ctx), export.file) {
        (Some(folder), Some(file)) if export.can_be_fetched(ctx.clock.now()) => {
            File::open(path(&folder, file)).await.ok()
        }
        _ => None,
    };
    let Some(file) = file else {
        let refusal =
            AppError::Refused("The file of this export is not here: it expired, or was never finished.".into());
        return ctx.refuse(actor, event, "no_file", refusal).await;
    };
    // Whoever has the file has the log: for a day, an open session alone must not be enough, no more than to have it written.
    let words = format!("Download the export of the audit log as {}", export.format.as_str().to_uppercase());
    ctx.demand_proof(actor, event.clone(), Intent::new(actor.workspace, words, id)).await?;
    ctx.log_call(actor, event.change("sha256", None::<&str>, export.sha256.clone())).await?;
    Ok((export, try_unfold(file, chunk)))
}

async fn chunk(mut file: File) -> io::Result<Option<(Vec<u8>, File)>> {
    let mut chunk = vec![0; CHUNK];
    let read = file.read(&mut chunk).await?;
    chunk.truncate(read);
    Ok((read > 0).then_some((chunk, file)))
}

// The job ----------------------------------------------------------------------------------------------------------

/// What was written.
pub(super) struct Written {
    pub at: i64,
    pub bytes: i64,
    pub sha256: [u8; 32],
    pub receipt: Receipt,
}

/// Writes the export that has waited longest, if there is one. Returns whether there was. Any number of workers may do this:
/// one whose worker died begins anew when the lease is over.
///
/// # Errors
/// [`AppError::Unavailable`] when the database cannot be asked.
pub async fn work(ctx: &Ctx) -> Result<bool, AppError> {
    let Some(folder) = folder(ctx) else { return Ok(false) };
    let (file, now) = (Uuid::new_v4(), ctx.clock.now());
    let Some(export) = queries::claim(&ctx.db.worker, file, now, now + LEASE).await? else { return Ok(false) };
    // Who never came back from it, time after time, would not this time either.
    if export.attempts > ATTEMPTS {
        give_up(ctx, &export).await?;
        return Ok(true);
    }
    let path = path(&folder, file);
    let settled = match write(ctx, &path, &export).await {
        Ok(Some(written)) => finish(ctx, &export, &written).await?,
        Ok(None) => false,
        Err(error) => {
            tracing::warn!(export = %export.id, attempts = export.attempts, %error, "an export could not be written");
            give_up(ctx, &export).await?;
            false
        }
    };
    if !settled {
        // Somebody else has it, or nobody wants it. The sweep finds what stays here.
        let _ = fs::remove_file(&path).await;
    }
    Ok(true)
}

/// `None`: it was cancelled, or is another worker's by now.
async fn write(ctx: &Ctx, path: &Path, export: &Claimed) -> Result<Option<Written>, AppError> {
    let mut exporter = Exporter::new(plan(ctx, export).await?);
    let mut file = create(path).await.map_err(unwritable)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0_i64);
    while let Some(piece) = exporter.next(ctx).await? {
        file.write_all(&piece).await.map_err(unwritable)?;
        hash.update(&piece);
        bytes += i64::try_from(piece.len()).unwrap_or_default();
        let so_far = (exporter.at, exporter.count, bytes);
        if !queries::progress(&ctx.db.worker, export, so_far, ctx.clock.now() + LEASE).await? {
            return Ok(None);
        }
    }
    // On the disk before anybody is told.
    file.sync_all().await.map_err(unwritable)?;
    let receipt = exporter.receipt().ok_or(AppError::Internal)?.clone();
    Ok(Some(Written { at: exporter.at, bytes, sha256: hash.finalize().into(), receipt }))
}

async fn plan(ctx: &Ctx, export: &Claimed) -> Result<Plan, AppError> {
    let text: FilterText = serde_json::from_value(export.filter.clone()).map_err(|_| AppError::Internal)?;
    let asked = Asked { format: export.format, filter: text.parse()?, after: 0 };
    let criteria = criteria_in(ctx, export.workspace, &asked.filter).await?;
    Ok(Plan::new(export.workspace, &asked, criteria, export.bounds))
}

/// A file that nobody but the server's own account reads.
async fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await
}

fn unwritable(error: io::Error) -> AppError {
    tracing::error!(%error, "the file of an export cannot be written");
    AppError::Unavailable
}

/// Where the files lie, and nothing else does.
pub(super) fn folder(ctx: &Ctx) -> Option<PathBuf> {
    ctx.folder.as_ref().map(|folder| folder.join("exports"))
}

fn path(folder: &Path, file: Uuid) -> PathBuf {
    folder.join(file.simple().to_string())
}

async fn finish(ctx: &Ctx, export: &Claimed, written: &Written) -> Result<bool, AppError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.change(&Actor::jobs(export.workspace, "audit-export")).await?;
    if !queries::finish(tx.conn(), export, written, (now, now + FILE_LASTS)).await? {
        return Ok(false);
    }
    let event = Event::new(Action::AuditExportFinished)
        .on("export", export.id, None)
        .change("rows", None::<i64>, written.receipt.count)
        .change("sha256", None::<&str>, secrets::hex(&written.sha256));
    tx.commit(event).await?;
    Ok(true)
}

/// Until the lease is over nobody tries again; after the last time nobody does.
async fn give_up(ctx: &Ctx, export: &Claimed) -> Result<(), AppError> {
    if export.attempts < ATTEMPTS {
        return Ok(());
    }
    let mut tx = ctx.db.change(&Actor::jobs(export.workspace, "audit-export")).await?;
    if !queries::fail(tx.conn(), export, ctx.clock.now()).await? {
        return Ok(());
    }
    let event = Event::new(Action::AuditExportFinished).because(Outcome::Failed, "not_written");
    tx.commit(event.on("export", export.id, None)).await
}

/// Removes files of exports that have expired or were cancelled, and any that belongs to none.
///
/// # Errors
/// [`AppError::Unavailable`] when the database cannot be asked, or the folder not be read.
pub async fn sweep(ctx: &Ctx) -> Result<(), AppError> {
    let Some(folder) = folder(ctx) else { return Ok(()) };
    // Read first: a file that is made from now on is not among them.
    let there = files(&folder).await.map_err(unwritable)?;
    let known = queries::sweep(&ctx.db.worker, ctx.clock.now(), KEPT).await?;
    let known: HashSet<PathBuf> = known.into_iter().map(|file| path(&folder, file)).collect();
    for file in there.into_iter().filter(|file| !known.contains(file)) {
        fs::remove_file(&file).await.map_err(unwritable)?;
    }
    Ok(())
}

async fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = match fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(error),
    };
    let mut files = vec![];
    while let Some(entry) = entries.next_entry().await? {
        files.push(entry.path());
    }
    Ok(files)
}
