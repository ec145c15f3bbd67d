//! `/w/{slug}/allowlist/{door}/review`: who would still get in, who would be shut out, by name; then save.

use super::{
    page::{about, badge, called, door, draft_path},
    server_fns::SaveDraft,
};
use crate::{
    forms::FormState,
    page::{Inside, page, param},
    ui::{
        Banner, Button, ButtonKind, ButtonLink, ExactTime, Fact, Facts, PageHeader, Section, Tag, TimeAgo, Times, Tone,
        count,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    allowlist::{Allowlist, Door, Entry, Origin, Seen, Somebody, State, operations, operations::Preview},
    audit_log::Action,
};

/// `/w/{slug}/allowlist/{door}/review`.
#[component]
pub fn Review() -> impl IntoView {
    let of = param("door");
    page("Review an allowlist", "allowlist", |inside| async move {
        let (ctx, actor) = (&inside.visit.ctx, &inside.actor);
        let preview = operations::preview(ctx, actor, door(&of)?, Action::PageViewed).await?;
        let title = format!("Review the list of {}", preview.list.door.name());
        let (scope, changes, save) = (scope(&preview), changes(&preview.list), save(&inside, &preview));
        let fates = fates(&inside, preview);
        Ok::<_, AppError>(view! {
            <PageHeader title subtitle="The draft, played against who came from where. Nothing counts yet."/>
            {changes}
            {scope}
            {fates}
            {save}
            <Times/>
        })
    })
}

fn changes(list: &Allowlist) -> impl IntoView + use<> {
    let missing_in = |entries: &[Entry], others: &[Entry]| {
        let missing = entries.iter().filter(|entry| !others.iter().any(|other| other.id == entry.id));
        let names: Vec<String> = missing.map(called).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let comes = missing_in(&list.draft.entries, &list.in_force.entries);
    let goes = missing_in(&list.in_force.entries, &list.draft.entries);
    let (now, then) = (badge(&list.in_force), badge(&list.draft));
    view! {
        <Facts>
            <Fact label="Comes in">{comes}</Fact>
            <Fact label="Goes out">{goes}</Fact>
            <Fact label="Now">{now}</Fact>
            <Fact label="Once saved">{then}</Fact>
        </Facts>
    }
}

/// How far back it was looked.
fn scope(preview: &Preview) -> impl IntoView + use<> {
    let at = preview.since;
    let why = match preview.is_cut {
        true => " There were too many requests to look at all of the last 30 days.",
        false => "",
    };
    view! { <p class="meta">"Looked at: what the audit log has since " <ExactTime at/> "." {why}</p> }
}

/// The two columns.
fn fates(inside: &Inside, preview: Preview) -> impl IntoView + use<> {
    let (gets_in, shut_out) = (preview.replay.gets_in, preview.replay.shut_out);
    let number = |seen: &[Seen]| match seen.len() {
        0 => "Nobody".to_owned(),
        1 => "1 name".to_owned(),
        number => format!("{} names", count(number as u64)),
    };
    let (inside_text, outside_text) = (number(&gets_in), number(&shut_out));
    let outside_text = match preview.list.draft.state() {
        State::ReportOnly => format!("{outside_text}. The list only reports: they still get in."),
        _ => outside_text,
    };
    let unseen = unseen(preview.list.door, preview.replay.unseen);
    let (gets_in, shut_out) = (people(inside, gets_in), people(inside, shut_out));
    view! {
        <div class="sides">
            <Section id="gets-in" title="Would still get in" text=inside_text>{gets_in}</Section>
            <Section id="shut-out" title="Would be shut out" text=outside_text>{shut_out}</Section>
        </div>
        {unseen}
    }
}

fn people(inside: &Inside, seen: Vec<Seen>) -> impl IntoView + use<> {
    let items = seen.into_iter().map(|seen| {
        let you = (seen.who.id == inside.actor.id()).then(|| view! { " " <Tag word="you"/> });
        let from = seen.from.into_iter().map(|origin| place(inside, origin)).collect_view();
        view! {
            <li>
                <div>{seen.who.name} {you} <ul class="plain-list hint">{from}</ul></div>
                <span class="meta">{requests(seen.requests)}</span>
            </li>
        }
    });
    let items = items.collect_view();
    (!items.is_empty()).then(|| view! { <ul class="steps">{items}</ul> })
}

fn place(inside: &Inside, origin: Origin) -> impl IntoView + use<> {
    let by = origin.by.as_ref().map(|entry| format!(", by {}", called(entry)));
    let (at, now) = (origin.last_at, inside.now);
    view! { <li><code>{origin.address}</code> {format!(" {}, last ", requests(origin.requests))} <TimeAgo at now/> {by}</li> }
}

fn requests(number: i64) -> String {
    match number {
        1 => "1 request".into(),
        number => format!("{} requests", count(number.unsigned_abs())),
    }
}

fn unseen(door: Door, who: Vec<Somebody>) -> Option<AnyView> {
    let text = match door {
        Door::Dashboard => "They were not here in this time, so nothing can be said.",
        Door::Api => "These keys were not used in this time, so nothing can be said.",
    };
    (!who.is_empty()).then(|| {
        let names: Vec<String> = who.into_iter().map(|who| who.name).collect();
        view! { <Section id="unseen" title="Not known" text><p>{names.join(", ")}</p></Section> }.into_any()
    })
}

fn save(inside: &Inside, preview: &Preview) -> AnyView {
    let draft = draft_path(&inside.here.slug, preview.list.door);
    let back = view! { <ButtonLink href=draft kind=ButtonKind::Quiet>"Back to the draft"</ButtonLink> };
    let refusal = match (&preview.refusal, preview.list.is_drafted()) {
        (Some(refusal), _) => Some(refusal.clone()),
        (None, false) => Some("The draft is what is in force already.".into()),
        (None, true) => None,
    };
    if let Some(refusal) = refusal {
        return view! {
            {FormState::of::<SaveDraft>(&inside.visit).problem()}
            <Banner tone=Tone::Warn title="This cannot be saved"><p>{refusal}</p></Banner>
            <div class="actions">{back}</div>
        }
        .into_any();
    }
    let form = FormState::of::<SaveDraft>(&inside.visit).view(view! {
        {about(inside, &preview.list)}
        <div class="actions"><Button kind=ButtonKind::Primary>"Save the list"</Button> {back}</div>
    });
    let text = "It counts from the next request on, for those who are signed in too. It reverts after ten minutes unless it is \
        confirmed from an address that it lets in.";
    view! { <Section id="save" title="Save" text>{form}</Section> }.into_any()
}
