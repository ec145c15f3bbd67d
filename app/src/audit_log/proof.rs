//! What the log is worth: "Verified to event #n, 12 s ago", or the first event that is not as it was sealed.

use crate::ui::{Badge, Banner, Status, TimeAgo, Tone};
use leptos::prelude::*;
use send0_core::sealing::{Finding, Standing};
use time::OffsetDateTime;

/// How far the log is proven. Green only for what a check has verified.
pub fn proven(now: OffsetDateTime, standing: Option<Standing>) -> AnyView {
    match standing {
        None => {
            view! { <p id="proof" class="hint"><Badge status=Status::Pending word="not sealed yet"/></p> }.into_any()
        }
        Some(standing) => match standing.failed {
            Some(finding) => broken(finding),
            None => intact(now, &standing),
        },
    }
}

fn intact(now: OffsetDateTime, standing: &Standing) -> AnyView {
    let sealed = format!("sealed to event #{}", standing.sealed_to);
    match standing.checked_at {
        None => view! { <p id="proof" class="hint"><Badge status=Status::Pending word=sealed/></p> }.into_any(),
        Some(at) => {
            let word = format!("verified to event #{}", standing.checked_to);
            let whole = standing.whole_at.map(|at| view! { ". The whole log was last gone through "<TimeAgo at now/> });
            view! {
                <p id="proof" class="hint">
                    <Badge status=Status::Proof word/>" "<TimeAgo at now/>{whole}". "
                    <a href="/v1/audit-log/public-key">"Public key"</a>
                </p>
            }
            .into_any()
        }
    }
}

fn broken(finding: Finding) -> AnyView {
    let title = finding.kind.sentence(finding.seq);
    view! {
        <div id="proof">
            <Banner tone=Tone::Danger title>
                <p>
                    "The stored log and what was sealed part here. Nothing before it is affected. Keep an export and the checkpoints you have, \
                     and tell security@send0.dev."
                </p>
            </Banner>
        </div>
    }
    .into_any()
}
