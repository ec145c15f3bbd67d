//! `/w/{slug}/notices`: what is announced about subprocessors, and what the workspace says to it.

use super::{
    parts::{deadline, differences, kind, state},
    server_fns::AnswerNotice,
};
use crate::{
    forms::FormState,
    page::{Inside, id_param, page, param},
    ui::{
        Badge, Banner, Button, ButtonKind, Choice, Column, Empty, ExactTime, Fact, Facts, PageHeader, RadioCards,
        Section, Status as Look, Table, TextArea, TimeAgo, Times, Tone, ZonedTime,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::Action,
    permissions::Permission,
    subprocessors::{Answer, Delivery, REASON_MAX, Received, State, notices},
    workspaces,
};
use time::OffsetDateTime;

/// `/w/{slug}/notices`.
#[component]
pub fn Notices() -> impl IntoView {
    page("Notices", "notices", |inside| async move {
        let all = notices::list(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let zone = zone(&inside).await?;
        let open = all.iter().filter(|one| one.notice.state() == State::Announced && one.answer.is_none()).count();
        let subtitle = match open {
            0 => "Changes of the companies that process data for send0, announced 30 days ahead.".to_owned(),
            1 => "One change is announced and not answered yet.".to_owned(),
            open => format!("{open} changes are announced and not answered yet."),
        };
        let content = match all.is_empty() {
            true => nothing_yet().into_any(),
            false => table(&inside, &zone, all).into_any(),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Notices" subtitle/>
            {content}
            <p><a href="/subprocessors">"The list of subprocessors"</a></p>
            <Times/>
        })
    })
}

fn nothing_yet() -> impl IntoView {
    view! {
        <Empty title="No notices yet" text="When a company is to be added, changed or removed that processes data for send0, it stands \
            here at least 30 full days before, and your security contacts are told by mail. You can acknowledge it, or object."/>
    }
}

/// In which everybody in the workspace reads a deadline.
async fn zone(inside: &Inside) -> Result<String, AppError> {
    Ok(workspaces::operations::show(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?.time_zone)
}

fn table(inside: &Inside, zone: &str, all: Vec<Received>) -> impl IntoView + use<> {
    let head = ["Notice", "In effect from", "State", "Your answer"].map(Column::text).to_vec();
    let now = inside.now;
    let rows = all
        .into_iter()
        .map(|one| {
            let href = inside.path(&format!("notices/{}", one.notice.id));
            let new = (!one.is_seen).then(|| view! { " " <Badge status=Look::Pending word="new"/> });
            view! {
                <tr>
                    <th scope="row"><a href=href>{one.notice.title()}</a>{new}</th>
                    <td data-label="In effect from">{deadline(zone, one.notice.effective_at, now)}</td>
                    <td data-label="State">{state(&one.notice)}</td>
                    <td data-label="Your answer">{answered(&one, now)}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Notices" head>{rows}</Table> }
}

/// An objection without an answer, on the day of the change and after it, is said to both sides.
pub fn answered(one: &Received, now: OffsetDateTime) -> AnyView {
    let (status, word) = match (&one.answer, &one.reply) {
        (None, _) if one.notice.state() == State::Announced => (Look::Pending, "none yet"),
        (None, _) => (Look::Off, "none"),
        (Some((Answer::Acknowledged, ..)), _) => (Look::Ok, "acknowledged"),
        (Some(_), Some(_)) => (Look::Warn, "objected, answered"),
        (Some(_), None) if one.notice.effective_at <= now => (Look::Danger, "objected, never answered"),
        (Some(_), None) => (Look::Warn, "objected"),
    };
    view! { <Badge status word/> }.into_any()
}

/// `/w/{slug}/notices/{id}`.
#[component]
pub fn Notice() -> impl IntoView {
    let id = param("id");
    page("Notice", "notices", |inside| async move {
        let (received, deliveries) = notices::look(&inside.visit.ctx, &inside.actor, id_param(&id)?).await?;
        let (notice, zone) = (received.notice.clone(), zone(&inside).await?);
        let is_open = notice.state() == State::Announced && notice.effective_at > inside.now;
        let form = (is_open && inside.actor.may(Permission::NoticesAnswer)).then(|| form(&inside, &received));
        let subtitle = format!("{} {}.", notice.details.vendor, kind(&notice));
        Ok::<_, AppError>(view! {
            <PageHeader title=notice.title() subtitle/>
            {withdrawn(&received)}
            {unanswered(&received, inside.now)}
            {facts(&received, &zone, inside.now)}
            <Section id="changes" title="What changes" text=notice.why.clone()>{differences(&notice)}</Section>
            {conversation(&received)}
            {form}
            {(!deliveries.is_empty()).then(|| mails(deliveries, inside.now))}
            <Times/>
        })
    })
}

fn withdrawn(received: &Received) -> Option<AnyView> {
    let (at, why) = received.notice.withdrawn.clone()?;
    Some(
        view! { <Banner tone=Tone::Info title="This will not happen"><p>{why} " " <ExactTime at/></p></Banner> }
            .into_any(),
    )
}

fn unanswered(received: &Received, now: OffsetDateTime) -> Option<AnyView> {
    let is_late =
        received.is_unanswered() && received.notice.effective_at <= now && received.notice.withdrawn.is_none();
    is_late.then(|| {
        view! {
            <Banner tone=Tone::Warn title="Your objection was never answered">
                <p>"The day of the change has come. It stands like this in your audit log and in ours."</p>
            </Banner>
        }
        .into_any()
    })
}

fn facts(received: &Received, zone: &str, now: OffsetDateTime) -> impl IntoView + use<> {
    let notice = &received.notice;
    let (state, answer) = (state(notice), answered(received, now));
    let first = notice.is_postponed().then_some(notice.first_effective_at).flatten();
    let first = first.map(|at| {
        let zone = zone.to_owned();
        view! { <Fact label="Announced for"><ZonedTime at zone/></Fact> }
    });
    let published =
        notice.published_at.map(|at| view! { <Fact label="Announced"><ExactTime at/>", "<TimeAgo at now/></Fact> });
    let (in_effect, id) = (deadline(zone, notice.effective_at, now), notice.id.to_string());
    view! {
        <Facts>
            <Fact label="State">{state}</Fact>
            <Fact label="In effect from">{in_effect}</Fact>
            {first}
            {published}
            <Fact label="Your answer">{answer}</Fact>
            <Fact label="Id"><code>{id}</code></Fact>
        </Facts>
    }
}

fn conversation(received: &Received) -> Option<AnyView> {
    let (answer, by, at) = received.answer.clone()?;
    let Answer::Objected(reason) = answer else { return None };
    let reply = received.reply.clone().map(|(said, at)| {
        view! { <blockquote class="said"><p class="pre-line">{said}</p><footer class="meta">"send0, "<ExactTime at/></footer></blockquote> }
    });
    let by = by.unwrap_or_else(|| "Somebody".into());
    Some(
        view! {
            <Section id="objection" title="Objection">
                <blockquote class="said"><p class="pre-line">{reason}</p><footer class="meta">{by}", "<ExactTime at/></footer></blockquote>
                {reply}
            </Section>
        }
        .into_any(),
    )
}

fn form(inside: &Inside, received: &Received) -> impl IntoView + use<> {
    let form = FormState::of::<AnswerNotice>(&inside.visit);
    let choices = vec![
        Choice::new("acknowledged", "Acknowledge").hint("We have read it and have nothing against it."),
        Choice::new("objected", "Object").hint("It must not be like this. send0 answers, to your contacts and here."),
    ];
    let given = received.answer.as_ref().map(|(answer, ..)| answer.as_str().to_owned()).unwrap_or_default();
    let value = if form.is_refused() { form.value("answer") } else { given };
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=received.notice.id.to_string()/>
        <RadioCards name="answer" legend="Your answer" choices value error=form.error("answer")/>
        <TextArea name="reason" label="Reason of an objection" value=form.value("reason") error=form.error("reason")
            hint=format!("What must not be, and why. At most {REASON_MAX} characters. send0's staff reads it.")/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Send the answer"</Button></div>
    };
    let form = form.view(fields);
    let text = "Until it is in effect you can change your answer. Both audit logs have every one.";
    view! { <Section id="your-answer" title="Answer" text>{form}</Section> }
}

fn mails(deliveries: Vec<Delivery>, now: OffsetDateTime) -> impl IntoView {
    let head = ["Contact", "About", "Written", "Delivery"].map(Column::text).to_vec();
    let rows = deliveries
        .into_iter()
        .map(|mail| {
            let about = mail.about.replace('_', " ");
            let outcome = delivery(&mail, now);
            view! {
                <tr>
                    <th scope="row">{mail.email}</th>
                    <td data-label="About">{about}</td>
                    <td data-label="Written"><TimeAgo at=mail.told_at now/></td>
                    <td data-label="Delivery">{outcome}</td>
                </tr>
            }
        })
        .collect_view();
    let table = view! { <Table caption="Mails to your contacts" head>{rows}</Table> };
    view! { <Section id="mails" title="Who was told">{table}</Section> }
}

fn delivery(mail: &Delivery, now: OffsetDateTime) -> AnyView {
    let why = mail.last_error.clone().map(|why| format!(" {why}, tried {} times", mail.attempts));
    match (mail.delivered_at, mail.failed_at) {
        (Some(at), _) => view! { <Badge status=Look::Ok word="sent"/> " " <TimeAgo at now/> }.into_any(),
        (None, Some(_)) => view! { <Badge status=Look::Danger word="given up"/> {why} }.into_any(),
        (None, None) => view! { <Badge status=Look::Pending word="on its way"/> {why} }.into_any(),
    }
}
