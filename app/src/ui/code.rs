//! Code and data to read or to copy. Long lines wrap, so that nothing hides beside the screen.

use leptos::prelude::*;

/// A block of code.
#[component]
pub fn CodeBlock(
    /// The code.
    #[prop(into)]
    code: String,
    /// What it is: "curl", "Rust", "event".
    #[prop(optional, into)]
    label: Option<String>,
    /// Where a copy button stands.
    #[prop(optional)]
    copy: Option<AnyView>,
) -> impl IntoView {
    let head =
        (label.is_some() || copy.is_some()).then(|| view! { <div class="code-head"><span>{label}</span>{copy}</div> });
    view! { <div class="code">{head}<pre><code>{code}</code></pre></div> }
}

/// A JSON value, indented.
#[component]
pub fn JsonBlock(
    /// The value.
    value: serde_json::Value,
    /// What it is.
    #[prop(default = "JSON".into(), into)]
    label: String,
    /// Where a copy button stands.
    #[prop(optional)]
    copy: Option<AnyView>,
) -> impl IntoView {
    view! { <CodeBlock code=format!("{value:#}") label copy=copy.into_any()/> }
}
