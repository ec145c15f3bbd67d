//! `/operator`: send0's own staff announces changes of subprocessors, and answers objections.

use super::{
    parts::{day, differences, kind, list, state},
    server_fns::{DiscardNotice, PostponeNotice, ProposeChange, PublishNotice, ReplyToObjection, WithdrawNotice},
};
use crate::{
    forms::FormState,
    page::{Operating, id_param, operator_page, param},
    ui::{
        Badge, Button, ButtonKind, ButtonLink, Column, DangerZone, ExactTime, Fact, Facts, PageHeader, Section,
        Status as Look, Table, TextArea, TextField, TimeAgo, Times,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    ids::{NoticeId, SubprocessorId, WorkspaceId},
    subprocessors::{Answer, Details, Kind, Notice, OfWorkspace, REASON_MAX, State, Subprocessor, WHY_MAX, operations},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// `/operator`.
#[component]
pub fn Console() -> impl IntoView {
    operator_page("Subprocessors", |operating| async move {
        let (ctx, actor) = (&operating.visit.ctx, &operating.actor);
        let public = operations::public(ctx).await?;
        let notices = operations::notices_of_all_states(ctx, actor).await?;
        let subtitle = match operations::unanswered(ctx, actor).await? {
            0 => "No objection waits for an answer.".to_owned(),
            1 => "One objection waits for an answer.".to_owned(),
            count => format!("{count} objections wait for an answer."),
        };
        let add = view! { <ButtonLink href="/operator/subprocessors/new" kind=ButtonKind::Primary>"Announce a new one"</ButtonLink> };
        let notices = match notices.is_empty() {
            true => view! { <p class="meta">"No notice yet."</p> }.into_any(),
            false => table(notices, operating.now).into_any(),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Subprocessors" subtitle action=add.into_any()/>
            <Section id="notices" title="Notices">{notices}</Section>
            <Section id="current" title="The list of now" text="A change is announced at least 30 full days ahead, and takes effect by itself.">
                {list(public.current, Some(links))}
            </Section>
            <Times/>
        })
    })
}

fn links(one: &Subprocessor) -> AnyView {
    let path = format!("/operator/subprocessors/{}", one.id);
    let vendor = one.details.vendor.clone();
    let named = vendor.clone();
    view! {
        <ButtonLink href=format!("{path}/change") kind=ButtonKind::Quiet>"Change "<span class="sr-only">{vendor}</span></ButtonLink>
        <ButtonLink href=format!("{path}/remove") kind=ButtonKind::Quiet>"Remove "<span class="sr-only">{named}</span></ButtonLink>
    }
    .into_any()
}

fn table(notices: Vec<Notice>, now: OffsetDateTime) -> impl IntoView {
    let head = ["Notice", "In effect from", "State"].map(Column::text).to_vec();
    let rows = notices
        .into_iter()
        .map(|notice| {
            view! {
                <tr>
                    <th scope="row"><a href=path(notice.id)>{notice.title()}</a></th>
                    <td data-label="In effect from">{day(notice.effective_at, now)}</td>
                    <td data-label="State">{state(&notice)}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Notices" head>{rows}</Table> }
}

fn path(id: NoticeId) -> String {
    format!("/operator/notices/{id}")
}

/// `/operator/subprocessors/new`.
#[component]
pub fn Add() -> impl IntoView {
    operator_page("Announce a new subprocessor", |operating| async move {
        Ok::<_, AppError>(view! {
            <PageHeader title="Announce a new subprocessor" subtitle="As a draft: it is published in a second step."/>
            {proposal(&operating, Kind::Add, None)}
        })
    })
}

/// `/operator/subprocessors/{id}/change`.
#[component]
pub fn ChangeOne() -> impl IntoView {
    let id = param("id");
    operator_page("Announce a change", |operating| async move {
        let one = find(&operating, id_param(&id)?).await?;
        Ok::<_, AppError>(view! {
            <PageHeader title=format!("Announce a change of {}", one.details.vendor) subtitle="As a draft: it is published in a second step."/>
            {proposal(&operating, Kind::Change, Some(&one))}
        })
    })
}

/// `/operator/subprocessors/{id}/remove`.
#[component]
pub fn RemoveOne() -> impl IntoView {
    let id = param("id");
    operator_page("Announce a removal", |operating| async move {
        let one = find(&operating, id_param(&id)?).await?;
        Ok::<_, AppError>(view! {
            <PageHeader title=format!("Announce the removal of {}", one.details.vendor) subtitle="As a draft: it is published in a second step."/>
            {proposal(&operating, Kind::Remove, Some(&one))}
        })
    })
}

async fn find(operating: &Operating, id: SubprocessorId) -> Result<Subprocessor, AppError> {
    let all = operations::public(&operating.visit.ctx).await?.current;
    all.into_iter().find(|one| one.id == id).ok_or(AppError::NotFound)
}

fn proposal(operating: &Operating, kind: Kind, one: Option<&Subprocessor>) -> impl IntoView + use<> {
    let form = FormState::of::<ProposeChange>(&operating.visit);
    let details = (kind != Kind::Remove).then(|| details(&form, one.map(|one| &one.details)));
    let fields = view! {
        <input type="hidden" name="of" value=one.map_or_else(|| kind.to_string(), |one| format!("{kind}:{}", one.id))/>
        {details}
        <TextArea name="why" label="Why" required=true rows=3 value=form.value("why") error=form.error("why")
            hint=format!("Customers read this. At most {WHY_MAX} characters.")/>
        <TextField name="effective_at" label="In effect from" kind="date" required=true value=form.value("effective_at") error=form.error("effective_at")
            hint="The day begins at midnight UTC. At least 30 full days after it is published: leave some room."/>
        <div class="actions">
            <Button kind=ButtonKind::Primary>"Save the draft"</Button>
            <ButtonLink href="/operator" kind=ButtonKind::Quiet>"Cancel"</ButtonLink>
        </div>
    };
    form.view(fields)
}

fn details(form: &FormState, of: Option<&Details>) -> impl IntoView + use<> {
    let value = |field: &str, now: fn(&Details) -> String| match (form.is_refused(), of) {
        (false, Some(details)) => now(details),
        _ => form.value(field),
    };
    view! {
        <TextField name="vendor" label="Vendor" required=true autocomplete="off" value=value("vendor", |of| of.vendor.clone()) error=form.error("vendor")/>
        <TextField name="purpose" label="Purpose" required=true autocomplete="off" value=value("purpose", |of| of.purpose.clone()) error=form.error("purpose")
            hint="What for, such as: Delivery of mail."/>
        <TextField name="data" label="Data" required=true autocomplete="off" value=value("data", |of| of.data.clone()) error=form.error("data")
            hint="Which data it gets, such as: Messages and addresses of recipients, in transit."/>
        <TextArea name="regions" label="Regions" required=true rows=3 value=value("regions", |of| of.regions.join("\n")) error=form.error("regions")
            hint="One in each line, such as eu-west-1."/>
    }
}

/// `/operator/notices/{id}`.
#[component]
pub fn OneNotice() -> impl IntoView {
    let id = param("id");
    operator_page("Notice", |operating| async move {
        let id = id_param(&id)?;
        let (notice, answers) = operations::show(&operating.visit.ctx, &operating.actor, id).await?;
        let visit = &operating.visit;
        let steps = match notice.state() {
            State::Draft => view! { {publishing(visit, &notice)} {discarding(visit, &notice)} }.into_any(),
            State::Announced => view! { {postponing(visit, &notice)} {withdrawing(visit, &notice)} }.into_any(),
            State::InEffect | State::Withdrawn => ().into_any(),
        };
        let answers = (notice.state() != State::Draft).then(|| said(&notice, answers, operating.now));
        let subtitle = format!("{} {}.", notice.details.vendor, kind(&notice));
        Ok::<_, AppError>(view! {
            <PageHeader title=notice.title() subtitle/>
            {facts(&notice, operating.now)}
            <Section id="changes" title="What changes" text=notice.why.clone()>{differences(&notice)}</Section>
            {answers}
            {steps}
            <Times/>
        })
    })
}

fn facts(notice: &Notice, now: OffsetDateTime) -> impl IntoView + use<> {
    let (state, in_effect, id) = (state(notice), day(notice.effective_at, now), notice.id.to_string());
    let published =
        notice.published_at.map(|at| view! { <Fact label="Published"><ExactTime at/>", "<TimeAgo at now/></Fact> });
    let first = notice.is_postponed().then_some(notice.first_effective_at).flatten();
    let first = first.map(|at| view! { <Fact label="Announced for"><ExactTime at/></Fact> });
    let withdrawn =
        notice.withdrawn.clone().map(|(at, why)| view! { <Fact label="Withdrawn"><ExactTime at/>": "{why}</Fact> });
    view! {
        <Facts>
            <Fact label="State">{state}</Fact>
            <Fact label="In effect from">{in_effect}</Fact>
            {first}
            {published}
            {withdrawn}
            <Fact label="Id"><code>{id}</code></Fact>
        </Facts>
    }
}

/// What the workspaces say, those first that wait.
fn said(notice: &Notice, answers: Vec<OfWorkspace>, now: OffsetDateTime) -> impl IntoView + use<> {
    let count = |word: &str| {
        answers.iter().filter(|of| matches!(&of.answer, Some((answer, _)) if answer.as_str() == word)).count()
    };
    let text = format!(
        "{} workspaces were told: {} acknowledged it, {} object.",
        answers.len(),
        count("acknowledged"),
        count("objected")
    );
    let head = ["Workspace", "Answer", "Mails", "Looked at"].map(Column::text).to_vec();
    let (id, is_over) = (notice.id, notice.effective_at <= now && notice.withdrawn.is_none());
    let rows = answers.into_iter().map(|of| row(id, of, is_over)).collect_view();
    let table = view! { <Table caption="What workspaces say" head>{rows}</Table> };
    view! { <Section id="answers" title="What workspaces say" text>{table}</Section> }
}

fn row(id: NoticeId, of: OfWorkspace, is_over: bool) -> impl IntoView {
    let answer = match (&of.answer, &of.reply) {
        (None, _) => view! { <span class="meta">"none"</span> }.into_any(),
        (Some((Answer::Acknowledged, _)), _) => view! { <Badge status=Look::Ok word="acknowledged"/> }.into_any(),
        (Some((Answer::Objected(reason), _)), reply) => {
            let (status, word) = match (reply.is_some(), is_over) {
                (true, _) => (Look::Warn, "objected, answered"),
                (false, true) => (Look::Danger, "objected, never answered"),
                (false, false) => (Look::Warn, "objected"),
            };
            let (href, name) = (format!("{}/reply/{}", path(id), of.workspace), of.name.clone());
            let verb = if reply.is_some() { "Answer again" } else { "Answer" };
            view! {
                <Badge status word/>
                <p class="pre-line">{reason.clone()}</p>
                {reply.clone().map(|(said, _)| view! { <p class="meta pre-line">"send0: "{said}</p> })}
                <a href=href>{verb}<span class="sr-only">" "{name}</span></a>
            }
            .into_any()
        }
    };
    let (mails, delivered, failed) = of.mails;
    let failed =
        (failed > 0).then(|| view! { " " <Badge status=Look::Danger word="given up"/> {format!(" {failed}")} });
    view! {
        <tr>
            <th scope="row">{of.name}</th>
            <td data-label="Answer">{answer}</td>
            <td data-label="Mails">{format!("{delivered} of {mails} sent")}{failed}</td>
            <td data-label="Looked at">{if of.is_seen { "yes" } else { "no" }}</td>
        </tr>
    }
}

fn publishing(visit: &crate::visit::Visit, notice: &Notice) -> impl IntoView + use<> {
    let form = FormState::of::<PublishNotice>(visit);
    let fields = view! {
        <input type="hidden" name="id" value=notice.id.to_string()/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Publish"</Button></div>
    };
    let error = form
        .error("effective_at")
        .map(|error| view! { <p class="error">{error} " Discard this draft and write another."</p> });
    let form = form.view(fields);
    let text = "It is public from then on, and every workspace is told. What it says cannot be changed any more; its day can be put off, and it can be withdrawn.";
    view! { <Section id="publish" title="Publish" text>{form} {error}</Section> }
}

fn discarding(visit: &crate::visit::Visit, notice: &Notice) -> impl IntoView + use<> {
    let form = FormState::of::<DiscardNotice>(visit).view(view! {
        <input type="hidden" name="id" value=notice.id.to_string()/>
        <div class="actions"><Button kind=ButtonKind::Danger>"Discard the draft"</Button></div>
    });
    view! { <DangerZone id="discard" title="Discard" text="The draft is gone for good. The audit log keeps that it was there.">{form}</DangerZone> }
}

fn postponing(visit: &crate::visit::Visit, notice: &Notice) -> impl IntoView + use<> {
    let form = FormState::of::<PostponeNotice>(visit);
    let fields = view! {
        <input type="hidden" name="id" value=notice.id.to_string()/>
        <TextField name="effective_at" label="In effect from" kind="date" required=true value=form.value("effective_at") error=form.error("effective_at")
            hint="Later than now announced. It can never be brought forward."/>
        <div class="actions"><Button>"Postpone"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="postpone" title="Postpone">{form}</Section> }
}

fn withdrawing(visit: &crate::visit::Visit, notice: &Notice) -> impl IntoView + use<> {
    let form = FormState::of::<WithdrawNotice>(visit);
    let fields = view! {
        <input type="hidden" name="id" value=notice.id.to_string()/>
        <TextArea name="why" label="Why" required=true rows=3 value=form.value("why") error=form.error("why") hint="Customers read this."/>
        <div class="actions"><Button kind=ButtonKind::Danger>"Withdraw"</Button></div>
    };
    let form = form.view(fields);
    let text = "It will not happen. Everybody who was told is told so; to do it after all takes another notice.";
    view! { <DangerZone id="withdraw" title="Withdraw" text>{form}</DangerZone> }
}

/// `/operator/notices/{id}/reply/{workspace}`.
#[component]
pub fn Reply() -> impl IntoView {
    let (id, workspace) = (param("id"), param("workspace"));
    operator_page("Answer an objection", |operating| async move {
        let (id, workspace): (NoticeId, WorkspaceId) = (id_param(&id)?, id_param(&workspace)?);
        let (notice, answers) = operations::show(&operating.visit.ctx, &operating.actor, id).await?;
        let of = answers.into_iter().find(|of| of.workspace == workspace).ok_or(AppError::NotFound)?;
        let Some((Answer::Objected(reason), at)) = of.answer else { return Err(AppError::NotFound) };
        let form = FormState::of::<ReplyToObjection>(&operating.visit);
        let before = of.reply.map(|(said, _)| said).unwrap_or_default();
        let value = if form.is_refused() { form.value("reply") } else { before };
        let fields = view! {
            <input type="hidden" name="id" value=id.to_string()/>
            <input type="hidden" name="workspace_id" value=workspace.to_string()/>
            <input type="hidden" name="answered_at" value=at.format(&Rfc3339).unwrap_or_default()/>
            <TextArea name="reply" label="Answer" required=true value error=form.error("reply")
                hint=format!("It is mailed to the security contacts of {}. At most {REASON_MAX} characters.", of.name)/>
            <div class="actions">
                <Button kind=ButtonKind::Primary>"Send the answer"</Button>
                <ButtonLink href=path(id) kind=ButtonKind::Quiet>"Cancel"</ButtonLink>
            </div>
        };
        Ok::<_, AppError>(view! {
            <PageHeader title=format!("The objection of {}", of.name) subtitle=notice.title()/>
            <blockquote class="said"><p class="pre-line">{reason}</p><footer class="meta"><ExactTime at/></footer></blockquote>
            {form.view(fields)}
            <Times/>
        })
    })
}
