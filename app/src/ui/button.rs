//! Buttons say what happens. One primary action on a page; danger only for what cannot be undone.

use leptos::prelude::*;

/// How much weight an action has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// The one action the page is for.
    Primary,
    /// Any other action.
    #[default]
    Secondary,
    /// Cannot be undone.
    Danger,
    /// An action in a row or at the edge.
    Quiet,
}

impl ButtonKind {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Primary => "btn btn-primary",
            Self::Secondary => "btn",
            Self::Danger => "btn btn-danger",
            Self::Quiet => "btn btn-quiet",
        }
    }
}

/// Submits its form.
#[component]
pub fn Button(
    /// Its weight.
    #[prop(optional)]
    kind: ButtonKind,
    /// Sent with the form, when a form has several buttons.
    #[prop(optional)]
    name: Option<&'static str>,
    /// The value sent under `name`.
    #[prop(optional, into)]
    value: Option<String>,
    /// Cannot be used now; the page says why.
    #[prop(optional)]
    disabled: bool,
    /// Says what happens.
    children: Children,
) -> impl IntoView {
    view! { <button type="submit" class=kind.class() name=name value=value disabled=disabled>{children()}</button> }
}

/// A link with the weight of a button.
#[component]
pub fn ButtonLink(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// Its weight.
    #[prop(optional)]
    kind: ButtonKind,
    /// Says what happens.
    children: Children,
) -> impl IntoView {
    view! { <a class=kind.class() href=href>{children()}</a> }
}
