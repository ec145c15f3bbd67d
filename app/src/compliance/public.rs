//! `/compliance`: what send0 says of each framework, and what shows it. For anybody, without scripts and without cookies.

use super::parts::{day, said};
use crate::{
    public::public_page,
    ui::{ButtonKind, ButtonLink, Fact, Facts, PageHeader, Section},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    compliance::{Document, Evidence, Framework, documents, operations},
    practices::CONTACT,
};
use time::Date;

/// `/compliance`.
#[component]
pub fn Compliance() -> impl IntoView {
    public_page("Compliance", "/compliance", |visit| async move {
        let all = operations::public(&visit.ctx).await?;
        let documents = documents::handed_out(&visit.ctx).await?;
        let today = visit.ctx.clock.now().date();
        let ask =
            view! { <ButtonLink href="/compliance/ask" kind=ButtonKind::Primary>"Ask for something"</ButtonLink> };
        Ok::<_, AppError>(view! {
            <PageHeader title="Compliance" subtitle="What send0 says of each framework, how far that goes, and what shows it. Nothing is said that cannot be shown today."
                action=ask.into_any()/>
            <div class="stack">{all.into_iter().map(|one| framework(one, today)).collect_view()}</div>
            <Section id="documents" title="Documents" text="They are handed out one by one: to whoever agrees to their terms, for a while.">
                {list(documents)}
            </Section>
            <p>
                "An agreement (DPA, BAA), a questionnaire or a particular control: "<a href="/compliance/ask">"ask for it"</a>
                ", from your workspace if you have one, or write to "<a href=format!("mailto:{CONTACT}")>{CONTACT}</a>"."
            </p>
            <p class="meta">"For programs: "<a href="/compliance.json">"JSON"</a>"."</p>
        })
    })
}

fn framework(one: Framework, today: Date) -> impl IntoView {
    let status = said(&one, today);
    let evidence = match one.evidence.is_empty() {
        true => view! { <p class="meta">"There is nothing to show yet, and nothing more is claimed."</p> }.into_any(),
        false => {
            let each = one.evidence.into_iter().map(|one| view! { <li>{shown(one, today)}</li> }).collect_view();
            view! { <ul class="bullets">{each}</ul> }.into_any()
        }
    };
    let heading = format!("{}-heading", one.id);
    let (id, labelling) = (one.id, heading.clone());
    view! {
        <section class="card" id=id aria-labelledby=heading>
            <h2 id=labelling>{one.name} " " {status}</h2>
            <p>{one.scope}</p>
            <Facts>
                <Fact label="Owner">{one.owner}</Fact>
                <Fact label="Next review">{day(one.review_on)}</Fact>
            </Facts>
            <h3>"What shows it"</h3>
            {evidence}
        </section>
    }
}

/// One piece of evidence, and until when it counts.
fn shown(one: Evidence, today: Date) -> impl IntoView {
    let until = one.valid_until.map(|last| match one.is_valid(today) {
        true => format!(", valid until {}", day(last)),
        false => format!(", lapsed on {}", day(last)),
    });
    let what = match one.link {
        Some(href) => view! { <a href=href>{one.title}</a> }.into_any(),
        None => view! { {one.title} ", "<a href="/compliance/ask?kind=document">"on request"</a> }.into_any(),
    };
    view! { {what} <span class="meta">" ("{one.kind.words()}{until}")"</span> }
}

fn list(documents: Vec<Document>) -> AnyView {
    if documents.is_empty() {
        return view! { <p class="meta">"None yet."</p> }.into_any();
    }
    let each = documents.into_iter().map(|one| view! { <li>{one.title}</li> }).collect_view();
    view! { <ul class="bullets">{each}</ul> }.into_any()
}
