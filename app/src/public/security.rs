//! `/security`: the eight practices, and how much of each the console keeps today.

use super::public_page;
use crate::ui::{Badge, PageHeader, Status as Look};
use leptos::prelude::*;
use send0_core::{
    AppError,
    practices::{CONTACT, PRACTICES, Practice},
};

/// `/security`.
#[component]
pub fn Security() -> impl IntoView {
    public_page("Security", "/security", |_| async move {
        let whole = PRACTICES.iter().filter(|practice| practice.not_yet.is_none()).count();
        let subtitle = format!(
            "What send0 promises, and what this console does about it today: {whole} of {} practices are whole, the others say what is missing.",
            PRACTICES.len()
        );
        Ok::<_, AppError>(view! {
            <PageHeader title="Security" subtitle/>
            <div class="stack">{PRACTICES.into_iter().map(practice).collect_view()}</div>
            <p>
                "Something to report, or a control that you need: "<a href=format!("mailto:{CONTACT}")>{CONTACT}</a>". A PGP key is available on request."
            </p>
            <p class="meta">"For programs: "<a href="/security.json">"JSON"</a>"."</p>
        })
    })
}

fn practice(practice: Practice) -> impl IntoView {
    let (status, word) = match practice.not_yet {
        None => (Look::Ok, "in place"),
        Some("All of it.") => (Look::Off, "not yet"),
        Some(_) => (Look::Pending, "in part"),
    };
    let not_yet = practice.not_yet.map(|text| view! { <p><strong>"Not yet: "</strong>{text}</p> });
    view! {
        <section class="card" id=practice.id>
            <h2>{practice.title} " " <Badge status word/></h2>
            <p><strong>"Promised: "</strong>{practice.promise}</p>
            <p><strong>"Today: "</strong>{practice.today}</p>
            {not_yet}
        </section>
    }
}
