//! Saved searches: above the list, and each on a page of its own.

use super::{
    search::{Asked, link_to},
    server_fns::{ChangeView, RemoveView, SaveView},
};
use crate::{
    forms::FormState,
    page::{Inside, id_param, page, param, path_in},
    ui::{Button, ButtonKind, Checkbox, DangerZone, Fact, Facts, PageHeader, Section, Tab, Tabs, TextField},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::{
        Action, Query,
        views::{NAME_MAX, View, default_of, show},
    },
    permissions::Permission,
};

/// The list as the view has it.
pub fn path_of(slug: &str, view: &View) -> String {
    link(&path_in(slug, "audit-log"), view)
}

fn link(base: &str, view: &View) -> String {
    // What cannot be read any more is shown as it is, with what is wrong with it.
    let as_it_is =
        || format!("{base}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("q", &view.query).finish());
    Query::parse(&view.query).map_or_else(|_| as_it_is(), |query| link_to(base, &query))
}

/// Where a search for nothing is. Where the log opens with a view, that has to be said.
pub fn everything(base: &str, views: &[View]) -> String {
    if default_of(views).is_some() { format!("{base}?q=") } else { base.to_owned() }
}

/// What the log opens with when nothing is asked for.
pub fn opening(base: &str, asked: &Asked, views: &[View]) -> Option<String> {
    let view = default_of(views).filter(|_| asked.is_bare())?;
    Some(link(base, view))
}

/// The views above the list, and the form that saves what is searched for.
pub fn above(inside: &Inside, base: &str, asked: &Asked, views: &[View]) -> impl IntoView + use<> {
    let is_shown = |view: &&View| Query::parse(&view.query).as_ref() == Ok(&asked.filter.query) && !asked.has_times();
    let shown = views.iter().find(is_shown).filter(|_| asked.is_readable());
    let all = Tab { label: "All events".into(), href: everything(base, views), current: !asked.is_anything() };
    let tab = |view: &View| Tab {
        label: view.name.clone(),
        href: link(base, view),
        current: shown.is_some_and(|shown| shown.id == view.id),
    };
    let tabs: Vec<Tab> = std::iter::once(all).chain(views.iter().map(tab)).collect();
    let tabs = (tabs.len() > 1).then(|| view! { <Tabs label="Views" tabs/> });
    let edit = shown.map(|view| {
        let href = inside.path(&format!("audit-log/views/{}", view.id));
        view! { <p class="meta"><a href=href>"Rename or remove this view"</a></p> }
    });
    let save = (shown.is_none() && asked.is_anything() && asked.is_readable()).then(|| saving(inside, asked));
    view! { {tabs} {edit} {save} }
}

fn saving(inside: &Inside, asked: &Asked) -> impl IntoView + use<> {
    let form = FormState::of::<SaveView>(&inside.visit);
    let is_open = form.is_refused();
    let shared = inside.actor.may(Permission::WorkspaceUpdate).then(|| {
        let checked = !form.value("shared").is_empty();
        view! { <Checkbox name="shared" label="For everybody who reads the log" checked/> }
    });
    let opens = !form.value("opens").is_empty();
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="query" value=asked.whole().to_string()/>
        <TextField name="name" label="Name" required=true value=form.value("name") error=form.error("name")
            hint="A view of yours with this name is replaced."/>
        {shared}
        <Checkbox name="opens" label="Open the log with it" checked=opens/>
        <div class="actions"><Button>"Save view"</Button></div>
    };
    let form = form.view(fields);
    view! { <details class="saving" open=is_open><summary class="meta">"Save this search as a view"</summary>{form}</details> }
}

/// `/w/{slug}/audit-log/views/{id}`.
#[component]
pub fn OneView() -> impl IntoView {
    let id = param("id");
    page("View of the audit log", "audit-log", |inside| async move {
        let view = show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let may_change = !view.is_shared() || inside.actor.may(Permission::WorkspaceUpdate);
        let forms = may_change.then(|| view! { {changing(&inside, &view)} {removal(&inside, &view)} });
        let subtitle = if view.is_shared() { "For everybody who reads the log." } else { "Yours alone." };
        let (href, query) = (link(&inside.path("audit-log"), &view), view.query.clone());
        Ok::<_, AppError>(view! {
            <PageHeader title=view.name.clone() subtitle/>
            <Facts><Fact label="Finds"><a href=href><code>{query}</code></a></Fact></Facts>
            {forms}
        })
    })
}

fn which(inside: &Inside, view: &View) -> impl IntoView + use<> {
    view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=view.id.to_string()/>
    }
}

fn changing(inside: &Inside, view: &View) -> impl IntoView + use<> {
    let form = FormState::of::<ChangeView>(&inside.visit);
    let refused = form.is_refused();
    let name = if refused { form.value("name") } else { view.name.clone() };
    let opens = if refused { !form.value("opens").is_empty() } else { view.is_default };
    let fields = view! {
        {which(inside, view)}
        <TextField name="name" label="Name" required=true value=name error=form.error("name") hint=format!("At most {NAME_MAX} characters.")/>
        <Checkbox name="opens" label="Open the log with it" checked=opens/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Save"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="change" title="Name">{form}</Section> }
}

fn removal(inside: &Inside, view: &View) -> impl IntoView + use<> {
    let form = FormState::of::<RemoveView>(&inside.visit).view(view! {
        {which(inside, view)}
        <div class="actions"><Button kind=ButtonKind::Danger>"Remove view"</Button></div>
    });
    let text = "The search goes, the events stay.";
    view! { <DangerZone id="remove" title="Remove this view" text>{form}</DangerZone> }
}
