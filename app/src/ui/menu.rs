//! A few actions behind one button. The browser opens it and closes it on Escape and on a click beside it (popover).

use leptos::prelude::*;

/// A button with a list of links and forms behind it.
#[component]
pub fn Menu(
    /// Its id.
    #[prop(into)]
    id: String,
    /// What the button says.
    #[prop(into)]
    label: String,
    /// `<li>`s, each with a link or a form.
    children: Children,
) -> impl IntoView {
    view! {
        <span class="menu">
            <button type="button" class="btn" popovertarget=id.clone()>{label}</button>
            <ul class="menu-list" id=id popover="auto">{children()}</ul>
        </span>
    }
}
