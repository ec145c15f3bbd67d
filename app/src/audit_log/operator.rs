//! `/operator/log`: what happened on the platform, for send0's own staff.

use super::{
    event::event_page,
    page::{Shown, log_page},
    proof::proven,
    search::Asked,
};
use crate::page::{Operating, PLATFORM_LOG, id_param, operator_page, param};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    audit_log::{EventView, operations},
    sealing,
};

/// `/operator/log`. Every state of the filter is a URL.
#[component]
pub fn PlatformLog() -> impl IntoView {
    let query = use_query_map().get_untracked();
    operator_page("Log", |operating| async move {
        let asked = Asked::of(&query)?;
        let (ctx, actor) = (&operating.visit.ctx, &operating.actor);
        let finding = async {
            let limit = operations::LIMIT_DEFAULT;
            let found = operations::list_of_platform(ctx, actor, &asked.filter, asked.place, limit).await?;
            let proof = proof_of(&operating, &found.events).await?;
            Ok((found, proof))
        };
        let ((found, proof), facets) =
            futures::try_join!(finding, operations::facets_of_platform(ctx, actor, &asked.filter))?;
        // No plan, no retention: `retention::pruning` leaves this log alone.
        let kept = "Kept for good: nothing is removed from this log".to_owned();
        Ok(view! { {log_page(&of_platform(&operating), asked, found, facets, ().into_any(), kept)} {proof} })
    })
}

/// `/operator/log/{event}`.
#[component]
pub fn PlatformEvent() -> impl IntoView {
    let id = param("event");
    operator_page("Event", |operating| async move {
        let (ctx, actor) = (&operating.visit.ctx, &operating.actor);
        let event = operations::show_of_platform(ctx, actor, id_param(&id)?).await?;
        let around = operations::around_of_platform(ctx, actor, &event).await?;
        let proof = proof_of(&operating, std::slice::from_ref(&event)).await?;
        let shown = event_page(&of_platform(&operating), event, around)?;
        Ok(view! { {shown} {proof} })
    })
}

/// How far this log is proven, with what is shown of it looked at now.
async fn proof_of(operating: &Operating, events: &[EventView]) -> Result<AnyView, AppError> {
    let shown: Vec<i64> = events.iter().map(|event| event.seq).collect();
    let standing = sealing::operations::standing_of_platform(&operating.visit.ctx, &operating.actor, &shown).await?;
    Ok(proven(None, None, operating.now, standing))
}

fn of_platform(operating: &Operating) -> Shown {
    Shown {
        title: "Log",
        about: "Everything that was done or tried on the platform, and belongs to no workspace alone.",
        raw: "In full",
        base: PLATFORM_LOG.to_owned(),
        all: PLATFORM_LOG.to_owned(),
        tail: None,
        keys: None,
        now: operating.now,
    }
}
