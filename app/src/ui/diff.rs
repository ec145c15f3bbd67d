//! What changed, field by field. Minus and plus say it without colour.

use leptos::prelude::*;

/// One changed field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name of the field.
    pub field: String,
    /// Its value before, if it had one.
    pub before: Option<String>,
    /// Its value after, if it has one.
    pub after: Option<String>,
}

/// A table of changes.
#[component]
pub fn Diff(
    /// What the changes belong to; read out, not shown.
    #[prop(into)]
    caption: String,
    /// The changes.
    changes: Vec<Change>,
) -> impl IntoView {
    let rows = changes.into_iter().map(|change| {
        view! {
            <tr>
                <th scope="row">{change.field}</th>
                <td data-label="Before">{before(change.before)}</td>
                <td data-label="After">{after(change.after)}</td>
            </tr>
        }
    });
    view! {
        <table class="table diff">
            <caption class="sr-only">{caption}</caption>
            <thead><tr><th scope="col">"Field"</th><th scope="col">"Before"</th><th scope="col">"After"</th></tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

fn before(value: Option<String>) -> AnyView {
    match value {
        Some(value) => view! { <del><span>"−"</span><span>{value}</span></del> }.into_any(),
        None => not_set(),
    }
}

fn after(value: Option<String>) -> AnyView {
    match value {
        Some(value) => view! { <ins><span>"+"</span><span>{value}</span></ins> }.into_any(),
        None => not_set(),
    }
}

fn not_set() -> AnyView {
    view! { <span class="meta">"not set"</span> }.into_any()
}
