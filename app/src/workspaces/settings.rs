//! The settings of a workspace, and making another one.

use super::server_fns::{CreateWorkspace, RenameWorkspace, SetTimeZone};
use crate::{
    forms::FormState,
    page::{Inside, account_page, page},
    plans, policies,
    ui::{Button, ButtonKind, ButtonLink, Fact, Facts, PageHeader, Section, Select, TextField, Times, time_zones},
};
use leptos::prelude::*;
use send0_core::{AppError, audit_log::Action, workspaces::operations};

/// `/workspaces/new`.
#[component]
pub fn NewWorkspace() -> impl IntoView {
    account_page("New workspace", |visit, _| async move {
        let form = FormState::of::<CreateWorkspace>(&visit);
        Ok::<_, AppError>(view! {
            <PageHeader title="New workspace" subtitle="With its own team, keys and audit log. You will be its owner."/>
            {form.view(view! {
                <TextField name="name" label="Name" hint="Your company or team, such as Acme." required=true autocomplete="organization"
                    value=form.value("name") error=form.error("name")/>
                <div class="actions">
                    <Button kind=ButtonKind::Primary>"Create workspace"</Button>
                    <ButtonLink href="/" kind=ButtonKind::Quiet>"Cancel"</ButtonLink>
                </div>
            })}
        })
    })
}

/// `/w/{slug}/settings`.
#[component]
pub fn Settings() -> impl IntoView {
    page("Settings", "settings", |inside| async move {
        operations::may_update(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let workspace = operations::show(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let two_factor = policies::section::section(&inside).await?;
        let plan = plans::section::section(&inside).await?;
        let form = FormState::of::<RenameWorkspace>(&inside.visit);
        let name = if form.is_refused() { form.value("name") } else { workspace.name.clone() };
        Ok::<_, AppError>(view! {
            <PageHeader title="Settings" subtitle="Of the workspace, for everybody in it."/>
            <Facts>
                <Fact label="Workspace id"><code>{workspace.id.to_string()}</code></Fact>
                <Fact label="Name in URLs"><code>{workspace.slug.clone()}</code></Fact>
            </Facts>
            {form.view(view! {
                <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
                <TextField name="name" label="Name" required=true autocomplete="organization" value=name error=form.error("name")
                    hint="The name in URLs stays as it is: links to it are in mails and notes."/>
                <div class="actions"><Button kind=ButtonKind::Primary>"Save"</Button></div>
            })}
            {time_zone(&inside, &workspace.time_zone)}
            {two_factor}
            {plan}
            <Times/>
        })
    })
}

fn time_zone(inside: &Inside, saved: &str) -> impl IntoView + use<> {
    let form = FormState::of::<SetTimeZone>(&inside.visit);
    let value = if form.is_refused() { form.value("time_zone") } else { saved.to_owned() };
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <Select name="time_zone" label="Time zone" choices=time_zones("UTC") value error=form.error("time_zone")/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Save time zone"</Button></div>
    };
    let form = form.view(fields);
    let text = "Those of notices are told in one time zone, on pages and in mails to your contacts: everybody here reads the same.";
    view! { <Section id="deadlines" title="Deadlines" text>{form}</Section> }
}
