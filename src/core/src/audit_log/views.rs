//! Searches that somebody wants to come back to: their own, and those that everybody in the workspace shares.

use super::{Action, Event, Query, QueryError, queries};
use crate::{
    Actor, AppError, Ctx, FieldError,
    api_keys::line,
    error::Checks,
    ids::{AuditViewId, UserId},
    permissions::Permission,
};

/// The most views of one person, and of a workspace.
pub const VIEWS_MAX: usize = 50;
/// The longest name, in characters.
pub const NAME_MAX: usize = 64;

/// A saved search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The id.
    pub id: AuditViewId,
    /// How it is called.
    pub name: String,
    /// In the language of queries.
    pub query: String,
    /// Whose it is; nobody's: the workspace's.
    pub owner: Option<UserId>,
    /// Whether the log opens with it, for its owner or for everybody who has no default of their own.
    pub is_default: bool,
}

impl View {
    /// Whether it is the workspace's.
    pub fn is_shared(&self) -> bool {
        self.owner.is_none()
    }
}

/// A view as a form has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewText {
    /// How it is to be called. A view of that name is replaced.
    pub name: String,
    /// In the language of queries.
    pub query: String,
    /// Whether it is the workspace's.
    pub shared: bool,
    /// Whether the log opens with it.
    pub default: bool,
}

/// The views that somebody has: their own and the workspace's, by name.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`.
pub async fn list(ctx: &Ctx, actor: &Actor, attempted: Action) -> Result<Vec<View>, AppError> {
    ctx.authorise(actor, Permission::AuditRead, attempted).await?;
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::views(read.conn(), actor.workspace, actor.user()).await
}

/// What the log opens with, if somebody has said so: their own default before the workspace's.
pub fn default_of(views: &[View]) -> Option<&View> {
    let defaults = || views.iter().filter(|view| view.is_default);
    defaults().find(|view| !view.is_shared()).or_else(|| defaults().next())
}

/// One view.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown id, another workspace's and another person's alike.
pub async fn show(ctx: &Ctx, actor: &Actor, id: AuditViewId, attempted: Action) -> Result<View, AppError> {
    let views = list(ctx, actor, attempted).await?;
    views.into_iter().find(|view| view.id == id).ok_or(AppError::NotFound)
}

/// Saves a view. One of the same name is replaced.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit.read`, and for a view of the workspace without `workspace.update`;
/// [`AppError::Invalid`] for a name or a query that cannot be kept; [`AppError::Conflict`] for too many.
pub async fn save(ctx: &Ctx, actor: &Actor, typed: &ViewText) -> Result<View, AppError> {
    let permission = may_change(ctx, actor, typed.shared, Action::AuditViewSaved).await?;
    let mut checks = Checks::default();
    let (name, query) = (checks.keep(line("name", &typed.name, NAME_MAX)), checks.keep(query(&typed.query)));
    checks.finish()?;
    let (Some(name), Some(query)) = (name, query) else { return Err(AppError::Internal) };
    let owner = if typed.shared { None } else { actor.user() };
    let mut tx = ctx.db.change(actor).await?;
    let views = queries::views_locked(tx.conn(), actor.workspace, owner).await?;
    let known = views.iter().find(|view| view.name == name);
    if known.is_none() && views.len() >= VIEWS_MAX {
        return Err(AppError::Conflict(format!("At most {VIEWS_MAX} views. Remove one that nobody needs.")));
    }
    let id = known.map_or_else(AuditViewId::new, |known| known.id);
    let view = View { id, name, query, owner, is_default: typed.default };
    if view.is_default {
        queries::no_default(tx.conn(), actor.workspace, owner).await?;
    }
    queries::put_view(tx.conn(), actor.workspace, &view, ctx.clock.now()).await?;
    tx.commit(saved(known, &view, permission)).await?;
    Ok(view)
}

/// Renames a view, and says whether the log opens with it. No change, no event.
///
/// # Errors
/// As [`save`]; [`AppError::NotFound`]; [`AppError::Conflict`] for a name that another view has.
pub async fn change(
    ctx: &Ctx,
    actor: &Actor,
    id: AuditViewId,
    new_name: &str,
    is_default: bool,
) -> Result<View, AppError> {
    let action = Action::AuditViewSaved;
    let before = show(ctx, actor, id, action).await?;
    let permission = may_change(ctx, actor, before.is_shared(), action).await?;
    let view = View { name: line("name", new_name, NAME_MAX)?, is_default, ..before };
    let mut tx = ctx.db.change(actor).await?;
    let views = queries::views_locked(tx.conn(), actor.workspace, view.owner).await?;
    let before = views.iter().find(|other| other.id == id).ok_or(AppError::NotFound)?;
    if views.iter().any(|other| other.id != id && other.name == view.name) {
        return Err(AppError::Conflict(format!("There is a view called {} already.", view.name)));
    }
    let view = View { query: before.query.clone(), ..view };
    if *before == view {
        return Ok(view);
    }
    if view.is_default {
        queries::no_default(tx.conn(), actor.workspace, view.owner).await?;
    }
    queries::put_view(tx.conn(), actor.workspace, &view, ctx.clock.now()).await?;
    tx.commit(saved(Some(before), &view, permission)).await?;
    Ok(view)
}

/// Removes a view.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Forbidden`] for one of the workspace without `workspace.update`.
pub async fn remove(ctx: &Ctx, actor: &Actor, id: AuditViewId) -> Result<View, AppError> {
    let action = Action::AuditViewRemoved;
    let view = show(ctx, actor, id, action).await?;
    let permission = may_change(ctx, actor, view.is_shared(), action).await?;
    let mut tx = ctx.db.change(actor).await?;
    if !queries::delete_view(tx.conn(), actor.workspace, id).await? {
        return Err(AppError::NotFound);
    }
    let event = Event::new(action).under(permission).on("audit_view", id, Some(&view.name));
    tx.commit(event.change("query", view.query.clone(), None::<String>)).await?;
    Ok(view)
}

/// Own views are for whoever reads the log; what everybody sees changes who may change the workspace.
async fn may_change(ctx: &Ctx, actor: &Actor, shared: bool, attempted: Action) -> Result<Permission, AppError> {
    ctx.authorise(actor, Permission::AuditRead, attempted).await?;
    if !shared {
        return Ok(Permission::AuditRead);
    }
    ctx.authorise(actor, Permission::WorkspaceUpdate, attempted).await?;
    Ok(Permission::WorkspaceUpdate)
}

fn saved(before: Option<&View>, view: &View, permission: Permission) -> Event {
    let mut event = Event::new(Action::AuditViewSaved).under(permission).on("audit_view", view.id, Some(&view.name));
    if before.is_none_or(|before| before.name != view.name) {
        event = event.change("name", before.map(|before| before.name.clone()), view.name.clone());
    }
    if before.is_none_or(|before| before.query != view.query) {
        event = event.change("query", before.map(|before| before.query.clone()), view.query.clone());
    }
    if before.map_or(view.is_default, |before| before.is_default != view.is_default) {
        event = event.change("default", before.map(|before| before.is_default), view.is_default);
    }
    if before.is_none() { event.change("shared", None::<bool>, view.is_shared()) } else { event }
}

fn query(text: &str) -> Result<String, FieldError> {
    let wrong = |errors: Vec<QueryError>| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        FieldError::new("query", "unreadable", errors.join(" "))
    };
    let query = Query::parse(text).map_err(wrong)?;
    if query.terms.is_empty() {
        return Err(FieldError::new("query", "required", "Search for something first; that can be saved."));
    }
    Ok(text.trim().to_owned())
}
