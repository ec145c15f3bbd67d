//! `/w/{slug}`: what is still to do, what somebody should look at, what happened.

use crate::{
    audit_log::page::events_table,
    page::{Inside, page, with_article},
    ui::{Badge, Column, PageHeader, Section, Status as Look, Table, TimeAgo, Times},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    allowlist::{self, State},
    api_keys::{self, EXPIRY_DAYS, IDLE_DAYS, KeyView, Summary},
    audit_log::{self, Action},
    contacts, invitations, members,
    permissions::Permission,
    two_factor,
    workspaces::operations,
};

/// `/w/{slug}`.
#[component]
pub fn Overview() -> impl IntoView {
    page("Overview", "", |inside| async move {
        let workspace = operations::show(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let people = members::operations::count(&inside.visit.ctx, &inside.actor).await?;
        let invited = invitations::operations::count(&inside.visit.ctx, &inside.actor).await?;
        let keys = match inside.actor.may(Permission::KeysRead) {
            true => Some(api_keys::operations::summary(&inside.visit.ctx, &inside.actor).await?),
            false => None,
        };
        let guarded = match inside.actor.may(Permission::AllowlistRead) {
            true => Some(is_guarded(&inside).await?),
            false => None,
        };
        let contact = match inside.actor.may(Permission::ContactsManage) {
            true => Some(contacts::operations::is_named(&inside.visit.ctx, &inside.actor).await?),
            false => None,
        };
        let subtitle = summary(&inside, people, keys.as_ref());
        let signed_in = inside.visit.signed_in()?;
        let secured = two_factor::operations::factors(&inside.visit.ctx, &signed_in).await?.is_second();
        let steps = steps(&inside, people + invited, secured, keys.as_ref(), guarded, contact);
        let questionable = keys.map(|keys| questionable(&inside, keys.questionable));
        let recent = recent(&inside).await?;
        Ok::<_, AppError>(view! {
            <PageHeader title=workspace.name.clone() subtitle/>
            {steps}
            {questionable}
            {recent}
            <Times/>
        })
    })
}

fn summary(inside: &Inside, people: i64, keys: Option<&Summary>) -> String {
    let members = if people == 1 { "1 member".to_owned() } else { format!("{people} members") };
    let keys = keys.map(|keys| match keys.active {
        1 => ", 1 active key".to_owned(),
        active => format!(", {active} active keys"),
    });
    format!("{members}{}. You are {} here.", keys.unwrap_or_default(), with_article(inside.here.role))
}

/// Whether a list keeps anybody out, or at least reports.
async fn is_guarded(inside: &Inside) -> Result<bool, AppError> {
    let lists = allowlist::operations::show(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
    Ok(lists.iter().any(|list| list.in_force.state() != State::Off))
}

/// One thing to do in a new workspace.
struct Step {
    done: bool,
    title: &'static str,
    why: &'static str,
    href: Option<String>,
}

/// The list ticks itself, and goes away when all is done.
fn steps(
    inside: &Inside,
    people: i64,
    secured: bool,
    keys: Option<&Summary>,
    guarded: Option<bool>,
    contact: Option<bool>,
) -> Option<AnyView> {
    let link = |permission, rest| inside.actor.may(permission).then(|| inside.path(rest));
    let key = keys.map(|keys| Step {
        done: keys.ever > 0,
        title: "Issue an API key",
        why: "A program calls the API with it. Restricted keys do only what you choose.",
        href: link(Permission::KeysIssue, "api-keys/new"),
    });
    let team = Step {
        done: people > 1,
        title: "Invite a colleague",
        why: "A second owner, so that losing one account does not lose the workspace.",
        href: link(Permission::MembersInvite, "members/invite"),
    };
    let allowlist = guarded.map(|done| Step {
        done,
        title: "Draft an allowlist",
        why: "A stolen password or key is worth nothing outside the networks that it names. It can begin by only reporting.",
        href: link(Permission::AllowlistUpdate, "allowlist"),
    });
    let contact = contact.map(|done| Step {
        done,
        title: "Name a security contact",
        why: "Somebody besides you who is told of changes to keys, people and policies.",
        href: link(Permission::ContactsManage, "contacts"),
    });
    let factor = Step {
        done: secured,
        title: "Add a second factor",
        why: "A passkey or an authenticator app, so that a stolen password is not enough to be you.",
        href: Some("/account/security".to_owned()),
    };
    let steps: Vec<Step> = [factor].into_iter().chain(key).chain([team]).chain(allowlist).chain(contact).collect();
    let (done, all) = (steps.iter().filter(|step| step.done).count(), steps.len());
    (done < all).then(|| {
        let items = steps.into_iter().map(item).collect_view();
        let text = format!("{done} of {all} done. The list ticks itself.");
        view! { <Section id="steps" title="Getting started" text><ol class="steps">{items}</ol></Section> }.into_any()
    })
}

fn item(step: Step) -> impl IntoView {
    let badge = match step.done {
        true => view! { <Badge status=Look::Ok word="done"/> },
        false => view! { <Badge status=Look::Pending word="to do"/> },
    };
    let title = match step.href.filter(|_| !step.done) {
        Some(href) => view! { <a href=href>{step.title}</a> }.into_any(),
        None => view! { <span>{step.title}</span> }.into_any(),
    };
    view! { <li><div>{title}<p class="hint">{step.why}</p></div>{badge}</li> }
}

fn questionable(inside: &Inside, keys: Vec<KeyView>) -> Option<AnyView> {
    let now = inside.now;
    let soon = now + time::Duration::days(EXPIRY_DAYS);
    let rows = keys.iter().map(|key| {
        let why = match key.expires_at.filter(|at| *at < soon) {
            Some(at) => view! { <Badge status=Look::Warn word="expires"/> " " <TimeAgo at now/> }.into_any(),
            None => view! { <Badge status=Look::Warn word="unused"/> " since " <TimeAgo at=key.last_used_at.unwrap_or(key.created_at) now/> }.into_any(),
        };
        view! {
            <tr>
                <th scope="row"><a href=inside.path(&format!("api-keys/{}", key.id))>{key.name.clone()}</a></th>
                <td data-label="Why">{why}</td>
                <td data-label="Responsible">{key.responsible.clone().unwrap_or_else(|| "the owners".into())}</td>
            </tr>
        }
    });
    let head = ["Key", "Why", "Responsible"].map(Column::text).to_vec();
    let text = format!(
        "Unused for {IDLE_DAYS} days, or expiring within {EXPIRY_DAYS}. A key that nobody misses is best revoked."
    );
    (!keys.is_empty()).then(|| {
        let rows = rows.collect_view();
        view! { <Section id="keys" title="Keys to look at" text><Table caption="Keys to look at" head>{rows}</Table></Section> }.into_any()
    })
}

/// How many events the overview shows.
const RECENT: u32 = 8;

async fn recent(inside: &Inside) -> Result<Option<AnyView>, AppError> {
    if !inside.actor.may(Permission::AuditRead) {
        return Ok(None);
    }
    let events = audit_log::operations::notable(&inside.visit.ctx, &inside.actor, RECENT).await?;
    let all = inside.path("audit-log");
    let table = events_table(&all, inside.now, events);
    Ok(Some(
        view! {
            <Section id="recent" title="Recent security events" text="Changes and refusals, the newest first.">
                {table}
                <p><a href=all>"The whole audit log"</a></p>
            </Section>
        }
        .into_any(),
    ))
}
