//! Documents that are handed out one by one: to whoever is on the access list, for a while, once they have agreed to the terms.

use super::{Document, DocumentOffer, Grant, queries};
use crate::{
    Actor, AppError, Ctx, FieldError,
    accounts::{NAME_MAX, parse_email},
    actor::Request,
    api_keys::line,
    audit_log::{Action, Event},
    envelope::Place,
    error::Checks,
    ids::{DocumentId, GrantId, WorkspaceId},
    intent::Intent,
    mail::notices::account_notice_with,
    secrets,
    subprocessors::text,
    zones,
};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use time::Duration;

/// The largest document, in bytes.
pub const SIZE_MAX: usize = 10 * 1024 * 1024;
/// For how long access is given at most, in days.
pub const DAYS_MAX: i64 = 90;
const TERMS_MAX: usize = 4000;

/// A new document, as given to the command line.
pub struct NewDocument {
    /// What it is.
    pub title: String,
    /// What its file is called: its ending says what it is.
    pub file_name: String,
    /// What whoever gets it agrees to first.
    pub terms: String,
    /// What it holds.
    pub content: Vec<u8>,
}

/// What may be handed out, by the ending of the file.
const KINDS: [(&str, &str); 4] =
    [("pdf", "application/pdf"), ("txt", "text/plain"), ("md", "text/markdown"), ("csv", "text/csv")];

fn file(name: &str) -> Result<(String, &'static str), FieldError> {
    let refuse = |text: &str| Err(FieldError::new("file", "file_name", text.to_owned()));
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || name.len() > 100 || !name.chars().all(plain) {
        return refuse("At most 100 letters, digits, dots, underscores and hyphens.");
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match KINDS.iter().find(|(known, _)| *known == ending) {
        Some((_, media_type)) => Ok((name.to_owned(), media_type)),
        None => refuse("A file that ends in .pdf, .txt, .md or .csv."),
    }
}

/// Adds a document. Only whoever runs the server does.
///
/// # Errors
/// [`AppError::Invalid`] with everything that is wrong.
pub async fn add(ctx: &Ctx, request: &Request, new: NewDocument) -> Result<DocumentId, AppError> {
    let mut checks = Checks::default();
    let title = checks.keep(line("title", &new.title, 100));
    let file = checks.keep(file(&new.file_name));
    let terms = checks.keep(text("terms", &new.terms, TERMS_MAX));
    if new.content.is_empty() || new.content.len() > SIZE_MAX {
        checks.keep::<()>(Err(FieldError::new("file", "size", "Not empty, and at most 10 MB.")));
    }
    checks.finish()?;
    let (Some(title), Some((file_name, media_type)), Some(terms)) = (title, file, terms) else {
        return Err(AppError::Internal);
    };
    let id = DocumentId::new();
    let sealed = ctx.vault.seal(WorkspaceId::PLATFORM, &place(&id), &new.content).await?;
    let row = queries::NewRow {
        id,
        title: &title,
        file_name: &file_name,
        media_type,
        size: i32::try_from(new.content.len()).map_err(|_| AppError::Internal)?,
        sha256: Sha256::digest(&new.content).into(),
        terms: &terms,
        sealed: &sealed,
    };
    let mut tx = ctx.db.change(&Actor::cli(WorkspaceId::PLATFORM, request.clone())).await?;
    queries::add_document(tx.conn(), &row, ctx.clock.now()).await?;
    let event = Event::new(Action::DocumentAdded).on("document", id, Some(&title));
    tx.commit(event.change("sha256", None::<&str>, secrets::hex(&row.sha256))).await?;
    Ok(id)
}

fn place(id: &DocumentId) -> Place<'_> {
    Place { workspace: WorkspaceId::PLATFORM.0, table: "documents", column: "sealed", row: id.0.as_bytes() }
}

/// What anybody may ask for: that it is there, and what it is called.
pub async fn handed_out(ctx: &Ctx) -> Result<Vec<Document>, AppError> {
    let all = queries::documents(&ctx.db.auth).await?;
    Ok(all.into_iter().filter(|one| one.retired_at.is_none()).collect())
}

/// Every document, retired ones last.
pub async fn list(ctx: &Ctx, actor: &Actor) -> Result<Vec<Document>, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    queries::documents(&ctx.db.auth).await
}

/// One document and its access list, the newest entry first.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn show(ctx: &Ctx, actor: &Actor, id: DocumentId) -> Result<(Document, Vec<Grant>), AppError> {
    let one = list(ctx, actor).await?.into_iter().find(|one| one.id == id).ok_or(AppError::NotFound)?;
    let grants = queries::grants(ctx.db.read(actor.workspace).await?.conn(), id).await?;
    Ok((one, grants))
}

/// Hands a document out no more: every link to it is void.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Conflict`] when it is retired already; [`AppError::ProofNeeded`].
pub async fn retire(ctx: &Ctx, actor: &Actor, id: DocumentId) -> Result<Document, AppError> {
    let action = Action::DocumentRetired;
    ctx.authorise_operator(actor, action).await?;
    let (one, _) = show(ctx, actor, id).await?;
    let event = Event::new(action).on("document", id, Some(&one.title));
    let words = format!("Hand out no more: {}", one.title);
    ctx.demand_proof(actor, event.clone(), Intent::new(actor.workspace, words, id)).await?;
    let mut tx = ctx.db.change(actor).await?;
    if !queries::retire_document(tx.conn(), id, ctx.clock.now()).await? {
        return Err(AppError::Conflict(format!("{} is retired already.", one.title)));
    }
    tx.commit(event).await?;
    Ok(one)
}

/// Puts somebody on the access list of a document for some days, and mails them the link.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong; [`AppError::NotFound`] for a document that is not handed out;
/// [`AppError::ProofNeeded`].
pub async fn grant(ctx: &Ctx, actor: &Actor, id: DocumentId, email: &str, days: &str) -> Result<String, AppError> {
    let action = Action::DocumentGranted;
    ctx.authorise_operator(actor, action).await?;
    let (one, _) = show(ctx, actor, id).await?;
    if one.retired_at.is_some() {
        return Err(AppError::NotFound);
    }
    let mut checks = Checks::default();
    let email = checks.keep(parse_email("email", email));
    let days = checks.keep(parse_days(days));
    checks.finish()?;
    let (Some(email), Some(days)) = (email, days) else { return Err(AppError::Internal) };
    let event = Event::new(action).on("document", id, Some(&one.title)).change("email", None::<&str>, email.as_str());
    let words = format!("Give {email} access to {} for {days} days", one.title);
    ctx.demand_proof(actor, event.clone(), Intent::new(actor.workspace, words, (id, &email, days))).await?;
    let (now, token, grant) = (ctx.clock.now(), secrets::token(), GrantId::new());
    let until = now + Duration::days(days);
    let text = format!(
        "You have access to “{}” until {}. The link asks you to agree to its terms first. It is yours alone: do not pass it on.",
        one.title,
        zones::words("", until)
    );
    let link = format!("{}/documents/{}", ctx.origin, token.expose_secret());
    let letter = account_notice_with(ctx, &email, &one.title, &text, Some(link)).await?;
    let mut tx = ctx.db.change(actor).await?;
    let hash = secrets::hash(token.expose_secret());
    queries::add_grant(tx.conn(), (grant, id), &email, &hash, (now, until)).await?;
    letter.put(tx.conn()).await?;
    tx.commit(event.on("grant", grant, None).change("days", None::<i64>, days)).await?;
    Ok(email)
}

fn parse_days(text: &str) -> Result<i64, FieldError> {
    let days = text.trim().parse().ok().filter(|days| (1..=DAYS_MAX).contains(days));
    days.ok_or_else(|| FieldError::new("days", "out_of_range", format!("1 to {DAYS_MAX} days.")))
}

/// Takes somebody's access away, from the next request on.
///
/// # Errors
/// [`AppError::NotFound`] for an entry that opens nothing any more.
pub async fn revoke(ctx: &Ctx, actor: &Actor, id: GrantId) -> Result<DocumentId, AppError> {
    ctx.authorise_operator(actor, Action::DocumentRevoked).await?;
    let mut tx = ctx.db.change(actor).await?;
    let revoked = queries::revoke_grant(tx.conn(), id, ctx.clock.now()).await?;
    let (document, email) = revoked.ok_or(AppError::NotFound)?;
    let event = Event::new(Action::DocumentRevoked).on("document", document, None).on("grant", id, None);
    tx.commit(event.change("email", email, None::<&str>)).await?;
    Ok(document)
}

// Whoever has the link ---------------------------------------------------------------------------------------------

/// What the link opens. Looking agrees to nothing.
///
/// # Errors
/// [`AppError::NotFound`] for one that is void.
pub async fn offer(ctx: &Ctx, token: &str) -> Result<DocumentOffer, AppError> {
    queries::find_grant(&ctx.db.auth, &secrets::hash(token), ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// Agrees to the terms as they stand now, which are kept with the name. Agreeing again changes nothing.
///
/// # Errors
/// [`AppError::Invalid`] without a name, and without having said yes; [`AppError::Refused`] for a void link.
pub async fn accept(ctx: &Ctx, request: &Request, token: &str, name: &str, agreed: bool) -> Result<(), AppError> {
    let mut checks = Checks::default();
    let name = checks.keep(line("name", name, NAME_MAX));
    if !agreed {
        let text = "Without agreeing to the terms there is no document.";
        checks.keep::<()>(Err(FieldError::new("agreed", "required", text)));
    }
    checks.finish()?;
    let name = name.ok_or(AppError::Internal)?;
    let action = Action::DocumentTermsAccepted;
    let offer = open(ctx, request, token, action).await?;
    let mut tx = ctx.db.change(&Actor::anonymous(request.clone())).await?;
    if !queries::accept_terms(tx.conn(), &secrets::hash(token), &name, ctx.clock.now()).await? {
        return Ok(());
    }
    tx.commit(about(action, &offer).change("name", None::<&str>, name)).await
}

/// Hands the document out, and writes down that it did.
///
/// # Errors
/// [`AppError::Refused`] for a void link, and before the terms are agreed to.
pub async fn download(ctx: &Ctx, request: &Request, token: &str) -> Result<(DocumentOffer, Vec<u8>), AppError> {
    let action = Action::DocumentDownloaded;
    let offer = open(ctx, request, token, action).await?;
    let mut tx = ctx.db.change(&Actor::anonymous(request.clone())).await?;
    let Some(sealed) = queries::open_document(tx.conn(), &secrets::hash(token), ctx.clock.now()).await? else {
        drop(tx);
        let actor = Actor::anonymous(request.clone());
        let refusal = AppError::Refused("Agree to the terms first.".into());
        return ctx.refuse(&actor, about(action, &offer), "terms_not_accepted", refusal).await;
    };
    let content = ctx.vault.open(WorkspaceId::PLATFORM, &place(&offer.document), &sealed).await?;
    tx.commit(about(action, &offer)).await?;
    Ok((offer, content.to_vec()))
}

async fn open(ctx: &Ctx, request: &Request, token: &str, action: Action) -> Result<DocumentOffer, AppError> {
    match offer(ctx, token).await {
        Err(AppError::NotFound) => {
            let text = "This link is void: it is too old, or access was taken away. Ask whoever sent it.";
            let actor = Actor::anonymous(request.clone());
            ctx.refuse(&actor, Event::new(action), "void_link", AppError::Refused(text.into())).await
        }
        offer => offer,
    }
}

/// The network address and the mail address of whoever it was say more than a name that anybody can type.
fn about(action: Action, offer: &DocumentOffer) -> Event {
    Event::new(action).on("document", offer.document, Some(&offer.title)).on("grant", offer.grant, Some(&offer.email))
}
