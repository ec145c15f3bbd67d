//! The list of keys, the form that issues one, the page that shows it once, and a key's own page.

use super::server_fns::{IssueKey, RevokeKey};
use crate::{
    cookies,
    forms::FormState,
    islands::CopyButton,
    page::{Inside, id_param, page, param},
    ui::{
        Badge, Banner, Button, ButtonKind, ButtonLink, CheckboxGroup, Choice, CodeBlock, Column, DangerZone, Empty,
        Fact, Facts, PageHeader, Pager, RadioCards, SecretReveal, Select, Status as Look, Table, Tag, TextField,
        TimeAgo, Times, Tone,
    },
    visit::set_cookie,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    api_keys::{KeyView, Kind, LIFETIMES, REASON_MAX, Status, operations},
    audit_log::Action,
    flash::Flash,
    ids::KeyId,
    permissions::Permission,
};
use time::OffsetDateTime;

const PAGE: u32 = 50;
/// As long as somebody may look at a new key before they go on.
const SHOWN_SECONDS: u32 = 3600;

/// `/w/{slug}/api-keys`.
#[component]
pub fn Keys() -> impl IntoView {
    let after = use_query_map().with_untracked(|query| query.get("cursor"));
    page("API keys", "api-keys", |inside| async move {
        let first_page = after.is_none();
        let after = after.map(|after| id_param::<KeyId>(&after)).transpose()?;
        let keys = operations::list(&inside.visit.ctx, &inside.actor, after, PAGE, Action::PageViewed).await?;
        let may_issue = inside.actor.may(Permission::KeysIssue);
        let issue = (may_issue && !keys.keys.is_empty()).then(|| {
            view! { <ButtonLink href=inside.path("api-keys/new") kind=ButtonKind::Primary>"Issue key"</ButtonLink> }
                .into_any()
        });
        let subtitle = summary(&keys.keys, keys.older.is_some(), first_page, inside.now);
        let older = keys.older.map(|id| inside.path(&format!("api-keys?cursor={id}")));
        let newer = (!first_page).then(|| inside.path("api-keys"));
        let content = if keys.keys.is_empty() {
            nothing_yet(&inside, may_issue)
        } else {
            view! { {table(&inside, keys.keys)} <Pager newer older/> }.into_any()
        };
        Ok::<_, AppError>(
            view! { <PageHeader title="API keys" subtitle action=issue.unwrap_or_else(|| ().into_any())/> {content} },
        )
    })
}

fn summary(keys: &[KeyView], more: bool, first_page: bool, now: OffsetDateTime) -> String {
    if !first_page {
        return "Older keys".into();
    }
    let active = keys.iter().filter(|key| key.status == Status::Active).count();
    let soon = |key: &&KeyView| {
        key.status == Status::Active && key.expires_at.is_some_and(|at| at - now < time::Duration::WEEK)
    };
    let expiring = keys.iter().filter(soon).count();
    let count = if more { format!("{active} or more active") } else { format!("{active} active") };
    if expiring == 0 {
        format!("{count}. Stored as a hash: a lost key cannot be shown again.")
    } else {
        format!("{count}, {expiring} of them within a week of expiry.")
    }
}

fn nothing_yet(inside: &Inside, may_issue: bool) -> AnyView {
    let text = "A key lets a program call the API for this workspace. Restricted keys do only what you choose.";
    if may_issue {
        let action = view! { <ButtonLink href=inside.path("api-keys/new") kind=ButtonKind::Primary>"Issue the first key"</ButtonLink> };
        return view! { <Empty title="No API keys yet" text action=action.into_any()/> }.into_any();
    }
    let text = format!("{text} Ask an owner, an admin or a developer to issue one.");
    view! { <Empty title="No API keys yet" text/> }.into_any()
}

fn table(inside: &Inside, keys: Vec<KeyView>) -> impl IntoView + use<> {
    let head = ["Name", "Key", "Scopes", "Issued by", "Last used", "Status"].map(Column::text).to_vec();
    let rows = keys.into_iter().map(|key| row(inside, key)).collect_view();
    view! { <Table caption="API keys" head>{rows}</Table> }
}

fn row(inside: &Inside, key: KeyView) -> impl IntoView + use<> {
    let now = inside.now;
    view! {
        <tr>
            <th scope="row"><a href=inside.path(&format!("api-keys/{}", key.id))>{key.name.clone()}</a></th>
            <td data-label="Key" class="sm:whitespace-nowrap"><code>{shown(&key)}</code></td>
            <td data-label="Scopes">{scopes_in_short(&key)}</td>
            <td data-label="Issued by">{issuer(&key)}</td>
            <td data-label="Last used">{last_use(&key, now)}</td>
            <td data-label="Status">{badge(&key)}</td>
        </tr>
    }
}

fn shown(key: &KeyView) -> String {
    format!("{}…{}", key.prefix, key.last4)
}

fn scopes_in_short(key: &KeyView) -> String {
    match (key.kind, key.scopes.len()) {
        (Kind::Live, _) => "all".into(),
        (_, 1) => "1 scope".into(),
        (_, count) => format!("{count} scopes"),
    }
}

fn issuer(key: &KeyView) -> String {
    match (&key.creator, key.created_by.as_str()) {
        (Some(name), _) => name.clone(),
        (None, "cli") => "command line".into(),
        (None, id) => id.to_owned(),
    }
}

fn last_use(key: &KeyView, now: OffsetDateTime) -> AnyView {
    match key.last_used_at {
        Some(at) => view! { <TimeAgo at now/> }.into_any(),
        None => view! { <span class="meta">"never"</span> }.into_any(),
    }
}

fn badge(key: &KeyView) -> impl IntoView + use<> {
    let look = match key.status {
        Status::Active => Look::Ok,
        Status::Expired | Status::Revoked => Look::Off,
    };
    view! { <Badge status=look word=key.status.as_str()/> }
}

/// `/w/{slug}/api-keys/new`.
#[component]
pub fn NewKey() -> impl IntoView {
    page("Issue a key", "api-keys", |inside| async move {
        operations::may_issue(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let form = FormState::of::<IssueKey>(&inside.visit);
        Ok::<_, AppError>(view! {
            <PageHeader title="Issue a key" subtitle="It is shown once, on the next page. We keep its hash and its last four characters."/>
            {form.view(view! {
                <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
                <TextField name="name" label="Name" hint="Where it will be used: CI deploy, billing service." required=true autocomplete="off"
                    value=form.value("name") error=form.error("name")/>
                <RadioCards name="kind" legend="Kind" choices=kinds(&inside) value=chosen_kind(&form) error=form.error("kind")/>
                <CheckboxGroup name="scopes" legend="Scopes of a restricted key" hint="Live and test keys do not look at these."
                    choices=scopes(&inside) values=form.values("scopes[]") error=form.error("scopes")/>
                <Select name="mode" label="Messages that a restricted key sees" required=true value=form.value("mode") error=form.error("mode")
                    choices=vec![Choice::new("live", "Live messages"), Choice::new("test", "Test messages")]/>
                <Select name="lifetime" label="Expires" required=true value=form.value("lifetime") error=form.error("lifetime") choices=lifetimes()/>
                <div class="actions">
                    <Button kind=ButtonKind::Primary>"Issue key"</Button>
                    <ButtonLink href=inside.path("api-keys") kind=ButtonKind::Quiet>"Cancel"</ButtonLink>
                </div>
            })}
        })
    })
}

/// Only what the person's own role lets a key have.
fn kinds(inside: &Inside) -> Vec<Choice> {
    let all = Permission::scopes().all(|scope| inside.actor.may(scope));
    let live = all.then(|| Choice::new("live", "Live").hint("Everything a key can do, on real messages."));
    let test = Choice::new("test", "Test").hint("Test messages only. Nothing leaves the machine.");
    let restricted =
        Choice::new("restricted", "Restricted").hint("Only the scopes chosen below. The safest choice for one job.");
    [Some(restricted), Some(test), live].into_iter().flatten().collect()
}

fn chosen_kind(form: &FormState) -> String {
    Some(form.value("kind")).filter(|kind| !kind.is_empty()).unwrap_or_else(|| "restricted".into())
}

fn scopes(inside: &Inside) -> Vec<Choice> {
    Permission::scopes()
        .filter(|scope| inside.actor.may(*scope))
        .map(|scope| Choice::new(scope.as_str(), scope.as_str()).hint(scope.sentence()))
        .collect()
}

fn lifetimes() -> Vec<Choice> {
    let after = LIFETIMES.map(|days| Choice::new(days.to_string(), format!("After {days} days")));
    after.into_iter().chain([Choice::new("", "Never")]).collect()
}

/// `/w/{slug}/api-keys/{id}/secret`: the one time a key is shown. On reload and on Back it is gone.
#[component]
pub fn Secret() -> impl IntoView {
    let id = param("id");
    page("The new key", "api-keys", |inside| async move {
        operations::may_issue(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let key = operations::show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let flash = inside.visit.flash();
        let secret = match flash.as_deref() {
            Some(Flash::Key { id, key: secret }) if *id == key.id => Some(secret.clone()),
            _ => None,
        };
        Ok::<_, AppError>(match secret {
            Some(secret) => reveal(&inside, &key, secret).into_any(),
            None => gone(&inside, &key).into_any(),
        })
    })
}

fn reveal(inside: &Inside, key: &KeyView, secret: String) -> impl IntoView + use<> {
    set_cookie(cookies::set(cookies::SHOWN, "1", SHOWN_SECONDS));
    let host = inside.visit.parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost:3000");
    let curl = format!("curl http://{host}/v1/workspace -H 'Authorization: Bearer {secret}'");
    let copy = view! { <CopyButton text=secret.clone() label="Copy key".to_owned()/> }.into_any();
    let copy_curl = view! { <CopyButton text=curl.clone() label="Copy command".to_owned()/> }.into_any();
    view! {
        <PageHeader title=key.name.clone() subtitle="Issued just now. It works already."/>
        <SecretReveal secret label=format!("The key {}", key.name) copy>
            <CodeBlock code=curl label="Try it" copy=copy_curl/>
        </SecretReveal>
        <p><ButtonLink href=inside.path(&format!("api-keys/{}", key.id))>"I have stored it"</ButtonLink></p>
    }
}

fn gone(inside: &Inside, key: &KeyView) -> impl IntoView + use<> {
    view! {
        <PageHeader title=key.name.clone()/>
        <Banner tone=Tone::Info title="This key was shown once and cannot be shown again">
            <p>"We keep only its hash. If it was not stored, revoke it and issue another."</p>
        </Banner>
        <p><ButtonLink href=inside.path(&format!("api-keys/{}", key.id))>"Go to the key"</ButtonLink></p>
    }
}

/// `/w/{slug}/api-keys/{id}`.
#[component]
pub fn Key() -> impl IntoView {
    let id = param("id");
    page("API key", "api-keys", |inside| async move {
        let key = operations::show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let revocable = key.status == Status::Active && inside.actor.may(Permission::KeysRevoke);
        let log = inside.actor.may(Permission::AuditRead).then(|| inside.path(&format!("audit-log?actor={}", key.id)));
        Ok::<_, AppError>(view! {
            <PageHeader title=key.name.clone() subtitle=shown(&key)/>
            {facts(&key, inside.now)}
            {log.map(|href| view! { <p><a href=href>"What this key did"</a></p> })}
            {revocable.then(|| revocation(&inside, &key))}
            <Times/>
        })
    })
}

fn facts(key: &KeyView, now: OffsetDateTime) -> impl IntoView + use<> {
    let scopes = key
        .scopes
        .iter()
        .map(|scope| view! { <li><code>{scope.as_str()}</code> " " <span class="meta">{scope.sentence()}</span></li> });
    let scopes = scopes.collect_view();
    let ends = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => view! { <Fact label="Revoked"><TimeAgo at now/></Fact> }.into_any(),
        (None, Some(at)) => view! { <Fact label="Expires"><TimeAgo at now/></Fact> }.into_any(),
        (None, None) => view! { <Fact label="Expires">"Never"</Fact> }.into_any(),
    };
    let (status, kind, mode) = (badge(key), key.kind.as_str(), format!(" {} messages", key.mode.as_str()));
    let (id, issuer, issued_at, used) = (key.id.to_string(), issuer(key), key.created_at, last_use(key, now));
    let reason = key.reason.clone().map(|reason| view! { <Fact label="Reason">{reason}</Fact> });
    view! {
        <Facts>
            <Fact label="Status">{status}</Fact>
            <Fact label="Kind"><Tag word=kind/>{mode}</Fact>
            <Fact label="Id"><code>{id}</code></Fact>
            <Fact label="Scopes"><ul class="stack">{scopes}</ul></Fact>
            <Fact label="Issued by">{issuer}</Fact>
            <Fact label="Issued"><TimeAgo at=issued_at now/></Fact>
            <Fact label="Last used">{used}</Fact>
            {ends}
            {reason}
        </Facts>
    }
}

fn revocation(inside: &Inside, key: &KeyView) -> impl IntoView + use<> {
    let form = FormState::of::<RevokeKey>(&inside.visit);
    let text = format!(
        "Every program that uses {} is refused from its next call on. This cannot be undone; a new key can be issued at any time.",
        key.name
    );
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=key.id.to_string()/>
        <TextField name="reason" label="Reason" hint=format!("For the audit log and your colleagues. At most {REASON_MAX} characters.")
            value=form.value("reason") error=form.error("reason")/>
        <div class="actions"><Button kind=ButtonKind::Danger>"Revoke key"</Button></div>
    };
    let form = form.view(fields);
    view! { <DangerZone id="revoke" title="Revoke this key" text>{form}</DangerZone> }
}
