//! The plan in the settings of a workspace.

use crate::{
    page::Inside,
    ui::{Fact, Facts, Section, count},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    plans::{Caps, operations},
    practices::CONTACT,
};

/// Which it is, what comes with it, and how it is changed.
pub async fn section(inside: &Inside) -> Result<AnyView, AppError> {
    let plan = operations::of(&inside.visit.ctx, inside.actor.workspace).await?;
    let write = format!("mailto:{CONTACT}");
    let text = "What comes with it. On a smaller plan, what it does not keep of the audit log is removed after a week. No member and no key is refused because of it yet.";
    Ok(view! {
        <Section id="plan" title="Plan" text>
            <Facts>
                <Fact label="Plan">{plan.name()}</Fact>
                {caps(plan.caps())}
            </Facts>
            <p>"send0 changes it: write to "<a href=write>{CONTACT}</a>". Your security contacts are told when it changes."</p>
        </Section>
    }
    .into_any())
}

fn caps(caps: Caps) -> impl IntoView {
    view! {
        <Fact label="Members">{format!("up to {}", count(caps.members.into()))}</Fact>
        <Fact label="API keys">{format!("up to {} that live", count(caps.keys.into()))}</Fact>
        {kept(caps)}
    }
}

/// How long what is kept.
pub fn kept(caps: Caps) -> impl IntoView {
    view! {
        <Fact label="Content of messages">{days(caps.content_days)}</Fact>
        <Fact label="Audit log">{format!("at least {}", days(caps.audit_days))}</Fact>
    }
}

fn days(days: u32) -> String {
    format!("{} days", count(days.into()))
}
