//! What proves the log, as files for whoever is signed in and may read it: the same as the API gives to keys. Like its pages they are no
//! events, so that another site that leads a browser here makes none.

use super::status_of;
use crate::attachment::attachment;
use app::page::{id_param, path_in};
use axum::{
    Extension, Json,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use send0_core::{
    Actor, AppError, Ctx,
    accounts::{SignedIn, operations::enter},
    actor,
    audit_log::operations::may_look,
    ids::EventId,
    sealing::operations as sealing,
};

/// `/w/{slug}/audit-log/checkpoint`: the newest checkpoint, a signed note (C2SP tlog-checkpoint).
pub async fn checkpoint(
    State(ctx): State<Ctx>,
    Extension(about): Extension<actor::Request>,
    who: Option<Extension<SignedIn>>,
    Path(slug): Path<String>,
) -> Response {
    let Some(Extension(who)) = who else { return Redirect::to("/sign-in").into_response() };
    answer(newest(&ctx, &about, &who, &slug).await)
}

async fn newest(ctx: &Ctx, about: &actor::Request, who: &SignedIn, slug: &str) -> Result<Response, AppError> {
    let actor = reader(ctx, about, who, slug).await?;
    let note = sealing::checkpoint(ctx, &actor).await?;
    // Its second line is the number of events that it covers.
    let size: String = note.lines().nth(1).unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let head = attachment("text/plain; charset=utf-8", &format!("checkpoint-{size}.txt"));
    Ok((head, note).into_response())
}

/// `/w/{slug}/audit-log/{event}/proof`: that the event is in the log that a checkpoint signs (RFC 9162), with that checkpoint.
pub async fn proof(
    State(ctx): State<Ctx>,
    Extension(about): Extension<actor::Request>,
    who: Option<Extension<SignedIn>>,
    Path((slug, event)): Path<(String, String)>,
) -> Response {
    let Some(Extension(who)) = who else { return Redirect::to("/sign-in").into_response() };
    match inclusion(&ctx, &about, &who, (&slug, &event)).await {
        // The page of the event says what is wrong with the log.
        Err(AppError::Conflict(_)) => Redirect::to(&path_in(&slug, &format!("audit-log/{event}"))).into_response(),
        made => answer(made),
    }
}

async fn inclusion(
    ctx: &Ctx,
    about: &actor::Request,
    who: &SignedIn,
    (slug, event): (&str, &str),
) -> Result<Response, AppError> {
    let actor = reader(ctx, about, who, slug).await?;
    let event: EventId = id_param(event)?;
    let proof = sealing::inclusion(ctx, &actor, event).await?;
    let head = attachment("application/json", &format!("event-{}-proof.json", proof.seq));
    Ok((head, Json(proof)).into_response())
}

/// Who asks, if they may.
async fn reader(ctx: &Ctx, about: &actor::Request, who: &SignedIn, slug: &str) -> Result<Actor, AppError> {
    let (actor, _) = enter(ctx, who, about, slug).await?;
    may_look(ctx, &actor).await?;
    Ok(actor)
}

fn answer(made: Result<Response, AppError>) -> Response {
    made.unwrap_or_else(|error| status_of(&error).into_response())
}
