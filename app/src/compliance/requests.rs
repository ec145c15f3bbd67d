//! `/w/{slug}/compliance`: what the workspace asks of send0, and what it answers.

use super::{
    parts::{kinds, state, thread, titles, wanted},
    server_fns::{MakeRequest, WriteOnRequest},
};
use crate::{
    forms::FormState,
    page::{Inside, id_param, page, param},
    ui::{
        Button, ButtonKind, Column, Empty, Fact, Facts, PageHeader, Section, Select, Table, TextArea, TimeAgo, Times,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::Action,
    compliance::{ComplianceRequest, Document, MESSAGE_MAX, documents, requests},
};

/// `/w/{slug}/compliance`.
#[component]
pub fn Requests() -> impl IntoView {
    page("Compliance", "compliance", |inside| async move {
        let ctx = &inside.visit.ctx;
        let all = requests::list(ctx, &inside.actor, Action::PageViewed).await?;
        let documents = documents::handed_out(ctx).await?;
        let subtitle = match all.iter().filter(|one| !one.state.is_over()).count() {
            0 => "No request is under way.".to_owned(),
            1 => "One request is under way.".to_owned(),
            open => format!("{open} requests are under way."),
        };
        let content = match all.is_empty() {
            true => nothing_yet().into_any(),
            false => table(&inside, all, &documents).into_any(),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Compliance" subtitle/>
            {content}
            <p><a href="/compliance">"What send0 says of each framework"</a></p>
            <Section id="ask" title="Ask for something" text="The answer stands here, and is mailed to you.">{form(&inside, &documents)}</Section>
            <Times/>
        })
    })
}

fn nothing_yet() -> impl IntoView {
    view! {
        <Empty title="No requests yet" text="Ask here for a data processing agreement, a BAA, the answers to a questionnaire, a particular control \
            or a document. What was said stays here for everybody who may ask."/>
    }
}

fn table(inside: &Inside, all: Vec<ComplianceRequest>, documents: &[Document]) -> impl IntoView + use<> {
    let head = ["Request", "Asked by", "State", "Last word"].map(Column::text).to_vec();
    let now = inside.now;
    let rows = all
        .into_iter()
        .map(|one| {
            let (href, wanted) = (inside.path(&format!("compliance/{}", one.id)), wanted(&one, documents));
            view! {
                <tr>
                    <th scope="row"><a href=href>{wanted}</a></th>
                    <td data-label="Asked by">{one.name}</td>
                    <td data-label="State">{state(one.state)}</td>
                    <td data-label="Last word"><TimeAgo at=one.changed_at now/></td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Requests" head>{rows}</Table> }
}

fn form(inside: &Inside, documents: &[Document]) -> impl IntoView + use<> {
    let form = FormState::of::<MakeRequest>(&inside.visit);
    let which = (!documents.is_empty()).then(|| {
        view! {
            <Select name="document" label="Which document" choices=titles(documents) value=form.value("document") error=form.error("document")/>
        }
    });
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <Select name="kind" label="What for" required=true choices=kinds(documents, true) value=form.value("kind") error=form.error("kind")
            hint="A BAA comes with the Scale plan and above."/>
        {which}
        <TextArea name="message" label="What exactly" required=true rows=4 value=form.value("message") error=form.error("message")
            hint=format!("For whom, by when, under which name. At most {MESSAGE_MAX} characters.")/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Send the request"</Button></div>
    };
    form.view(fields)
}

/// `/w/{slug}/compliance/{id}`.
#[component]
pub fn Request() -> impl IntoView {
    let id = param("id");
    page("Request", "compliance", |inside| async move {
        let ctx = &inside.visit.ctx;
        let (one, said) = requests::show(ctx, &inside.actor, id_param(&id)?).await?;
        let title = wanted(&one, &documents::handed_out(ctx).await?);
        let more = (!one.state.is_over()).then(|| more(&inside, &one));
        let (now, asked_at) = (inside.now, one.created_at);
        Ok::<_, AppError>(view! {
            <PageHeader title subtitle=format!("Answers go to {}.", one.email)/>
            <Facts>
                <Fact label="State">{state(one.state)}</Fact>
                <Fact label="Asked by">{one.name.clone()} ", " <TimeAgo at=asked_at now/></Fact>
                <Fact label="Id"><code>{one.id.to_string()}</code></Fact>
            </Facts>
            <Section id="said" title="What was said">{thread(said)}</Section>
            {more}
            <Times/>
        })
    })
}

fn more(inside: &Inside, one: &ComplianceRequest) -> impl IntoView + use<> {
    let form = FormState::of::<WriteOnRequest>(&inside.visit);
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=one.id.to_string()/>
        <TextArea name="message" label="Say more" required=true rows=4 value=form.value("message") error=form.error("message")/>
        <div class="actions"><Button>"Send"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="more" title="Say more">{form}</Section> }
}
