//! Dangerous things stand last on a page and say what will happen before the button.

use leptos::prelude::*;

/// The box for what cannot be undone.
#[component]
pub fn DangerZone(
    /// The id of the section, to link to.
    id: &'static str,
    /// What is about to happen: "Delete this workspace".
    #[prop(into)]
    title: String,
    /// What will happen, to whom, from when, and how to undo it.
    #[prop(into)]
    text: String,
    /// The form.
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-heading");
    view! {
        <section class="danger-zone" id=id aria-labelledby=heading>
            <h2 id=heading.clone()>{title}</h2>
            <p class="danger-zone-text">{text}</p>
            {children()}
        </section>
    }
}
