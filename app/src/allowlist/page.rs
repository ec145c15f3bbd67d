//! `/w/{slug}/allowlist`: what is in force at each door, what waits to be confirmed, and whether an address gets in.

use super::server_fns::{ConfirmChange, UndoChange};
use crate::{
    forms::FormState,
    page::{Inside, page, path_in},
    ui::{
        Badge, Banner, Button, ButtonKind, ButtonLink, Column, Empty, ExactTime, PageHeader, Section, Status as Look,
        Table, TextField, TimeAgo, Times, Tone, count,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    allowlist::{Allowlist, Door, Entry, Network, Rules, State, operations, parse_address},
    audit_log::Action,
    permissions::Permission,
};
use std::net::IpAddr;
use time::OffsetDateTime;

/// The door that a form or a path names.
///
/// # Errors
/// [`AppError::NotFound`]: there is no other.
pub fn door(text: &str) -> Result<Door, AppError> {
    text.parse().map_err(|()| AppError::NotFound)
}

/// In the form that changes an entry: it expires when it did before.
pub const KEEP: &str = "keep";

/// Where the list of a door is drafted.
pub fn draft_path(slug: &str, door: Door) -> String {
    path_in(slug, &format!("allowlist/{}", door.as_str()))
}

/// What every form on a list sends.
pub fn about(inside: &Inside, list: &Allowlist) -> impl IntoView + use<> {
    view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="door" value=list.door.as_str()/>
        <input type="hidden" name="version" value=list.version.to_string()/>
    }
}

/// The address of whoever looks at the page.
pub fn own_address(inside: &Inside) -> Option<IpAddr> {
    inside.visit.request().address?.parse().ok()
}

/// `/w/{slug}/allowlist`.
#[component]
pub fn Lists() -> impl IntoView {
    let asked = use_query_map().with_untracked(|query| query.get("address")).unwrap_or_default();
    page("Allowlist", "allowlist", |inside| async move {
        let lists = operations::show(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let is_new = lists.iter().all(|list| list.in_force.state() == State::Off && !list.is_drafted());
        let is_new = is_new && lists.iter().all(|list| list.reverts_at.is_none());
        let waiting = lists.iter().map(|list| waiting(&inside, list)).collect_view();
        let check = check(&inside, &lists, &asked);
        let subtitle = summary(&inside, &lists);
        let content = match is_new {
            true => nothing_yet(&inside),
            false => lists.iter().map(|list| section(&inside, list)).collect_view().into_any(),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Allowlist" subtitle/>
            {unnamed_proxy(&inside)}
            {FormState::of::<ConfirmChange>(&inside.visit).problem()}
            {FormState::of::<UndoChange>(&inside.visit).problem()}
            {waiting}
            {content}
            {check}
            <Times/>
        })
    })
}

/// Behind a proxy that the server does not know of, a list would see one address for everybody.
fn unnamed_proxy(inside: &Inside) -> Option<AnyView> {
    let proxy = inside.visit.unnamed_proxy()?;
    let text = format!(
        "Your request was passed on by {proxy}, which is not among the trusted proxies of this server. If that is a proxy of yours, \
         everybody seems to come from it: whoever runs the server names it in SEND0_TRUSTED_PROXIES, before you enforce a list."
    );
    Some(
        view! { <Banner tone=Tone::Warn title="Addresses may not be what they seem"><p>{text}</p></Banner> }.into_any(),
    )
}

fn summary(inside: &Inside, [dashboard, api]: &[Allowlist; 2]) -> String {
    let from = own_address(inside).map(|address| format!(" You come from {address}.")).unwrap_or_default();
    format!("The dashboard: {}. The API: {}.{from}", in_short(&dashboard.in_force), in_short(&api.in_force))
}

fn in_short(rules: &Rules) -> String {
    let entries = match rules.entries.len() {
        1 => "1 entry".to_owned(),
        number => format!("{} entries", count(number as u64)),
    };
    match rules.state() {
        State::Off => "off".into(),
        State::ReportOnly => format!("only reports, {entries}"),
        State::Enforced => format!("enforced, {entries}"),
    }
}

fn nothing_yet(inside: &Inside) -> AnyView {
    let text = "An allowlist names the networks from which people open the dashboard, or keys call the API: the office, the \
        VPN, the build servers. A stolen password or key is then worth nothing elsewhere. Before a list counts you see whom \
        it would have shut out, and what nobody confirms reverts after ten minutes.";
    let title = "People and keys get in from everywhere";
    if !inside.actor.may(Permission::AllowlistUpdate) {
        return view! { <Empty title text=format!("{text} Ask an owner or an admin to draft one.")/> }.into_any();
    }
    let [dashboard, api] = Door::ALL.map(|door| draft_path(&inside.here.slug, door));
    let action = view! {
        <ButtonLink href=dashboard kind=ButtonKind::Primary>"Draft a list for the dashboard"</ButtonLink>
        <ButtonLink href=api>"Draft a list for the API"</ButtonLink>
    };
    view! { <Empty title text action=action.into_any()/> }.into_any()
}

/// A change that goes back by itself, and a report that somebody should decide about.
fn waiting(inside: &Inside, list: &Allowlist) -> impl IntoView + use<> {
    let may = inside.actor.may(Permission::AllowlistUpdate);
    let pending = list.reverts_at.map(|at| {
        let forms = may.then(|| view! { <div class="actions">{confirm(inside, list)} {undo(inside, list)}</div> });
        let title = format!("The list of {} is not confirmed yet", list.door.name());
        view! {
            <Banner tone=Tone::Warn title>
                <p>"It reverts at " <ExactTime at/> " unless confirmed from an address that it lets in."</p>
                {forms}
            </Banner>
        }
    });
    let overdue = list.in_force.decide_by.filter(|at| *at <= inside.now && list.in_force.state() == State::ReportOnly);
    let decide = overdue.map(|_| {
        let title = format!("Decide about the list of {}", list.door.name());
        view! {
            <Banner tone=Tone::Info title>
                <p>"The time in which it only reports is over. It keeps nobody out until somebody enforces it."</p>
            </Banner>
        }
    });
    (pending, decide)
}

fn confirm(inside: &Inside, list: &Allowlist) -> AnyView {
    let fields = view! { {about(inside, list)} <Button kind=ButtonKind::Primary>"Confirm"</Button> };
    FormState::of::<ConfirmChange>(&inside.visit).inline(fields)
}

fn undo(inside: &Inside, list: &Allowlist) -> AnyView {
    let fields = view! { {about(inside, list)} <Button>"Undo now"</Button> };
    FormState::of::<UndoChange>(&inside.visit).inline(fields)
}

fn section(inside: &Inside, list: &Allowlist) -> impl IntoView + use<> {
    let (id, title) = match list.door {
        Door::Dashboard => ("dashboard", "Dashboard"),
        Door::Api => ("api", "API"),
    };
    let text = match list.in_force.state() {
        State::Off => "Everybody gets in from everywhere.",
        State::ReportOnly => "Everybody gets in from everywhere. Who would be kept out is written to the audit log.",
        State::Enforced => "Only these get in. Everybody else is refused with their next request.",
    };
    let decide = list.in_force.decide_by.filter(|_| list.in_force.state() == State::ReportOnly);
    let decide = decide.map(|at| view! { <p class="meta">"To be decided by " <ExactTime at/></p> });
    let table = (!list.in_force.entries.is_empty()).then(|| table(inside, &list.in_force.entries));
    let (badge, actions) = (badge(&list.in_force), edit(inside, list));
    view! {
        <Section id title text>
            <p>{badge}</p>
            {decide}
            {table}
            {actions}
        </Section>
    }
}

/// How a list stands.
pub fn badge(rules: &Rules) -> impl IntoView + use<> {
    let (status, word) = match rules.state() {
        State::Off => (Look::Off, "off"),
        State::ReportOnly => (Look::Pending, "only reports"),
        State::Enforced => (Look::Ok, "enforced"),
    };
    view! { <Badge status word/> }
}

fn table(inside: &Inside, entries: &[Entry]) -> impl IntoView + use<> {
    let now = inside.now;
    let rows = entries.iter().map(move |entry| {
        view! {
            <tr>
                <th scope="row">{network(entry.network)}</th>
                <td data-label="Note">{entry.note.clone()}</td>
                <td data-label="Expires">{expiry(entry, now)}</td>
                <td data-label="Added"><TimeAgo at=entry.added_at now/></td>
            </tr>
        }
    });
    let (rows, head) = (rows.collect_view(), ["Network", "Note", "Expires", "Added"].map(Column::text).to_vec());
    view! { <Table caption="Entries in force" head>{rows}</Table> }
}

/// A network, and what it means.
pub fn network(network: Network) -> impl IntoView {
    let range = match network.size() {
        Some(1) => None,
        Some(size) => Some(format!("{} to {}, {} addresses", network.first(), network.last(), count(size))),
        None => Some(format!("{} to {}", network.first(), network.last())),
    };
    view! { <code>{network.to_string()}</code> {range.map(|range| view! { <br/><span class="meta">{range}</span> })} }
}

/// When an entry stops.
pub fn expiry(entry: &Entry, now: OffsetDateTime) -> AnyView {
    match entry.expires_at {
        None => view! { <span class="meta">"never"</span> }.into_any(),
        Some(at) if entry.holds(now) => view! { <TimeAgo at now/> }.into_any(),
        Some(at) => view! { <Badge status=Look::Off word="expired"/> " " <TimeAgo at now/> }.into_any(),
    }
}

fn edit(inside: &Inside, list: &Allowlist) -> Option<AnyView> {
    let draft = draft_path(&inside.here.slug, list.door);
    inside.actor.may(Permission::AllowlistUpdate).then(|| {
        let name = list.door.name();
        let review = list.is_drafted().then(|| {
            view! { <ButtonLink href=format!("{draft}/review")>{format!("Review the draft for {name}")}</ButtonLink> }
        });
        view! {
            <div class="actions">
                <ButtonLink href=draft>{format!("Edit the list of {name}")}</ButtonLink>
                {review}
            </div>
        }
        .into_any()
    })
}

fn check(inside: &Inside, lists: &[Allowlist; 2], asked: &str) -> impl IntoView + use<> {
    let address = parse_address(asked);
    let error = (!asked.is_empty() && address.is_none()).then(|| format!("{asked} is no address such as 203.0.113.7."));
    let found = address.map(|address| {
        let lines = lists.iter().map(|list| answer(list, address, inside.now)).collect_view();
        view! { <ul class="stack">{lines}</ul> }
    });
    let (action, asked) = (format!("{}#check", inside.path("allowlist")), asked.to_owned());
    view! {
        <Section id="check" title="Check an address" text="Whether it gets in now, and by which entry.">
            <form class="form" method="get" action=action>
                <TextField name="address" label="Address" required=true mono=true autocomplete="off" value=asked error/>
                <div class="actions"><Button>"Check"</Button></div>
            </form>
            {found}
        </Section>
    }
}

fn answer(list: &Allowlist, address: IpAddr, now: OffsetDateTime) -> impl IntoView + use<> {
    let door = list.door.name();
    let (status, word, text) = match (list.in_force.state(), list.in_force.naming(address, now)) {
        (State::Off, _) => (Look::Off, "let in", format!("{address} gets into {door}: its list is off.")),
        (_, Some(entry)) => (Look::Ok, "let in", format!("{address} gets into {door} by {}.", called(entry))),
        (State::ReportOnly, None) => (
            Look::Pending,
            "let in",
            format!("{address} gets into {door} only because its list only reports: no entry names it."),
        ),
        (State::Enforced, None) => {
            (Look::Warn, "kept out", format!("{address} does not get into {door}: no entry names it."))
        }
    };
    view! { <li><Badge status word/> " " {text}</li> }
}

/// A network with its note.
pub fn called(entry: &Entry) -> String {
    if entry.note.is_empty() { entry.network.to_string() } else { format!("{} ({})", entry.network, entry.note) }
}
