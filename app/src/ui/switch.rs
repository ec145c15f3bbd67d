//! A setting that is on or off at once with its form.

use leptos::prelude::*;

/// On or off. Drawn as a switch, said as one, sent as a checkbox: `on` or nothing.
#[component]
pub fn Switch(
    /// Name of the field.
    name: &'static str,
    /// What is on or off.
    #[prop(into)]
    label: String,
    /// What it means.
    #[prop(optional, into)]
    hint: Option<String>,
    /// Whether it is on.
    #[prop(optional)]
    on: bool,
    /// Whether it cannot be changed here.
    #[prop(optional)]
    disabled: bool,
) -> impl IntoView {
    let described = hint.is_some().then(|| format!("{name}-hint"));
    view! {
        <label class="switch">
            <input type="checkbox" role="switch" name=name checked=on disabled=disabled aria-describedby=described.clone()/>
            <span class="switch-track" aria-hidden="true"></span>
            <span class="choice-label">{label}</span>
            {hint.map(|hint| view! { <span class="hint" id=described>{hint}</span> })}
        </label>
    }
}
