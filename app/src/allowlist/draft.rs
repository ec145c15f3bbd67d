//! `/w/{slug}/allowlist/{door}`: the draft of a list. Nothing here counts before it is reviewed and saved.

use super::{
    page::{KEEP, about, called, door, draft_path, expiry, network, own_address},
    server_fns::{AddEntry, ChangeEntry, DiscardDraft, RemoveEntry, SetReporting},
};
use crate::{
    forms::FormState,
    page::{Inside, page, param},
    ui::{
        Badge, Button, ButtonKind, ButtonLink, Choice, Column, ExactTime, PageHeader, Section, Select, Status as Look,
        Table, TextField, Times,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    allowlist::{Allowlist, Entry, LIFETIMES, NOTE_MAX, REPORTING, operations},
    audit_log::Action,
};

/// `/w/{slug}/allowlist/{door}`.
#[component]
pub fn Draft() -> impl IntoView {
    let of = param("door");
    let edited = use_query_map().with_untracked(|query| query.get("edit")).unwrap_or_default();
    page("Draft of an allowlist", "allowlist", |inside| async move {
        let (ctx, actor) = (&inside.visit.ctx, &inside.actor);
        let list = operations::draft(ctx, actor, door(&of)?, Action::PageViewed).await?;
        let title = format!("The list of {}, as a draft", list.door.name());
        let subtitle = match list.is_drafted() {
            true => "Not saved: what is in force stays as it is until the draft is reviewed and saved.",
            false => "The same as what is in force. Changes count for nothing until they are reviewed and saved.",
        };
        let review = list.is_drafted().then(|| {
            let href = format!("{}/review", draft_path(&inside.here.slug, list.door));
            view! { <ButtonLink href kind=ButtonKind::Primary>"Review the draft"</ButtonLink> }
        });
        let edited = list.draft.entries.iter().find(|entry| entry.id.to_string() == edited);
        let form = edited.map_or_else(|| add(&inside, &list), |entry| change(&inside, &list, entry));
        let (entries, reporting) = (entries(&inside, &list), reporting(&inside, &list));
        let discard = list.is_drafted().then(|| discard(&inside, &list));
        let lists = inside.path("allowlist");
        Ok::<_, AppError>(view! {
            <PageHeader title subtitle action=review.into_any()/>
            {FormState::of::<RemoveEntry>(&inside.visit).problem()}
            {FormState::of::<DiscardDraft>(&inside.visit).problem()}
            {entries}
            {form}
            {reporting}
            <div class="actions">{discard} <ButtonLink href=lists kind=ButtonKind::Quiet>"Back to the lists"</ButtonLink></div>
            <Times/>
        })
    })
}

/// What is in the draft, and what would go with it.
fn entries(inside: &Inside, list: &Allowlist) -> AnyView {
    let is_in = |entries: &[Entry], entry: &Entry| entries.iter().any(|other| other.id == entry.id);
    let kept = list.draft.entries.iter().map(|entry| {
        let is_new = !is_in(&list.in_force.entries, entry);
        let badge = if is_new { ("new", Look::Pending) } else { ("in force", Look::Ok) };
        row(inside, list, entry, badge, true)
    });
    let gone = list.in_force.entries.iter().filter(|entry| !is_in(&list.draft.entries, entry));
    let gone = gone.map(|entry| row(inside, list, entry, ("goes", Look::Warn), false));
    let rows: Vec<AnyView> = kept.chain(gone).collect();
    if rows.is_empty() {
        return view! { <p class="meta">"Nothing is in the draft. An empty list is off: everybody gets in."</p> }
            .into_any();
    }
    let mut head = ["Network", "Note", "Expires", "State"].map(Column::text).to_vec();
    head.push(Column::actions("Change or remove"));
    view! { <Table caption="Entries of the draft" head>{rows}</Table> }.into_any()
}

fn row(
    inside: &Inside,
    list: &Allowlist,
    entry: &Entry,
    (word, status): (&'static str, Look),
    is_kept: bool,
) -> AnyView {
    let remove = is_kept.then(|| {
        let (name, named) = (entry.network.to_string(), entry.network.to_string());
        let edit = format!("{}?edit={}#change", draft_path(&inside.here.slug, list.door), entry.id);
        let fields = view! {
            {about(inside, list)}
            <input type="hidden" name="id" value=entry.id.to_string()/>
            <Button kind=ButtonKind::Quiet>"Remove "<span class="sr-only">{named}</span></Button>
        };
        let remove = FormState::of::<RemoveEntry>(&inside.visit).inline(fields);
        view! { <ButtonLink href=edit kind=ButtonKind::Quiet>"Change "<span class="sr-only">{name}</span></ButtonLink> {remove} }
    });
    view! {
        <tr>
            <th scope="row">{network(entry.network)}</th>
            <td data-label="Note">{entry.note.clone()}</td>
            <td data-label="Expires">{expiry(entry, inside.now)}</td>
            <td data-label="State"><Badge status word/></td>
            <td class="row-actions">{remove}</td>
        </tr>
    }
    .into_any()
}

fn add(inside: &Inside, list: &Allowlist) -> AnyView {
    let form = FormState::of::<AddEntry>(&inside.visit);
    let fields = view! {
        {about(inside, list)}
        {fields(&form, None)}
        <div class="actions"><Button kind=ButtonKind::Primary>"Add to the draft"</Button></div>
    };
    let (form, mine) = (form.view(fields), mine(inside, list));
    view! { <Section id="add" title="Add an entry">{form} {mine}</Section> }.into_any()
}

fn change(inside: &Inside, list: &Allowlist, entry: &Entry) -> AnyView {
    let form = FormState::of::<ChangeEntry>(&inside.visit);
    let fields = view! {
        {about(inside, list)}
        <input type="hidden" name="id" value=entry.id.to_string()/>
        {fields(&form, Some(entry))}
        <div class="actions">
            <Button kind=ButtonKind::Primary>"Change the entry"</Button>
            <ButtonLink href=draft_path(&inside.here.slug, list.door) kind=ButtonKind::Quiet>"Leave it as it is"</ButtonLink>
        </div>
    };
    let (form, title) = (form.view(fields), format!("Change {}", entry.network));
    view! { <Section id="change" title>{form}</Section> }.into_any()
}

/// The fields of an entry: as they were refused, as they are, or empty.
fn fields(form: &FormState, entry: Option<&Entry>) -> impl IntoView + use<> {
    let value = |field: &str, of: fn(&Entry) -> String| match (form.is_refused(), entry) {
        (false, Some(entry)) => of(entry),
        _ => form.value(field),
    };
    let keep = entry.filter(|entry| entry.expires_at.is_some()).map(|_| Choice::new(KEEP, "When it does now"));
    let never = std::iter::once(Choice::new("", "Never"));
    let days = LIFETIMES.map(|days| {
        Choice::new(days.to_string(), if days == 1 { "After 1 day".into() } else { format!("After {days} days") })
    });
    view! {
        <TextField name="cidr" label="Address or network" required=true mono=true autocomplete="off"
            value=value("cidr", |entry| entry.network.to_string()) error=form.error("cidr")
            hint="203.0.113.7, 203.0.113.0/24, 2001:db8::/48. The smaller the number after the slash, the more addresses."/>
        <TextField name="note" label="Note" autocomplete="off" value=value("note", |entry| entry.note.clone()) error=form.error("note")
            hint=format!("What it is: the office, the VPN, build servers. At most {NOTE_MAX} characters.")/>
        <Select name="lifetime" label="Expires" choices=keep.into_iter().chain(never).chain(days).collect()
            value=form.value("lifetime") error=form.error("lifetime")/>
    }
}

/// The address of whoever edits, in one step.
fn mine(inside: &Inside, list: &Allowlist) -> Option<AnyView> {
    let address = own_address(inside)?;
    if let Some(entry) = list.draft.naming(address, inside.now) {
        return Some(
            view! { <p class="meta">{format!("Your address, {address}, is in {}.", called(entry))}</p> }.into_any(),
        );
    }
    let fields = view! {
        {about(inside, list)}
        <input type="hidden" name="cidr" value=address.to_string()/>
        <input type="hidden" name="note" value=format!("{}’s address", inside.actor.name().unwrap_or("My"))/>
        <Button>{format!("Add mine, {address}")}</Button>
    };
    let form = FormState::of::<AddEntry>(&inside.visit).inline(fields);
    Some(view! { <div>{form}</div> }.into_any())
}

fn reporting(inside: &Inside, list: &Allowlist) -> impl IntoView + use<> {
    let form = FormState::of::<SetReporting>(&inside.visit);
    let enforce = std::iter::once(Choice::new("", "Enforce it: keep everybody else out"));
    let report =
        REPORTING.map(|days| Choice::new(days.to_string(), format!("Only report, and decide within {days} days")));
    let now = match list.draft.decide_by {
        Some(at) => view! { <p>"The draft only reports. To be decided by " <ExactTime at/> "."</p> }.into_any(),
        None => view! { <p>"The draft is to be enforced."</p> }.into_any(),
    };
    let fields = view! {
        {about(inside, list)}
        <Select name="days" label="Once it is saved" choices=enforce.chain(report).collect() value=form.value("days") error=form.error("days")
            hint="A list that only reports keeps nobody out. The audit log then says who would have been, once an hour for each address."/>
        <div class="actions"><Button>"Change the draft"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="reporting" title="Enforce or only report">{now} {form}</Section> }
}

fn discard(inside: &Inside, list: &Allowlist) -> AnyView {
    let fields = view! { {about(inside, list)} <Button>"Discard the draft"</Button> };
    FormState::of::<DiscardDraft>(&inside.visit).inline(fields)
}
