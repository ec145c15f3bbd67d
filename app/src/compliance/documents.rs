//! `/documents`: where the link to a document leads. Terms first, then the file.

use super::server_fns::AcceptTerms;
use crate::{
    cookies,
    forms::FormState,
    page::bare_page,
    ui::{Button, ButtonKind, Checkbox, ExactTime, Fact, Facts, TextField, Times, bytes},
    visit::Visit,
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    compliance::{DocumentOffer, documents},
};

/// Where the file is posted for.
pub const DOWNLOAD: &str = "/documents/download";

/// `/documents`, reached through the link, whose token is a cookie by now.
#[component]
pub fn Handed() -> impl IntoView {
    bare_page("Document", |visit| async move {
        let token = visit.cookie(cookies::DOCUMENT).unwrap_or_default();
        Ok::<_, AppError>(match documents::offer(&visit.ctx, token).await {
            Err(AppError::NotFound) => void().into_any(),
            offer => handed(&visit, offer?),
        })
    })
}

fn handed(visit: &Visit, offer: DocumentOffer) -> AnyView {
    let size = bytes(offer.size.unsigned_abs().into());
    let step = if offer.is_accepted { download().into_any() } else { agree(visit, offer.terms) };
    view! {
        <div class="stack">
            <h1>{offer.title}</h1>
            <p class="hint">{format!("Handed out to {}, and to nobody else.", offer.email)}</p>
        </div>
        <Facts>
            <Fact label="File">{offer.file_name} ", " {size}</Fact>
            <Fact label="Opens until"><ExactTime at=offer.expires_at/></Fact>
        </Facts>
        {step}
        <Times/>
    }
    .into_any()
}

fn agree(visit: &Visit, terms: String) -> AnyView {
    let form = FormState::of::<AcceptTerms>(visit);
    let fields = view! {
        <TextField name="name" label="Your name" required=true autocomplete="name" value=form.value("name") error=form.error("name")
            hint="It is kept with the terms, as they stand here."/>
        <Checkbox name="agreed" label="I agree to these terms" required=true error=form.error("agreed")/>
        <Button kind=ButtonKind::Primary>"Agree"</Button>
    };
    let form = form.view(fields);
    view! {
        <h2>"Terms"</h2>
        <blockquote class="said"><p class="pre-line">{terms}</p></blockquote>
        {form}
    }
    .into_any()
}

/// Every download is written down, so it is no link.
fn download() -> impl IntoView {
    view! {
        <form method="post" action=DOWNLOAD>
            <Button kind=ButtonKind::Primary>"Download"</Button>
        </form>
        <p class="hint">"You have agreed to the terms. Every download is written down."</p>
    }
}

fn void() -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"This link is void"</h1>
            <p>"It is too old, or access was taken away. Ask whoever sent it."</p>
            <p><a href="/compliance">"Compliance"</a></p>
        </div>
    }
}
