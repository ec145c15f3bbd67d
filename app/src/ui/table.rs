//! Tables. Below 640 px each row becomes a card, in which a `<td data-label="…">` shows its label.

use leptos::prelude::*;

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    label: &'static str,
    class: Option<&'static str>,
    hidden: bool,
}

impl Column {
    /// A column of text.
    pub const fn text(label: &'static str) -> Self {
        Self { label, class: None, hidden: false }
    }

    /// A column of numbers; its cells have the class `num`.
    pub const fn number(label: &'static str) -> Self {
        Self { label, class: Some("num"), hidden: false }
    }

    /// A narrow column of marks; its cells have the class `mark`.
    pub const fn mark(label: &'static str) -> Self {
        Self { label, class: Some("mark"), hidden: false }
    }

    /// A column of buttons, whose label is only read out; its cells have the class `row-actions`.
    pub const fn actions(label: &'static str) -> Self {
        Self { label, class: None, hidden: true }
    }
}

/// A table. Its children are `<tr>`s: first a `<th scope="row">`, then `<td data-label="…">`s.
#[component]
pub fn Table(
    /// What the table lists; read out, not shown.
    #[prop(into)]
    caption: String,
    /// Its columns.
    head: Vec<Column>,
    /// Its rows.
    children: Children,
) -> impl IntoView {
    let head = head.into_iter().map(|column| {
        view! { <th scope="col" class=column.class><span class=column.hidden.then_some("sr-only")>{column.label}</span></th> }
    });
    view! {
        <div class="table-scroll">
            <table class="table">
                <caption class="sr-only">{caption}</caption>
                <thead><tr>{head.collect_view()}</tr></thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}

/// Links to the newer and older rows of a list.
#[component]
pub fn Pager(
    /// Where the newer rows are.
    #[prop(optional_no_strip, into)]
    newer: Option<String>,
    /// Where the older rows are.
    #[prop(optional_no_strip, into)]
    older: Option<String>,
    /// What is true of the whole list: "Kept 365 days".
    #[prop(optional, into)]
    note: Option<String>,
) -> impl IntoView {
    let links = (newer.is_some() || older.is_some()).then(|| {
        view! {
            <nav aria-label="Pages">
                {newer.map(|href| view! { <a href=href rel="prev"><span aria-hidden="true">"‹ "</span>"newer"</a> })}
                {older.map(|href| view! { <a href=href rel="next">"older"<span aria-hidden="true">" ›"</span></a> })}
            </nav>
        }
    });
    view! {
        <div class="pager">
            {note.map(|note| view! { <p class="meta">{note}</p> })}
            {links}
        </div>
    }
}
