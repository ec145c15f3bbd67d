//! `/compliance/ask`, and the page to which the link in the mail leads.

use super::{
    parts::{kinds, state, thread, titles, wanted},
    server_fns::{AskAsVisitor, SendRequest, WriteMore},
};
use crate::{
    cookies,
    forms::FormState,
    page::bare_page,
    ui::{Banner, Button, ButtonKind, Select, TextArea, TextField, Times, Tone},
    visit::Visit,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    compliance::{
        ComplianceRequest, Document, MESSAGE_MAX, Message, RequestKind, RequestText, documents,
        requests::{self, Visitors},
    },
    flash::Flash,
};

/// `/compliance/ask`.
#[component]
pub fn Ask() -> impl IntoView {
    let (sent, kind) = use_query_map().with_untracked(|query| (query.get("sent").is_some(), query.get("kind")));
    bare_page("Ask about compliance", move |visit| async move {
        let documents = documents::handed_out(&visit.ctx).await?;
        let said = sent.then(|| {
            view! {
                <Banner tone=Tone::Info title="A mail is on its way">
                    <p>"Open its link within 72 hours to send the request. Nobody sees it before that."</p>
                </Banner>
            }
        });
        Ok::<_, AppError>(view! {
            <div class="stack">
                <h1>"Ask about compliance"</h1>
                <p class="hint">
                    "A data processing agreement, a questionnaire, a particular control or a document. Customers ask from their workspace instead, under Compliance."
                </p>
            </div>
            {said}
            {form(&visit, &documents, kind.unwrap_or_default())}
            <p><a href="/compliance">"What send0 says of each framework"</a></p>
        })
    })
}

fn form(visit: &Visit, documents: &[Document], kind: String) -> AnyView {
    let form = FormState::of::<AskAsVisitor>(visit);
    let kind = if form.is_refused() { form.value("kind") } else { kind };
    let which = (!documents.is_empty()).then(|| {
        view! {
            <Select name="document" label="Which document" choices=titles(documents) value=form.value("document") error=form.error("document")/>
        }
    });
    let fields = view! {
        <Select name="kind" label="What for" required=true choices=kinds(documents, false) value=kind error=form.error("kind")/>
        {which}
        <TextArea name="message" label="What exactly" required=true rows=4 value=form.value("message") error=form.error("message")
            hint=format!("At most {MESSAGE_MAX} characters.")/>
        <TextField name="name" label="Your name" required=true autocomplete="name" value=form.value("name") error=form.error("name")/>
        <TextField name="company" label="Company" required=true autocomplete="organization" value=form.value("company") error=form.error("company")/>
        <TextField name="email" label="Mail address" kind="email" required=true autocomplete="email" value=form.value("email") error=form.error("email")
            hint="The answer goes there."/>
        <Button kind=ButtonKind::Primary>"Send me the link"</Button>
    };
    form.view(fields)
}

/// `/compliance/requests`, reached through the link, whose token is a cookie by now.
#[component]
pub fn Asked() -> impl IntoView {
    bare_page("Your request", |visit| async move {
        let said = match visit.flash().as_deref() {
            Some(Flash::Notice(said)) => Some(view! { <Banner tone=Tone::Ok title=said.clone()/> }),
            _ => None,
        };
        let token = visit.cookie(cookies::REQUEST).unwrap_or_default();
        let documents = documents::handed_out(&visit.ctx).await?;
        let content = match requests::look(&visit.ctx, token).await {
            Err(AppError::NotFound) => void().into_any(),
            found => match found? {
                Visitors::Waiting(typed) => waiting(&visit, typed),
                Visitors::Sent(one, said) => sent(&visit, one, said, &documents),
            },
        };
        Ok::<_, AppError>(view! { {said} {content} })
    })
}

fn waiting(visit: &Visit, typed: RequestText) -> AnyView {
    let kind = typed.kind.parse().map_or("", RequestKind::words);
    let form = FormState::of::<SendRequest>(visit)
        .view(view! { <Button kind=ButtonKind::Primary>"Send the request"</Button> });
    view! {
        <div class="stack">
            <h1>"Your request"</h1>
            <p>{format!("{} of {} asks send0: {kind}. The answer goes to {}.", typed.name, typed.company, typed.email)}</p>
            <blockquote class="said"><p class="pre-line">{typed.message}</p></blockquote>
        </div>
        {form}
    }
    .into_any()
}

fn sent(visit: &Visit, one: ComplianceRequest, said: Vec<Message>, documents: &[Document]) -> AnyView {
    let more = (!one.state.is_over()).then(|| {
        let form = FormState::of::<WriteMore>(visit);
        let fields = view! {
            <TextArea name="message" label="Say more" required=true rows=4 value=form.value("message") error=form.error("message")/>
            <Button>"Send"</Button>
        };
        form.view(fields)
    });
    view! {
        <div class="stack">
            <h1>{wanted(&one, documents)}</h1>
            <p>{state(one.state)} {format!(" Answers go to {}.", one.email)}</p>
        </div>
        {thread(said)}
        {more}
        <Times/>
    }
    .into_any()
}

fn void() -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"This link is void"</h1>
            <p>"A newer one was mailed, or it is too old."</p>
            <p><a href="/compliance/ask">"Ask again"</a></p>
        </div>
    }
}
