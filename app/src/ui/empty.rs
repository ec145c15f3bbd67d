//! Three ways for a list to be empty, which must not look the same.

use leptos::prelude::*;

/// Nothing yet: what would be here, why one would want it, and the one action.
#[component]
pub fn Empty(
    /// What is not here yet: "No API keys yet".
    #[prop(into)]
    title: String,
    /// Why one would want it.
    #[prop(into)]
    text: String,
    /// The one action.
    #[prop(optional)]
    action: Option<AnyView>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <h2>{title}</h2>
            <p>{text}</p>
            {action.map(|action| view! { <div class="actions">{action}</div> })}
        </div>
    }
}

/// There is something, but the filter hides all of it.
#[component]
pub fn NoMatch(
    /// What was looked for, in the plural: "keys".
    #[prop(into)]
    what: String,
    /// The same page without the filter.
    #[prop(into)]
    clear: String,
) -> impl IntoView {
    view! {
        <div class="empty">
            <h2>{format!("No {what} match this filter")}</h2>
            <p>"There are some that it hides. "<a href=clear>"Clear the filter"</a></p>
        </div>
    }
}

/// The person may not see what is here.
#[component]
pub fn NoPermission(
    /// What is hidden: "API keys".
    #[prop(into)]
    what: String,
    /// The permission that would show it.
    #[prop(into)]
    permission: String,
    /// The roles that have it.
    roles: Vec<String>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <h2>{format!("You cannot see {what}")}</h2>
            <p>
                "This needs the permission "<code>{permission}</code>
                {format!(", which comes with the role {}. Ask an owner of this workspace for it.", listed(&roles))}
            </p>
        </div>
    }
}

/// `owner, admin or security`, as one says it.
pub fn listed(roles: &[String]) -> String {
    match roles {
        [rest @ .., before, last] if !rest.is_empty() => format!("{}, {before} or {last}", rest.join(", ")),
        roles => roles.join(" or "),
    }
}
