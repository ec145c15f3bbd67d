use super::{OnPlan, Plan};
use crate::{AppError, ids::WorkspaceId};
use sqlx::PgConnection;
use time::OffsetDateTime;

fn plan(word: &str) -> Result<Plan, AppError> {
    word.parse().map_err(|()| AppError::Internal)
}

/// Those on plans, by name; of one workspace, that one if it is there.
pub(super) async fn on_plans(
    conn: &mut PgConnection,
    workspace: Option<WorkspaceId>,
    now: OffsetDateTime,
) -> Result<Vec<OnPlan>, AppError> {
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace_id!", slug as "slug!", name as "name!", plan as "plan!", created_at as "created_at!",
            members as "members!", keys as "keys!" from workspaces_on_plans($1, $2)"#,
        now,
        workspace.map(|workspace| workspace.0),
    );
    let view = rows.fetch_all(conn).await?.into_iter().map(|row| {
        Ok(OnPlan {
            workspace: WorkspaceId(row.workspace_id),
            slug: row.slug,
            name: row.name,
            plan: plan(&row.plan)?,
            created_at: row.created_at,
            members: row.members,
            keys: row.keys,
        })
    });
    view.collect()
}

pub(crate) async fn of(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<Plan>, AppError> {
    let word = sqlx::query_scalar!("select plan from workspaces where workspace_id = $1", workspace.0);
    word.fetch_optional(conn).await?.as_deref().map(plan).transpose()
}

/// The same, locked: whoever else sets it waits.
pub(crate) async fn lock(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Option<Plan>, AppError> {
    let word = sqlx::query_scalar!("select plan from workspaces where workspace_id = $1 for update", workspace.0);
    word.fetch_optional(conn).await?.as_deref().map(plan).transpose()
}

pub(super) async fn set(conn: &mut PgConnection, workspace: WorkspaceId, plan: Plan) -> Result<(), AppError> {
    sqlx::query!("update workspaces set plan = $2 where workspace_id = $1", workspace.0, plan.as_str())
        .execute(conn)
        .await?;
    Ok(())
}
