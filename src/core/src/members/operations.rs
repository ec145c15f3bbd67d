//! Reading the list of members.

use super::{Page, queries};
use crate::{Actor, AppError, Ctx, audit_log::Action, ids::MemberId, permissions::Permission};

/// The longest page.
pub const LIMIT_MAX: u32 = 100;

/// One page of members, newest first; after the one with the given id.
pub async fn list(
    ctx: &Ctx,
    actor: &Actor,
    after: Option<MemberId>,
    limit: u32,
    attempted: Action,
) -> Result<Page, AppError> {
    ctx.authorise(actor, Permission::MembersRead, attempted).await?;
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut read = ctx.db.read(actor.workspace).await?;
    let mut members = queries::page(read.conn(), actor.workspace, after, limit + 1).await?;
    let more = members.len() > limit as usize;
    members.truncate(limit as usize);
    let older = members.last().filter(|_| more).map(|member| member.id);
    Ok(Page { members, older })
}
