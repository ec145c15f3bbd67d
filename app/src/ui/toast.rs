//! A word of success in the corner. It says nothing that the page does not say as well.

use leptos::prelude::*;

/// Says that something went well, and fades for whoever likes motion.
#[component]
pub fn Toast(
    /// What went well.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <p class="toast" role="status">{text}</p> }
}
