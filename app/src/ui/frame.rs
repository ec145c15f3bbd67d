//! What stands around a page.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// An entry of the navigation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavItem {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether the page belongs to it.
    pub current: bool,
    /// A count or a sign beside it.
    pub note: Option<String>,
}

/// A workspace of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceItem {
    /// Its name.
    pub name: String,
    /// Its first page.
    pub href: String,
    /// Whether the page belongs to it.
    pub current: bool,
}

/// The frame of every page inside a workspace: navigation left, page right.
#[component]
pub fn AppFrame(
    /// The name of the workspace.
    #[prop(into)]
    workspace: String,
    /// All workspaces of the person; with fewer than two there is nothing to switch.
    #[prop(optional)]
    workspaces: Vec<WorkspaceItem>,
    /// The navigation.
    nav: Vec<NavItem>,
    /// The name of the person.
    #[prop(into)]
    person: String,
    /// The person's own page.
    #[prop(optional, into)]
    account: Option<String>,
    /// What stands beside the person: the palette, the theme.
    #[prop(optional)]
    tools: Option<AnyView>,
    /// The form that signs out.
    #[prop(optional)]
    sign_out: Option<AnyView>,
    /// The page.
    children: Children,
) -> impl IntoView {
    view! {
        <a class="skip-link" href="#main">"Skip to content"</a>
        <div class="frame">
            <header class="side">
                <Brand/>
                <details class="side-toggle"><summary><Icon glyph=Glyph::Menu/>"Menu"</summary></details>
                <div class="side-body">
                    {switcher(workspace, workspaces)}
                    <nav aria-label="Workspace"><ul>{nav.into_iter().map(nav_entry).collect_view()}</ul></nav>
                    <div class="side-foot">
                        {owner(person, account)}
                        {tools}
                        {sign_out}
                    </div>
                </div>
            </header>
            <main class="main" id="main" tabindex="-1">{children()}</main>
        </div>
    }
}

fn switcher(workspace: String, workspaces: Vec<WorkspaceItem>) -> AnyView {
    if workspaces.len() < 2 {
        return view! { <p class="side-workspace">{workspace}</p> }.into_any();
    }
    view! {
        <details class="switcher">
            <summary class="side-link"><span class="truncate">{workspace}</span><Icon glyph=Glyph::Chevron/></summary>
            <ul aria-label="Workspaces">{workspaces.into_iter().map(workspace_entry).collect_view()}</ul>
        </details>
    }
    .into_any()
}

fn owner(person: String, account: Option<String>) -> AnyView {
    match account {
        Some(href) => view! { <a class="side-link" href=href><span class="truncate">{person}</span></a> }.into_any(),
        None => view! { <p class="side-link"><span class="truncate">{person}</span></p> }.into_any(),
    }
}

fn workspace_entry(item: WorkspaceItem) -> impl IntoView {
    let current = item.current.then_some("true");
    view! { <li><a class="side-link" href=item.href aria-current=current><span class="truncate">{item.name}</span></a></li> }
}

fn nav_entry(item: NavItem) -> impl IntoView {
    let current = item.current.then_some("page");
    view! {
        <li>
            <a class="side-link" href=item.href aria-current=current>
                <span>{item.label}</span>
                {item.note.map(|note| view! { <span class="side-note">{note}</span> })}
            </a>
        </li>
    }
}

/// The frame of a page outside any workspace: sign-in, set-up, errors.
#[component]
pub fn BareFrame(
    /// The page.
    children: Children,
) -> impl IntoView {
    view! {
        <main class="bare" id="main">
            <Brand/>
            {children()}
        </main>
    }
}

#[component]
fn Brand() -> impl IntoView {
    view! { <a class="brand" href="/"><Icon glyph=Glyph::Mark/>"send0"</a> }
}

/// Title, one line that is true and useful, one action.
#[component]
pub fn PageHeader(
    /// The title.
    #[prop(into)]
    title: String,
    /// The line below it.
    #[prop(optional, into)]
    subtitle: Option<String>,
    /// The one primary action of the page.
    #[prop(optional)]
    action: Option<AnyView>,
) -> impl IntoView {
    view! {
        <header class="page-header">
            <div>
                <h1>{title}</h1>
                {subtitle.map(|subtitle| view! { <p>{subtitle}</p> })}
            </div>
            {action}
        </header>
    }
}

/// A part of a page under its own heading.
#[component]
pub fn Section(
    /// The id of the section, to link to.
    id: &'static str,
    /// Its heading.
    #[prop(into)]
    title: String,
    /// What it is about, in a line or two.
    #[prop(optional, into)]
    text: Option<String>,
    /// Its content.
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-heading");
    view! {
        <section class="section" id=id aria-labelledby=heading>
            <div class="section-head">
                <h2 id=heading.clone()>{title}</h2>
                {text.map(|text| view! { <p>{text}</p> })}
            </div>
            {children()}
        </section>
    }
}
