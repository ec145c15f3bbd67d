//! The settings of a workspace, and making another one.

use super::server_fns::{CreateWorkspace, RenameWorkspace};
use crate::{
    forms::FormState,
    page::{account_page, page},
    plans, policies,
    ui::{Button, ButtonKind, ButtonLink, Fact, Facts, PageHeader, TextField, Times},
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
        operations::may_rename(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
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
            {two_factor}
            {plan}
            <Times/>
        })
    })
}
