//! Making a workspace with its first owner, from the set-up link or the command line.

use super::{WorkspaceView, queries, slug_of};
use crate::{
    Actor, AppError, Ctx,
    accounts::{self, Proof, SignedIn, check_password, parse_email},
    actor::{Request, Who},
    api_keys::line,
    audit_log::{Action, Event, Outcome},
    contacts,
    error::Checks,
    ids::{MemberId, UserId, WorkspaceId},
    members,
    permissions::{Permission, Role},
    policies::{self, Policy},
    secrets, zones,
};
use secrecy::{ExposeSecret, SecretString};

const NAME_MAX: usize = 64;

/// The first owner of a workspace, as typed.
pub struct NewOwner {
    /// The workspace's name.
    pub workspace: String,
    /// How the person is called.
    pub name: String,
    /// Their mail address.
    pub email: String,
    /// Their password.
    pub password: SecretString,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Established {
    /// The owner.
    pub user: UserId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its name in URLs.
    pub slug: String,
}

struct Parsed {
    workspace: String,
    name: String,
    email: String,
}

impl NewOwner {
    fn parse(&self) -> Result<Parsed, AppError> {
        let mut checks = Checks::default();
        let workspace = checks.keep(line("workspace", &self.workspace, NAME_MAX));
        let name = checks.keep(line("name", &self.name, NAME_MAX));
        let email = checks.keep(parse_email("email", &self.email));
        let (of, within) = (email.as_deref().unwrap_or_default(), workspace.as_deref().unwrap_or_default());
        checks.keep(check_password("password", self.password.expose_secret(), of, &[within]));
        checks.finish()?;
        let (Some(workspace), Some(name), Some(email)) = (workspace, name, email) else {
            return Err(AppError::Internal);
        };
        Ok(Parsed { workspace, name, email })
    }
}

/// Whether nobody owns anything here yet.
pub async fn setup_needed(ctx: &Ctx) -> Result<bool, AppError> {
    queries::setup_needed(&ctx.db.auth).await
}

/// A token for the one link that may set the console up; it voids those before it. `None` once somebody owns a
/// workspace.
pub async fn offer_setup(ctx: &Ctx) -> Result<Option<SecretString>, AppError> {
    if !setup_needed(ctx).await? {
        return Ok(None);
    }
    let token = secrets::token();
    queries::offer_setup(&ctx.db.auth, &secrets::hash(token.expose_secret()), ctx.clock.now()).await?;
    Ok(Some(token))
}

/// Whether the set-up link still opens anything. Looking does not use it up.
pub async fn setup_offered(ctx: &Ctx, token: &str) -> Result<bool, AppError> {
    queries::setup_offered(&ctx.db.auth, &secrets::hash(token)).await
}

/// Makes the first workspace and its owner, using up the link. The form is sent by nobody known yet, so the event
/// names the person who came to be.
///
/// # Errors
/// [`AppError::Refused`] when the link is void; [`AppError::Invalid`] with every field that is wrong.
pub async fn set_up(ctx: &Ctx, request: &Request, token: &str, new: NewOwner) -> Result<Established, AppError> {
    let made = match setup_offered(ctx, token).await? {
        true => establish(ctx, request, new, WorkspaceId::new(), Some(token)).await,
        false => Err(void_link()),
    };
    // Void from the start, or used up by another form while this one was on its way.
    if let Err(AppError::Refused(_)) = &made {
        let event = Event::new(Action::SetupRefused).because(Outcome::Denied, "void_link");
        ctx.log_call(&Actor::anonymous(request.clone()), event).await?;
    }
    made
}

fn void_link() -> AppError {
    AppError::Refused("This set-up link is void: it was used, or the server has printed a newer one.".into())
}

/// Makes a workspace and its owner from the command line of the server.
pub async fn create_owner(ctx: &Ctx, request: &Request, new: NewOwner) -> Result<Established, AppError> {
    establish(ctx, request, new, WorkspaceId::new(), None).await
}

/// The same under an id for which a [`crate::database::DemoClock`] has begun.
pub async fn create_demo(
    ctx: &Ctx,
    request: &Request,
    new: NewOwner,
    workspace: WorkspaceId,
) -> Result<Established, AppError> {
    establish(ctx, request, new, workspace, None).await
}

async fn establish(
    ctx: &Ctx,
    request: &Request,
    new: NewOwner,
    workspace: WorkspaceId,
    token: Option<&str>,
) -> Result<Established, AppError> {
    let parsed = new.parse()?;
    let password_hash = ctx.passwords.hash(new.password).await?;
    let now = ctx.clock.now();
    let (user, member) = (UserId::new(), MemberId::new());
    let who = match token {
        Some(_) => Who::User {
            id: user,
            name: parsed.name.clone(),
            role: Role::Owner,
            session: None,
            proof: Proof::of_everything(now),
        },
        None => Who::System("cli"),
    };
    let actor = Actor { workspace, who, request: request.clone() };
    let mut tx = ctx.db.change(&actor).await?;
    if let Some(token) = token
        && !queries::consume_setup(tx.conn(), &secrets::hash(token)).await?
    {
        return Err(void_link());
    }
    let slug = queries::insert(tx.conn(), workspace, &slug_of(&parsed.workspace), &parsed.workspace, now).await?;
    policies::insert(tx.conn(), workspace, Policy::NEW, now).await?;
    accounts::create_account(tx.conn(), user, &parsed.email, &parsed.name, &password_hash, now).await?;
    members::insert(tx.conn(), workspace, member, user, Role::Owner, now).await?;
    contacts::begin(tx.conn(), workspace, user, now).await?;
    let events = vec![created(workspace, &parsed.workspace, &slug, &parsed.email)];
    tx.commit_all(events, joined(member, user, &parsed.name, &parsed.email)).await?;
    Ok(Established { user, workspace, slug })
}

/// Makes a further workspace, owned by whoever makes it.
///
/// # Errors
/// [`AppError::Invalid`] for a name that cannot be one.
pub async fn create(ctx: &Ctx, request: &Request, signed_in: &SignedIn, name: &str) -> Result<Established, AppError> {
    let name = line("name", name, NAME_MAX)?;
    let (workspace, member, now) = (WorkspaceId::new(), MemberId::new(), ctx.clock.now());
    let who = Who::User {
        id: signed_in.user,
        name: signed_in.name.clone(),
        role: Role::Owner,
        session: Some(signed_in.session),
        proof: signed_in.proof,
    };
    let actor = Actor { workspace, who, request: request.clone() };
    let mut tx = ctx.db.change(&actor).await?;
    let slug = queries::insert(tx.conn(), workspace, &slug_of(&name), &name, now).await?;
    policies::insert(tx.conn(), workspace, Policy::NEW, now).await?;
    members::insert(tx.conn(), workspace, member, signed_in.user, Role::Owner, now).await?;
    contacts::begin(tx.conn(), workspace, signed_in.user, now).await?;
    let events = vec![created(workspace, &name, &slug, &signed_in.email)];
    tx.commit_all(events, joined(member, signed_in.user, &signed_in.name, &signed_in.email)).await?;
    Ok(Established { user: signed_in.user, workspace, slug })
}

fn created(workspace: WorkspaceId, name: &str, slug: &str, contact: &str) -> Event {
    Event::new(Action::WorkspaceCreated)
        .on("workspace", workspace, Some(name))
        .change("name", None::<String>, name)
        .change("slug", None::<String>, slug)
        .change("security_contact", None::<String>, contact)
}

fn joined(member: MemberId, user: UserId, name: &str, email: &str) -> Event {
    Event::new(Action::MemberJoined)
        .on("member", member, Some(name))
        .on("user", user, Some(name))
        .change("role", None::<String>, Role::Owner.as_str())
        .change("email", None::<String>, email)
}

/// Whether the actor may change the workspace; a page asks before it shows a form.
pub async fn may_update(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<(), AppError> {
    ctx.authorise(actor, Permission::WorkspaceUpdate, attempted).await
}

/// Gives the workspace another name. Its name in URLs stays: links to it are in mails and notes.
///
/// # Errors
/// [`AppError::Invalid`] for a name that cannot be one.
pub async fn rename(ctx: &Ctx, actor: &Actor, name: &str) -> Result<(), AppError> {
    let (permission, action) = (Permission::WorkspaceUpdate, Action::WorkspaceRenamed);
    ctx.authorise(actor, permission, action).await?;
    let name = line("name", name, NAME_MAX)?;
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, permission, action).await?;
    let before = queries::find(tx.conn(), actor.workspace).await?.ok_or(AppError::NotFound)?.name;
    if before == name {
        return Ok(());
    }
    queries::rename(tx.conn(), actor.workspace, &name).await?;
    let event = Event::new(action).under(permission).on("workspace", actor.workspace, Some(&name));
    tx.commit(event.change("name", before, name)).await
}

/// Sets the time zone in which everybody in the workspace reads a deadline; empty: UTC.
///
/// # Errors
/// [`AppError::Invalid`] for a zone that there is not.
pub async fn set_time_zone(ctx: &Ctx, actor: &Actor, time_zone: &str) -> Result<(), AppError> {
    let (permission, action) = (Permission::WorkspaceUpdate, Action::TimeZoneChanged);
    ctx.authorise(actor, permission, action).await?;
    let time_zone = zones::parse("time_zone", time_zone)?;
    let mut tx = ctx.db.change(actor).await?;
    members::operations::present_role(ctx, actor, &mut tx, permission, action).await?;
    let before = queries::find(tx.conn(), actor.workspace).await?.ok_or(AppError::NotFound)?;
    if before.time_zone == time_zone {
        return Ok(());
    }
    queries::set_time_zone(tx.conn(), actor.workspace, &time_zone).await?;
    let event = Event::new(action).under(permission).on("workspace", actor.workspace, Some(&before.name));
    tx.commit(event.change("time_zone", before.time_zone, time_zone)).await
}

/// The workspace that the actor is in.
pub async fn show(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<WorkspaceView, AppError> {
    ctx.authorise(actor, Permission::WorkspaceRead, attempted).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::find(read.conn(), actor.workspace).await?.ok_or(AppError::NotFound)
}

/// Whether the actor may see the workspace, for whoever has it at hand already.
pub async fn may_read(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<(), AppError> {
    ctx.authorise(actor, Permission::WorkspaceRead, attempted).await
}

/// The workspace with this name in URLs, for the command line.
pub async fn by_slug(ctx: &Ctx, slug: &str) -> Result<WorkspaceId, AppError> {
    let mut read = ctx.db.read(WorkspaceId::PLATFORM).await?;
    queries::by_slug(read.conn(), slug).await?.ok_or(AppError::NotFound)
}
