//! Parts of one thing, each under its own URL.

use leptos::prelude::*;

/// One tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether it is the one shown.
    pub current: bool,
}

/// Tabs are links: they work without scripts, with Back, and in a second window.
#[component]
pub fn Tabs(
    /// What the parts are parts of; read out.
    #[prop(into)]
    label: String,
    /// The tabs.
    tabs: Vec<Tab>,
) -> impl IntoView {
    let entry = |tab: Tab| {
        let current = tab.current.then_some("page");
        view! { <li><a href=tab.href aria-current=current>{tab.label}</a></li> }
    };
    view! { <nav class="tabs" aria-label=label><ul>{tabs.into_iter().map(entry).collect_view()}</ul></nav> }
}
