//! `/changelog`: what has changed, day by day.

use super::public_page;
use crate::ui::{PageHeader, date};
use leptos::prelude::*;
use send0_core::{
    AppError,
    changelog::{Changes, changelog},
};

/// `/changelog`.
#[component]
pub fn Changelog() -> impl IntoView {
    public_page("Changelog", "/changelog", |_| async move {
        Ok::<_, AppError>(view! {
            <PageHeader title="Changelog" subtitle="What has changed in the console. Whoever reported a weakness and permits it is named here."/>
            {changelog().into_iter().map(day).collect_view()}
            <p class="meta">"As "<a href="/changelog.atom">"a feed"</a>"."</p>
        })
    })
}

fn day(changes: Changes) -> impl IntoView {
    let (id, at) = (changes.id(), changes.at());
    let (heading, labelled_by) = (format!("{id}-heading"), format!("{id}-heading"));
    let list = changes.changes.into_iter().map(|change| view! { <li>{with_code(&change)}</li> }).collect_view();
    view! {
        <section class="section" id=id aria-labelledby=labelled_by>
            <div class="section-head"><h2 id=heading>{date(at)}</h2></div>
            <ul class="bullets">{list}</ul>
        </section>
    }
}

/// What stands between backticks is code.
fn with_code(text: &str) -> Vec<AnyView> {
    let part = |(n, part): (usize, &str)| match n % 2 {
        0 => part.to_owned().into_any(),
        _ => view! { <code>{part.to_owned()}</code> }.into_any(),
    };
    text.split('`').enumerate().map(part).collect()
}
