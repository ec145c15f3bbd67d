//! The list of security contacts, and a contact's own page.

use super::server_fns::{AddContact, ChangeContact, RemoveContact, TestContact};
use crate::{
    forms::FormState,
    page::{Inside, id_param, page, param},
    ui::{
        Badge, Button, ButtonKind, CheckboxGroup, Choice, Column, DangerZone, Fact, Facts, PageHeader, Section,
        Status as Look, Table, TextField, TimeAgo, Times,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::Action,
    contacts::{ContactView, HOURS, NoticeKind, Standing, operations},
};
use time::OffsetDateTime;

/// `/w/{slug}/contacts`.
#[component]
pub fn Contacts() -> impl IntoView {
    page("Security contacts", "contacts", |inside| async move {
        let contacts = operations::list(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let subtitle = match contacts.iter().filter(|contact| contact.is_told()).count() {
            1 => "One contact is told of changes to keys, people and policies.".to_owned(),
            told => format!("{told} contacts are told of changes to keys, people and policies."),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Security contacts" subtitle/>
            {table(&inside, contacts)}
            {adding(&inside)}
            <Times/>
        })
    })
}

fn table(inside: &Inside, contacts: Vec<ContactView>) -> impl IntoView + use<> {
    let head = ["Contact", "Mail address", "Told about", "Status", "Last test"].map(Column::text).to_vec();
    let rows = contacts.into_iter().map(|contact| row(inside, contact)).collect_view();
    view! { <Table caption="Security contacts" head>{rows}</Table> }
}

fn row(inside: &Inside, contact: ContactView) -> impl IntoView + use<> {
    let now = inside.now;
    let kinds = contact.kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>().join(", ");
    let told = if contact.kinds.len() == NoticeKind::ALL.len() { "everything".to_owned() } else { kinds };
    view! {
        <tr>
            <th scope="row"><a href=inside.path(&format!("contacts/{}", contact.id))>{contact.called().to_owned()}</a></th>
            <td data-label="Mail address">{contact.email.clone()}</td>
            <td data-label="Told about">{told}</td>
            <td data-label="Status">{standing(&contact, now)}</td>
            <td data-label="Last test">{tested(&contact, now)}</td>
        </tr>
    }
}

fn standing(contact: &ContactView, now: OffsetDateTime) -> AnyView {
    match contact.standing {
        Standing::Member => view! { <Badge status=Look::Ok word="member"/> }.into_any(),
        Standing::Confirmed(at) => view! { <Badge status=Look::Ok word="confirmed"/> " " <TimeAgo at now/> }.into_any(),
        Standing::Waits(until) if until > now => {
            view! { <Badge status=Look::Pending word="waits"/> ", void " <TimeAgo at=until now/> }.into_any()
        }
        Standing::Waits(_) => view! { <Badge status=Look::Off word="link expired"/> }.into_any(),
    }
}

fn tested(contact: &ContactView, now: OffsetDateTime) -> AnyView {
    match contact.tested_at {
        Some(at) => view! { <TimeAgo at now/> }.into_any(),
        None => view! { <span class="meta">"never"</span> }.into_any(),
    }
}

fn adding(inside: &Inside) -> impl IntoView + use<> {
    let form = FormState::of::<AddContact>(&inside.visit);
    let chosen = if form.is_refused() { form.values("kinds[]") } else { all() };
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <TextField name="email" label="Mail address" kind="email" required=true value=form.value("email") error=form.error("email")
            hint=format!("A member's, who is told from now on. Or one outside, such as that of a security team: it gets a link, \
                good for {HOURS} hours, and nothing else until that was opened. Name it again to send another link.")/>
        {kinds(chosen, form.error("kinds"))}
        <div class="actions"><Button kind=ButtonKind::Primary>"Add contact"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="add" title="Add a contact">{form}</Section> }
}

fn all() -> Vec<String> {
    NoticeKind::ALL.iter().map(ToString::to_string).collect()
}

fn kinds(values: Vec<String>, error: Option<String>) -> impl IntoView {
    let choice = |kind: &NoticeKind| Choice::new(kind.as_str(), kind.label()).hint(kind.sentence());
    let choices = NoticeKind::ALL.iter().map(choice).collect();
    view! { <CheckboxGroup name="kinds" legend="Told about" choices values error/> }
}

/// `/w/{slug}/contacts/{id}`.
#[component]
pub fn Contact() -> impl IntoView {
    let id = param("id");
    page("Security contact", "contacts", |inside| async move {
        let contact = operations::show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let test = contact.is_told().then(|| testing(&inside, &contact));
        Ok::<_, AppError>(view! {
            <PageHeader title=contact.called().to_owned() subtitle=contact.email.clone()/>
            {facts(&contact, inside.now)}
            {changing(&inside, &contact)}
            {test}
            {removal(&inside, &contact)}
            <Times/>
        })
    })
}

fn facts(contact: &ContactView, now: OffsetDateTime) -> impl IntoView + use<> {
    let (standing, tested) = (standing(contact, now), tested(contact, now));
    let (created_at, id) = (contact.created_at, contact.id.to_string());
    view! {
        <Facts>
            <Fact label="Status">{standing}</Fact>
            <Fact label="Named"><TimeAgo at=created_at now/></Fact>
            <Fact label="Last test">{tested}</Fact>
            <Fact label="Id"><code>{id}</code></Fact>
        </Facts>
    }
}

/// The fields that say which contact of which workspace.
fn which(inside: &Inside, contact: &ContactView) -> impl IntoView + use<> {
    view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=contact.id.to_string()/>
    }
}

fn changing(inside: &Inside, contact: &ContactView) -> impl IntoView + use<> {
    let form = FormState::of::<ChangeContact>(&inside.visit);
    let now = contact.kinds.iter().map(ToString::to_string).collect();
    let chosen = if form.is_refused() { form.values("kinds[]") } else { now };
    let fields = view! {
        {which(inside, contact)}
        {kinds(chosen, form.error("kinds"))}
        <div class="actions"><Button kind=ButtonKind::Primary>"Save"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="told-about" title="What they are told">{form}</Section> }
}

fn testing(inside: &Inside, contact: &ContactView) -> impl IntoView + use<> {
    let form = FormState::of::<TestContact>(&inside.visit)
        .view(view! { {which(inside, contact)} <div class="actions"><Button>"Send a test"</Button></div> });
    let text = "A mail that says no more than that it has arrived. At most one a minute.";
    view! { <Section id="test" title="Test the delivery" text>{form}</Section> }
}

fn removal(inside: &Inside, contact: &ContactView) -> impl IntoView + use<> {
    let form = FormState::of::<RemoveContact>(&inside.visit).view(view! {
        {which(inside, contact)}
        <div class="actions"><Button kind=ButtonKind::Danger>"Remove contact"</Button></div>
    });
    let text = format!(
        "Nothing more is sent to {}, and a link that waits there is void. A workspace keeps one contact: the last one cannot be removed.",
        contact.email
    );
    view! { <DangerZone id="remove" title="Remove this contact" text>{form}</DangerZone> }
}
