//! Filters are a GET form: what is filtered stands in the URL.

use super::form::{Choice, options};
use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// The row of filters above a list.
#[component]
pub fn Filters(
    /// The path of the list.
    #[prop(into)]
    action: String,
    /// The list without a filter, when one is set.
    #[prop(optional_no_strip, into)]
    clear: Option<String>,
    /// Its fields.
    children: Children,
) -> impl IntoView {
    view! {
        <form class="filters" method="get" action=action role="search">
            {children()}
            <button type="submit" class="btn">"Filter"</button>
            {clear.map(|href| view! { <a class="btn btn-quiet" href=href>"Clear"</a> })}
        </form>
    }
}

/// Free text to look for.
#[component]
pub fn SearchField(
    /// Name of the parameter.
    name: &'static str,
    /// What it looks through; read out, and shown while the field is empty.
    #[prop(into)]
    label: String,
    /// What was looked for.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    view! {
        <span class="search">
            <Icon glyph=Glyph::Search/>
            <input class="input" type="search" id=name name=name value=value aria-label=label.clone() placeholder=label/>
        </span>
    }
}

/// One of a few values.
#[component]
pub fn FilterSelect(
    /// Name of the parameter.
    name: &'static str,
    /// What it filters by; read out, not shown, so the choices must speak for themselves ("any status").
    #[prop(into)]
    label: String,
    /// The choices.
    choices: Vec<Choice>,
    /// The chosen value.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    view! {
        <span class="select">
            <select class="input" id=name name=name aria-label=label>{options(choices, &value)}</select>
            <Icon glyph=Glyph::Chevron/>
        </span>
    }
}
