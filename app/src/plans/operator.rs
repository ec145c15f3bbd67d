//! `/operator/workspaces`: who is on which plan, and where send0's own staff changes it.

use super::{section::kept, server_fns::SetPlan};
use crate::{
    forms::FormState,
    page::{Operating, WORKSPACES, id_param, operator_page, param},
    ui::{
        Badge, Button, ButtonKind, Choice, Column, Empty, ExactTime, Fact, Facts, PageHeader, Section, Select,
        Status as Look, Table, TextArea, TimeAgo, Times, count,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    plans::{OnPlan, Plan, WHY_MAX, operations},
};
use time::OffsetDateTime;

/// `/operator/workspaces`.
#[component]
pub fn Workspaces() -> impl IntoView {
    operator_page("Workspaces", |operating| async move {
        let all = operations::all(&operating.visit.ctx, &operating.actor).await?;
        let subtitle = match all.len() {
            1 => "One workspace. Of its content nothing is shown.".to_owned(),
            many => format!("{many} workspaces. Of their content nothing is shown."),
        };
        let content = match all.is_empty() {
            true => nothing_yet().into_any(),
            false => table(all, operating.now).into_any(),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Workspaces" subtitle/>
            {content}
            <Times/>
        })
    })
}

fn nothing_yet() -> impl IntoView {
    view! { <Empty title="No workspaces yet" text="The first one is made through the set-up link, or with the command line of the server."/> }
}

fn table(all: Vec<OnPlan>, now: OffsetDateTime) -> impl IntoView {
    let head = vec![
        Column::text("Workspace"),
        Column::text("Plan"),
        Column::number("Members"),
        Column::number("Keys"),
        Column::text("Since"),
    ];
    let rows = all.into_iter().map(|of| row(of, now)).collect_view();
    view! { <Table caption="Workspaces" head>{rows}</Table> }
}

fn row(of: OnPlan, now: OffsetDateTime) -> impl IntoView {
    view! {
        <tr>
            <th scope="row"><a href=format!("{WORKSPACES}/{}", of.workspace)>{of.name}</a>" "<code>{of.slug}</code></th>
            <td data-label="Plan">{of.plan.name()}</td>
            <td class="num" data-label="Members">{of.members}</td>
            <td class="num" data-label="Keys">{of.keys}</td>
            <td data-label="Since"><TimeAgo at=of.created_at now/></td>
        </tr>
    }
}

/// `/operator/workspaces/{id}`.
#[component]
pub fn OneWorkspace() -> impl IntoView {
    let id = param("id");
    operator_page("Workspace", |operating| async move {
        let of = operations::show(&operating.visit.ctx, &operating.actor, id_param(&id)?).await?;
        let text = "Its security contacts are told at once, with the reason. What of the audit log a smaller one does not keep is removed a week later. Members and keys are not held against it yet.";
        Ok::<_, AppError>(view! {
            <PageHeader title=of.name.clone() subtitle=format!("On {}.", of.plan.name())/>
            {facts(&of, operating.now)}
            <Section id="change-plan" title="Another plan" text>{form(&operating, &of)}</Section>
            <Times/>
        })
    })
}

fn facts(of: &OnPlan, now: OffsetDateTime) -> impl IntoView + use<> {
    let OnPlan { workspace, slug, plan, created_at: at, members, keys, .. } = of.clone();
    let caps = plan.caps();
    view! {
        <Facts>
            <Fact label="Plan">{plan.name()}</Fact>
            <Fact label="Members">{used(members, caps.members)}</Fact>
            <Fact label="API keys">{used(keys, caps.keys)}</Fact>
            {kept(caps)}
            <Fact label="Since"><ExactTime at/>", "<TimeAgo at now/></Fact>
            <Fact label="Name in URLs"><code>{slug}</code></Fact>
            <Fact label="Id"><code>{workspace.to_string()}</code></Fact>
        </Facts>
    }
}

fn used(there_are: i64, cap: u32) -> impl IntoView {
    let over = (there_are > cap.into()).then(|| view! { " " <Badge status=Look::Warn word="more than the plan has"/> });
    view! { {format!("{there_are} of {}", count(cap.into()))} {over} }
}

fn form(operating: &Operating, of: &OnPlan) -> impl IntoView + use<> {
    let form = FormState::of::<SetPlan>(&operating.visit);
    let value = if form.is_refused() { form.value("plan") } else { of.plan.to_string() };
    let choices = Plan::ALL.into_iter().map(choice).collect();
    let fields = view! {
        <input type="hidden" name="workspace_id" value=of.workspace.to_string()/>
        <Select name="plan" label="Plan" choices required=true value error=form.error("plan")/>
        <TextArea name="why" label="Why" required=true rows=3 value=form.value("why") error=form.error("why")
            hint=format!("The contacts of the workspace read this. At most {WHY_MAX} characters.")/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Change the plan"</Button></div>
    };
    form.view(fields)
}

fn choice(plan: Plan) -> Choice {
    let caps = plan.caps();
    Choice::new(plan.as_str(), format!("{}: {} members, {} keys", plan.name(), caps.members, caps.keys))
}
