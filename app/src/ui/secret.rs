//! What is shown once.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// A secret that will not be seen again.
#[component]
pub fn SecretReveal(
    /// The secret.
    #[prop(into)]
    secret: String,
    /// What it is: "The key CI deploy".
    #[prop(into)]
    label: String,
    /// What becomes of it here.
    #[prop(default = "We keep only its hash.")]
    kept: &'static str,
    /// Copy and download.
    #[prop(optional)]
    copy: Option<AnyView>,
    /// The line that works right now.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <section class="secret" aria-label=label>
            <div>
                <h2>{label.clone()}</h2>
                <p class="error"><Icon glyph=Glyph::Warning/>{format!("Store it now: you will not see this again. {kept}")}</p>
            </div>
            <code class="secret-value">{secret}</code>
            {copy.map(|copy| view! { <div class="actions">{copy}</div> })}
            {children.map(|children| children())}
        </section>
    }
}
