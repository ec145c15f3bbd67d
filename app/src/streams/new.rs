//! The form that makes a stream, and the one time its secret is shown.

use super::{fields::fields, server_fns::CreateStream};
use crate::{
    cookies,
    forms::FormState,
    islands::CopyButton,
    page::{Inside, id_param, page, param},
    ui::{Banner, Button, ButtonKind, ButtonLink, PageHeader, SecretReveal, TextField, Tone},
    visit::set_cookie,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    audit_log::Action,
    flash::Flash,
    streams::{Kind, StreamView, operations},
};

/// As long as somebody may look at a new secret before they go on.
const SHOWN_SECONDS: u32 = 3600;

/// `/w/{slug}/streams/new`: what kind of target, then where it is.
#[component]
pub fn NewStream() -> impl IntoView {
    let kind = use_query_map().with_untracked(|query| query.get("kind")).and_then(|kind| kind.parse().ok());
    page("New stream", "streams", move |inside| async move {
        let newest = operations::newest(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        Ok::<_, AppError>(match kind {
            None => choice(&inside).into_any(),
            Some(kind) => form(&inside, kind, newest).into_any(),
        })
    })
}

fn choice(inside: &Inside) -> impl IntoView + use<> {
    let kinds = Kind::ALL.map(|kind| {
        let href = inside.path(&format!("streams/new?kind={kind}"));
        view! { <li><a href=href>{kind.label()}</a><p class="hint">{kind.sentence()}</p></li> }
    });
    view! {
        <PageHeader title="New stream" subtitle="Where does the audit log go?"/>
        <ul class="stack">{kinds.into_iter().collect_view()}</ul>
        <p><ButtonLink href=inside.path("streams") kind=ButtonKind::Quiet>"Cancel"</ButtonLink></p>
    }
}

fn form(inside: &Inside, kind: Kind, newest: i64) -> impl IntoView + use<> {
    let form = FormState::of::<CreateStream>(&inside.visit);
    let from = format!(
        "The number of the first event that is sent: 1 sends the whole log, up to #{newest} by now. Leave it empty to begin with the next one."
    );
    let content = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="kind" value=kind.as_str()/>
        {fields(&form, kind, None)}
        <TextField name="from" label="First event" hint=from inputmode="numeric" autocomplete="off" value=form.value("from") error=form.error("from")/>
        <div class="actions">
            <Button kind=ButtonKind::Primary>"Make the stream"</Button>
            <ButtonLink href=inside.path("streams/new") kind=ButtonKind::Quiet>"Another kind"</ButtonLink>
        </div>
    };
    let content = form.view(content);
    view! { <PageHeader title=format!("New stream: {}", kind.label()) subtitle=kind.sentence()/> {content} }
}

/// `/w/{slug}/streams/{id}/secret`: the one time the secret of a stream is shown. On reload and on Back it is gone.
#[component]
pub fn Secret() -> impl IntoView {
    let id = param("id");
    page("The secret of the stream", "streams", |inside| async move {
        let stream = operations::show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let flash = inside.visit.flash();
        let secret = match flash.as_deref() {
            Some(Flash::StreamSecret { id, secret }) if *id == stream.id => Some(secret.clone()),
            _ => None,
        };
        Ok::<_, AppError>(match secret {
            Some(secret) => reveal(&inside, &stream, secret).into_any(),
            None => gone(&inside, &stream).into_any(),
        })
    })
}

fn reveal(inside: &Inside, stream: &StreamView, secret: String) -> impl IntoView + use<> {
    set_cookie(cookies::set(cookies::SHOWN, "1", SHOWN_SECONDS));
    let copy = view! { <CopyButton text=secret.clone() label="Copy secret".to_owned()/> }.into_any();
    view! {
        <PageHeader title=stream.name.clone() subtitle="What is sent from now on is signed with this secret."/>
        <SecretReveal secret label=format!("The secret of {}", stream.name) kept="It is kept sealed." copy>
            <p>
                "Every library of Standard Webhooks checks the signature: over "<code>"webhook-id"</code>", "<code>"webhook-timestamp"</code>
                " and the body, exactly as it arrived, in "<code>"webhook-signature"</code>"."
            </p>
        </SecretReveal>
        <p><ButtonLink href=inside.path(&format!("streams/{}", stream.id))>"I have stored it"</ButtonLink></p>
    }
}

fn gone(inside: &Inside, stream: &StreamView) -> impl IntoView + use<> {
    view! {
        <PageHeader title=stream.name.clone()/>
        <Banner tone=Tone::Info title="The secret was shown once and cannot be shown again">
            <p>"If it was not stored, replace it on the page of the stream."</p>
        </Banner>
        <p><ButtonLink href=inside.path(&format!("streams/{}", stream.id))>"Go to the stream"</ButtonLink></p>
    }
}
