//! `/w/{slug}/retention`: how long the audit log is kept, what another time would remove, and the receipts of what was.

use super::{
    holds,
    server_fns::{ChangeRetention, KeepRetention},
};
use crate::{
    forms::FormState,
    page::{Inside, page},
    ui::{
        Banner, Button, ButtonKind, Choice, CodeBlock, Column, ExactTime, Fact, Facts, PageHeader, Section, Select,
        Table, TextField, TimeAgo, Times, Tone, count,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    permissions::Permission,
    retention::{Preview, Pruned, Retention, Waiting, operations},
};

/// `/w/{slug}/retention`.
#[component]
pub fn RetentionPage() -> impl IntoView {
    page("Retention", "retention", |inside| async move {
        let shown = operations::show(&inside.visit.ctx, &inside.actor).await?;
        let may_change = inside.actor.may(Permission::RetentionUpdate);
        let retention = &shown.retention;
        let oldest = shown
            .oldest
            .map(|(seq, at)| view! { <Fact label="Oldest event">{format!("#{seq}, ")}<ExactTime at/></Fact> });
        let waiting = retention.waiting.map(|waiting| waits(&inside, retention, waiting, may_change));
        let (kept, allowed) = (days(retention.audit_days), days(retention.max_days));
        let changing = (may_change && !retention.is_beyond_plan()).then(|| change(&inside, retention));
        let previews = previews(retention, shown.previews);
        Ok::<_, AppError>(view! {
            <PageHeader title="Retention" subtitle="How long the audit log is kept. A year is the least, on every plan."/>
            {holds::banner(&shown.holds)}
            {waiting}
            <Facts>
                <Fact label="Kept for">{kept}</Fact>
                <Fact label="Your plan allows">{allowed}</Fact>
                {oldest}
            </Facts>
            {previews}
            {changing}
            {holds::section(&inside, shown.holds)}
            {receipts(shown.pruned)}
            <Times/>
        })
    })
}

fn days(days: u32) -> String {
    match days % 365 {
        0 if days == 365 => "365 days (a year)".to_owned(),
        0 => format!("{} days ({} years)", count(days.into()), days / 365),
        _ => format!("{} days", count(days.into())),
    }
}

fn waits(inside: &Inside, retention: &Retention, waiting: Waiting, may_change: bool) -> impl IntoView + use<> {
    let now = inside.now;
    let form = FormState::of::<KeepRetention>(&inside.visit);
    let keep = format!("Keep {} days", count(retention.audit_days.min(retention.max_days).into()));
    let title = format!("A shorter time waits: {}", days(waiting.audit_days));
    let is_of_plan = retention.is_bound();
    let why =
        is_of_plan.then_some("Your plan comes with no more. Export what you need before, or place a legal hold. ");
    let form = (may_change && !is_of_plan).then(|| {
        form.view(view! {
            <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
            <div class="actions"><Button>{keep}</Button></div>
        })
    });
    view! {
        <Banner tone=Tone::Warn title>
            <p>{why}"It counts " <TimeAgo at=waiting.until now/> ". Then what is older is removed, for good."</p>
            {form}
        </Banner>
    }
}

fn previews(retention: &Retention, previews: Vec<Preview>) -> impl IntoView + use<> {
    let current = retention.audit_days;
    let rows = previews.into_iter().map(|preview| {
        let mark = (preview.days == current).then_some(" (as it is)");
        let what = match preview.events {
            0 => "nothing".to_owned(),
            1 => "1 event".to_owned(),
            events => format!("{} events", count(events.unsigned_abs())),
        };
        view! {
            <tr>
                <th scope="row">{days(preview.days)}{mark}</th>
                <td data-label="Would remove today">{what}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let head = ["Kept for", "Would remove today"].map(Column::text).to_vec();
    let text = "Events go in whole sealed groups of 256. What is left of them is a signed checkpoint, so that the rest still verifies.";
    view! { <Section id="choices" title="What each time means" text><Table caption="Times to choose from" head>{rows}</Table></Section> }
}

fn change(inside: &Inside, retention: &Retention) -> impl IntoView + use<> {
    let form = FormState::of::<ChangeRetention>(&inside.visit);
    let value = if form.is_refused() {
        form.value("audit_days")
    } else {
        retention.audit_days.min(retention.max_days).to_string()
    };
    let choices = retention.choices().map(|choice| Choice::new(choice.to_string(), days(choice))).collect::<Vec<_>>();
    let hint = format!("Only to shorten it: type {}.", inside.here.slug);
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <Select name="audit_days" label="Keep the audit log for" choices value error=form.error("audit_days")/>
        <TextField name="confirm" label="The workspace's name in URLs" hint autocomplete="off" value="" error=form.error("confirm")/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Save"</Button></div>
    };
    let form = form.view(fields);
    let text = "A longer time counts at once. A shorter one waits a week, your security contacts are told, and it can be called off until then.";
    view! { <Section id="change" title="Change it" text>{form}</Section> }
}

fn receipts(pruned: Vec<Pruned>) -> AnyView {
    if pruned.is_empty() {
        return ().into_any();
    }
    let rows = pruned.into_iter().map(|gone| {
        let title = format!("Events #{} to #{}", gone.from, gone.to);
        view! {
            <li class="stack">
                <p>{title}", removed "<ExactTime at=gone.at/>". The last of them was of "<ExactTime at=gone.last_at/>"."</p>
                <CodeBlock code=gone.note label="Receipt"/>
            </li>
        }
    });
    let rows = rows.collect_view();
    let text = "A receipt is a checkpoint of exactly what went and all before it, signed with the key of the log.";
    view! { <Section id="receipts" title="What was removed" text><ol class="stack">{rows}</ol></Section> }.into_any()
}
