//! Which workspace is on which plan, and how operators change it.

use super::{Caps, OnPlan, Plan, WHY_MAX, queries};
use crate::{
    Actor, AppError, Ctx, FieldError,
    audit_log::{Action, Event},
    contacts,
    error::Checks,
    ids::WorkspaceId,
    intent::Intent,
    mail::notices,
    retention::{
        Waiting,
        operations::{Followed, follow_plan},
    },
    subprocessors::text,
};

/// What the workspace is on, for whoever has been let in already.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn of(ctx: &Ctx, workspace: WorkspaceId) -> Result<Plan, AppError> {
    queries::of(ctx.db.read(workspace).await?.conn(), workspace).await?.ok_or(AppError::NotFound)
}

/// Every workspace but send0's own, by name.
pub async fn all(ctx: &Ctx, actor: &Actor) -> Result<Vec<OnPlan>, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    queries::on_plans(ctx.db.read(actor.workspace).await?.conn(), None, ctx.clock.now()).await
}

/// One of them.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn show(ctx: &Ctx, actor: &Actor, workspace: WorkspaceId) -> Result<OnPlan, AppError> {
    ctx.authorise_operator(actor, Action::PageViewed).await?;
    find(ctx, actor, workspace).await
}

async fn find(ctx: &Ctx, actor: &Actor, workspace: WorkspaceId) -> Result<OnPlan, AppError> {
    let mut read = ctx.db.read(actor.workspace).await?;
    queries::on_plans(read.conn(), Some(workspace), ctx.clock.now()).await?.pop().ok_or(AppError::NotFound)
}

/// Puts a workspace on another plan. Its contacts are told, and both logs have it.
///
/// # Errors
/// [`AppError::Invalid`] with every field that is wrong, also for the plan that it is on; [`AppError::NotFound`];
/// [`AppError::ProofNeeded`].
pub async fn set(ctx: &Ctx, actor: &Actor, workspace: WorkspaceId, plan: &str, why: &str) -> Result<OnPlan, AppError> {
    let action = Action::PlanChanged;
    ctx.authorise_operator(actor, action).await?;
    let of = find(ctx, actor, workspace).await?;
    let (plan, why) = parse(plan, why)?;
    check_is_another(of.plan, plan)?;
    let words = format!("Put {} ({}) on {} instead of {}: {why}", of.name, of.slug, plan.name(), of.plan.name());
    ctx.demand_proof(actor, about(action, &of), Intent::new(actor.workspace, words, workspace)).await?;
    ctx.vault.warm(workspace).await?;
    let mut tx = ctx.db.change(&Actor { workspace, ..actor.clone() }).await?;
    let before = queries::lock(tx.conn(), workspace).await?.ok_or(AppError::NotFound)?;
    // Somebody else may have been faster.
    check_is_another(before, plan)?;
    let Followed { days, waiting } = follow_plan(tx.conn(), workspace, plan, ctx.clock.now()).await?;
    queries::set(tx.conn(), workspace, plan).await?;
    let told = contacts::told(tx.conn(), workspace, None).await?;
    let (subject, letter) =
        (format!("you are on {} now", plan.name()), letter(&of.name, (before, plan), &why, waiting));
    let link = format!("{}/w/{}", ctx.origin, told.slug);
    notices::sealed_with(ctx, workspace, &told, (&subject, &letter), link).await?.put(tx.conn()).await?;
    let mut event = about(action, &of).change("plan", before.as_str(), plan.as_str()).change("why", None::<&str>, why);
    if days.0 != days.1 {
        event = event.change("audit_days", days.0, days.1);
    }
    tx.also_on_platform(event.clone()).await?;
    tx.commit(event).await?;
    Ok(OnPlan { plan, ..of })
}

fn parse(plan: &str, why: &str) -> Result<(Plan, String), AppError> {
    let unknown = |()| FieldError::new("plan", "unknown_plan", "One of free, growth, scale, enterprise.");
    let mut checks = Checks::default();
    let plan = checks.keep(plan.parse().map_err(unknown));
    let why = checks.keep(text("why", why, WHY_MAX));
    checks.finish()?;
    plan.zip(why).ok_or(AppError::Internal)
}

fn check_is_another(before: Plan, plan: Plan) -> Result<(), AppError> {
    match before == plan {
        true => Err(AppError::field("plan", "unchanged", format!("It is on {} already.", plan.name()))),
        false => Ok(()),
    }
}

fn about(action: Action, of: &OnPlan) -> Event {
    Event::new(action).on("workspace", of.workspace, Some(&of.name))
}

fn letter(name: &str, (before, plan): (Plan, Plan), why: &str, waiting: Option<Waiting>) -> String {
    let Caps { content_days, audit_days, members, keys } = plan.caps();
    let shorter = waiting.map(|waiting| {
        format!(
            "\n\nUntil {} nothing of the audit log is removed because of it. From then on, what is older than {} days is: export it \
             before, or place a legal hold.",
            waiting.until.date(),
            waiting.audit_days,
        )
    });
    format!(
        "{name} is on {} from now on. It was on {}.\n\n{why}\n\nWith {} come {members} members and {keys} API keys. The content of \
         messages is kept for {content_days} days and the audit log for at least {audit_days}.{}",
        plan.name(),
        before.name(),
        plan.name(),
        shorter.unwrap_or_default(),
    )
}
