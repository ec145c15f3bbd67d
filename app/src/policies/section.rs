//! Two-factor authentication in the settings of a workspace: what is demanded, and whom it hits.

use super::server_fns::ChangePolicy;
use crate::{
    forms::FormState,
    page::Inside,
    ui::{Button, ButtonKind, Choice, Column, RadioCards, Section, Table, TextField, TimeAgo},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::Action,
    policies::{Affected, Policy, operations},
};

/// The form, and those who do not meet the policy yet.
pub async fn section(inside: &Inside) -> Result<AnyView, AppError> {
    let (policy, affected) = operations::show(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
    let form = form(inside, policy);
    let hit = hit(inside, policy, affected);
    let text = "What members must show besides their password. Whoever does not in time is kept out, not removed: with a factor they are back.";
    Ok(view! { <Section id="two-factor" title="Two-factor authentication" text>{form} {hit}</Section> }.into_any())
}

fn form(inside: &Inside, policy: Policy) -> AnyView {
    let form = FormState::of::<ChangePolicy>(&inside.visit);
    let saved = match (policy.require_two_factor, policy.require_passkey) {
        (false, _) => "off",
        (true, false) => "two_factor",
        (true, true) => "passkey",
    };
    let (demand, days) = match form.is_refused() {
        true => (form.value("demand"), form.value("grace_days")),
        false => (saved.to_owned(), policy.grace_days.to_string()),
    };
    let choices = vec![
        Choice::new("two_factor", "A second factor").hint("A passkey, or an authenticator app."),
        Choice::new("passkey", "A passkey").hint("They sign in with it. Codes of an app are not enough."),
        Choice::new("off", "Nothing").hint("A stolen password is enough to come in."),
    ];
    form.view(view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <RadioCards name="demand" legend="Demanded of every member" choices value=demand error=form.error("demand")/>
        <TextField name="grace_days" label="Days to add one" kind="number" inputmode="numeric" required=true value=days error=form.error("grace_days")
            hint="From 1 to 30, counted for each member from when it is first demanded of them. Nothing moves a date that somebody has."/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Save policy"</Button></div>
    })
}

fn hit(inside: &Inside, policy: Policy, affected: Vec<Affected>) -> AnyView {
    if affected.is_empty() {
        return view! { <p class="meta">"Every member meets it."</p> }.into_any();
    }
    let now = inside.now;
    let summary = match (policy.require_two_factor, affected.len()) {
        (true, 1) => "1 member does not meet it yet.".to_owned(),
        (true, count) => format!("{count} members do not meet it yet."),
        (false, 1) => "1 member has no second factor.".to_owned(),
        (false, count) => format!("{count} members have no second factor."),
    };
    let rows = affected.into_iter().map(|one| {
        let until = match one.due_at.filter(|_| policy.require_two_factor) {
            Some(at) if at > now => view! { "kept out " <TimeAgo at now/> }.into_any(),
            Some(at) => view! { "kept out since " <TimeAgo at now/> }.into_any(),
            None => view! { <span class="meta">"nothing is demanded"</span> }.into_any(),
        };
        view! {
            <tr>
                <th scope="row">{one.name}</th>
                <td data-label="Mail address">{one.email}</td>
                <td data-label="Factors">{one.factors.words()}</td>
                <td data-label="What happens">{until}</td>
            </tr>
        }
    });
    let head = ["Member", "Mail address", "Factors", "What happens"].map(Column::text).to_vec();
    let rows = rows.collect_view();
    view! { <p>{summary}</p> <Table caption="Members who do not meet the policy" head>{rows}</Table> }.into_any()
}
