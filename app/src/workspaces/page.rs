//! Set-up, the start page, and the overview of a workspace.

use super::server_fns::SetUp;
use crate::{
    accounts::page::unopened,
    audit_log::page::events_table,
    cookies,
    forms::FormState,
    page::{Inside, bare_page, page, path_in},
    ui::{Button, ButtonKind, ButtonLink, Fact, Facts, PageHeader, PasswordField, Section, TextField},
    visit::Visit,
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    accounts::PASSWORD_MIN,
    accounts::operations::memberships,
    api_keys,
    audit_log::{self, Action, Filter, Place},
    members,
    permissions::Permission,
    workspaces::operations,
};

/// `/`: on to where one belongs.
#[component]
pub fn Start() -> impl IntoView {
    bare_page("send0", |visit| async move {
        let Ok(signed_in) = visit.signed_in() else {
            leptos_axum::redirect("/sign-in");
            return Ok(().into_any());
        };
        let memberships = memberships(&visit.ctx, signed_in.user).await?;
        if let Some(first) = memberships.first() {
            leptos_axum::redirect(&path_in(&first.slug, ""));
        }
        Ok::<_, AppError>(
            view! { <h1>"No workspace"</h1><p>"You are in no workspace. Ask an owner to invite you."</p> }.into_any(),
        )
    })
}

/// `/setup`, reached through the one-time link, whose token is a cookie by now.
#[component]
pub fn SetUpPage() -> impl IntoView {
    bare_page("Set up", |visit| async move {
        let token = visit.cookie(cookies::SETUP).unwrap_or_default();
        if !operations::setup_needed(&visit.ctx).await? {
            leptos_axum::redirect("/sign-in");
        }
        let offered = operations::setup_offered(&visit.ctx, token).await?;
        Ok::<_, AppError>(if offered { set_up_form(&visit).into_any() } else { unopened().into_any() })
    })
}

fn set_up_form(visit: &Visit) -> impl IntoView + use<> {
    let form = FormState::of::<SetUp>(visit);
    view! {
        <div class="stack">
            <h1>"Set up send0"</h1>
            <p class="hint">"This makes your workspace and you its owner. The link you came by is void afterwards."</p>
        </div>
        {form.view(view! {
            <TextField name="workspace" label="Workspace" hint="Your company or team, such as Acme." required=true
                autocomplete="organization" value=form.value("workspace") error=form.error("workspace")/>
            <TextField name="name" label="Your name" required=true autocomplete="name" value=form.value("name") error=form.error("name")/>
            <TextField name="email" label="Mail address" kind="email" hint="You sign in with it." required=true autocomplete="username"
                value=form.value("email") error=form.error("email")/>
            <PasswordField name="password" label="Password" autocomplete="new-password" error=form.error("password")
                hint=format!("At least {PASSWORD_MIN} characters. A few words that only you would put together are best.")/>
            <Button kind=ButtonKind::Primary>"Create workspace"</Button>
        })}
    }
}

/// `/w/{slug}`.
#[component]
pub fn Overview() -> impl IntoView {
    page("Overview", "", |inside| async move {
        let workspace = operations::show(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let keys = keys_line(&inside).await?;
        let people = people_line(&inside).await?;
        let recent = recent(&inside).await?;
        Ok::<_, AppError>(view! {
            <PageHeader title=workspace.name.clone() subtitle=format!("You are {} here.", with_article(inside.here.role.as_str()))/>
            <Facts>
                <Fact label="Workspace id"><code>{workspace.id.to_string()}</code></Fact>
                {keys}
                {people}
            </Facts>
            {recent}
        })
    })
}

fn with_article(role: &str) -> String {
    let article = if role.starts_with(['a', 'o']) { "an" } else { "a" };
    format!("{article} {role}")
}

async fn keys_line(inside: &Inside) -> Result<Option<AnyView>, AppError> {
    if !inside.actor.may(Permission::KeysRead) {
        return Ok(None);
    }
    let page = api_keys::operations::list(
        &inside.visit.ctx,
        &inside.actor,
        None,
        api_keys::operations::LIMIT_MAX,
        Action::PageViewed,
    )
    .await?;
    let active = page.keys.iter().filter(|key| key.status == api_keys::Status::Active).count();
    let more = if page.older.is_some() { " or more" } else { "" };
    let keys = inside.path("api-keys");
    let first = (active == 0 && inside.actor.may(Permission::KeysIssue))
        .then(|| view! { " " <ButtonLink href=inside.path("api-keys/new")>"Issue the first key"</ButtonLink> });
    Ok(Some(
        view! { <Fact label="Active API keys"><a href=keys>{format!("{active}{more}")}</a>{first}</Fact> }.into_any(),
    ))
}

async fn people_line(inside: &Inside) -> Result<AnyView, AppError> {
    let page = members::operations::list(
        &inside.visit.ctx,
        &inside.actor,
        None,
        members::operations::LIMIT_MAX,
        Action::PageViewed,
    )
    .await?;
    let more = if page.older.is_some() { " or more" } else { "" };
    Ok(view! { <Fact label="Members">{format!("{}{more}", page.members.len())}</Fact> }.into_any())
}

/// How many events the overview shows.
const RECENT: u32 = 8;

async fn recent(inside: &Inside) -> Result<Option<AnyView>, AppError> {
    if !inside.actor.may(Permission::AuditRead) {
        return Ok(None);
    }
    let newest = Filter::default();
    let page =
        audit_log::operations::list(&inside.visit.ctx, &inside.actor, &newest, Place::Top, RECENT, Action::PageViewed)
            .await?;
    let (table, all) = (events_table(inside, page.events), inside.path("audit-log"));
    Ok(Some(
        view! {
            <Section id="recent" title="Recent events" text="Everything that was done or tried here, the newest first.">
                {table}
                <p><a href=all>"All events"</a></p>
            </Section>
        }
        .into_any(),
    ))
}
