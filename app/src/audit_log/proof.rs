//! What the log is worth: "Verified to event #n, 12 s ago", or the first event that is not as it was sealed; and what proves it, as files.

use crate::ui::{Badge, Banner, Status, TimeAgo, Tone};
use leptos::prelude::*;
use send0_core::{
    ids::EventId,
    sealing::{Finding, Standing},
};
use time::OffsetDateTime;

/// How far the log is proven. Green only for what a check has verified. `log` is where the files are that prove it, of the
/// log of a workspace; `one` the event whose page it is.
pub fn proven(log: Option<&str>, one: Option<EventId>, now: OffsetDateTime, standing: Option<Standing>) -> AnyView {
    match standing {
        None => {
            view! { <p id="proof" class="hint"><Badge status=Status::Pending word="not sealed yet"/></p> }.into_any()
        }
        Some(standing) => match standing.failed {
            Some(finding) => broken(finding),
            None => intact(log, one, now, &standing),
        },
    }
}

fn intact(log: Option<&str>, one: Option<EventId>, now: OffsetDateTime, standing: &Standing) -> AnyView {
    let (sealed, files) = (format!("sealed to event #{}", standing.sealed_to), files(log, one));
    match standing.checked_at {
        None => {
            view! { <p id="proof" class="hint"><Badge status=Status::Pending word=sealed/>". "{files}</p> }.into_any()
        }
        Some(at) => {
            let word = format!("verified to event #{}", standing.checked_to);
            let whole = standing.whole_at.map(|at| view! { ". The whole log was last gone through "<TimeAgo at now/> });
            view! {
                <p id="proof" class="hint">
                    <Badge status=Status::Proof word/>" "<TimeAgo at now/>{whole}". "{files}
                </p>
            }
            .into_any()
        }
    }
}

/// What to take along: with these, the log is verified without this server (docs/audit-log-format.md).
fn files(log: Option<&str>, one: Option<EventId>) -> Option<impl IntoView + use<>> {
    let log = log?;
    let proof = one.map(|id| view! { <a href=format!("{log}/{id}/proof")>"Proof of this event"</a>" · " });
    Some(view! {
        {proof}
        <a href=format!("{log}/checkpoint")>"Newest checkpoint"</a>" · "
        <a href="/v1/audit-log/public-key">"Public key"</a>
    })
}

fn broken(finding: Finding) -> AnyView {
    let title = finding.kind.sentence(finding.seq);
    view! {
        <div id="proof">
            <Banner tone=Tone::Danger title>
                <p>
                    "The stored log and what was sealed do not fit each other there. Keep an export and the checkpoints you have, \
                     and tell security@send0.dev."
                </p>
            </Banner>
        </div>
    }
    .into_any()
}
