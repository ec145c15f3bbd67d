//! `/operator/compliance`, `/operator/requests`, `/operator/documents`: the operators' side of it.

use super::{
    parts::{day, said, state, thread, titles, wanted},
    server_fns::{
        AddEvidence, AnswerRequest, ChangeFramework, GrantDocument, RemoveEvidence, RetireDocument, RevokeGrant,
    },
};
use crate::{
    forms::FormState,
    page::{Operating, id_param, operator_page, param},
    ui::{
        Badge, Button, ButtonKind, Choice, Column, DangerZone, Empty, ExactTime, Fact, Facts, PageHeader, Section,
        Select, Status as Look, Table, TextArea, TextField, TimeAgo, Times, bytes,
    },
    visit::Visit,
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    compliance::{
        ComplianceRequest, Document, Evidence, EvidenceKind, Framework, Grant, MESSAGE_MAX, RequestState, SCOPE_MAX,
        Status, documents, iso, operations, requests,
    },
    ids::{ComplianceRequestId, DocumentId, WorkspaceId},
};
use time::{Date, OffsetDateTime};

// Frameworks -------------------------------------------------------------------------------------------------------

/// `/operator/compliance`.
#[component]
pub fn Frameworks() -> impl IntoView {
    operator_page("Compliance", |operating| async move {
        let all = operations::public(&operating.visit.ctx).await?;
        let today = operating.now.date();
        let late = all.iter().filter(|one| one.is_overdue(today)).count();
        let subtitle = match late {
            0 => "No review is overdue.".to_owned(),
            1 => "One review is overdue.".to_owned(),
            late => format!("{late} reviews are overdue."),
        };
        let head = ["Framework", "Said today", "Owner", "Next review", "Evidence"].map(Column::text).to_vec();
        let rows = all.into_iter().map(|one| row(one, today)).collect_view();
        Ok::<_, AppError>(view! {
            <PageHeader title="Compliance" subtitle/>
            <Table caption="Frameworks" head>{rows}</Table>
        })
    })
}

fn row(one: Framework, today: Date) -> impl IntoView {
    let (said, count) = (said(&one, today), one.evidence.len());
    view! {
        <tr>
            <th scope="row"><a href=format!("/operator/compliance/{}", one.id)>{one.name}</a></th>
            <td data-label="Said today">{said}</td>
            <td data-label="Owner">{one.owner}</td>
            <td data-label="Next review">{day(one.review_on)}</td>
            <td data-label="Evidence">{count}</td>
        </tr>
    }
}

/// `/operator/compliance/{id}`.
#[component]
pub fn OneFramework() -> impl IntoView {
    let id = param("id");
    operator_page("Compliance", |operating| async move {
        let (ctx, actor, visit) = (&operating.visit.ctx, &operating.actor, &operating.visit);
        let one = operations::show(ctx, actor, &id).await?;
        let documents = documents::handed_out(ctx).await?;
        let (now, changed_at, today) = (operating.now, one.changed_at, operating.now.date());
        let (said, evidence) = (said(&one, today), evidence(visit, &one, today));
        let (record, adding) = (record(visit, &one), adding(visit, &one, &documents));
        Ok::<_, AppError>(view! {
            <PageHeader title=one.name subtitle="Everybody reads this. It says no more than its evidence shows."/>
            <Facts>
                <Fact label="Said today">{said}</Fact>
                <Fact label="Changed"><TimeAgo at=changed_at now/></Fact>
            </Facts>
            <Section id="evidence" title="What shows it">{evidence}</Section>
            <Section id="record" title="What is recorded">{record}</Section>
            <Section id="add" title="Add evidence">{adding}</Section>
            <Times/>
        })
    })
}

fn evidence(visit: &Visit, of: &Framework, today: Date) -> AnyView {
    if of.evidence.is_empty() {
        return view! { <p class="meta">"Nothing yet."</p> }.into_any();
    }
    let mut head = ["Evidence", "Whose word", "Valid until"].map(Column::text).to_vec();
    head.push(Column::actions("Remove"));
    let rows = of.evidence.iter().map(|one| evidence_row(visit, &of.id, one, today)).collect_view();
    let problem = FormState::of::<RemoveEvidence>(visit).problem();
    view! { {problem} <Table caption="Evidence" head>{rows}</Table> }.into_any()
}

fn evidence_row(visit: &Visit, of: &str, one: &Evidence, today: Date) -> impl IntoView + use<> {
    let place = match one.link.clone() {
        Some(link) => view! { <p class="meta"><code>{link}</code></p> }.into_any(),
        None => view! { <p class="meta">"A document, on request"</p> }.into_any(),
    };
    let until = one.valid_until.map_or_else(|| "as long as it is true".to_owned(), day);
    let lapsed = (!one.is_valid(today)).then(|| view! { " " <Badge status=Look::Warn word="lapsed"/> });
    let (title, named, word) = (one.title.clone(), one.title.clone(), one.kind.words());
    let remove = FormState::of::<RemoveEvidence>(visit).inline(view! {
        <input type="hidden" name="id" value=of.to_owned()/>
        <input type="hidden" name="evidence" value=one.id.to_string()/>
        <Button kind=ButtonKind::Quiet>"Remove"<span class="sr-only">" "{named}</span></Button>
    });
    view! {
        <tr>
            <th scope="row">{title} {place}</th>
            <td data-label="Whose word">{word}</td>
            <td data-label="Valid until">{until} {lapsed}</td>
            <td class="row-actions">{remove}</td>
        </tr>
    }
}

fn record(visit: &Visit, of: &Framework) -> impl IntoView + use<> {
    let form = FormState::of::<ChangeFramework>(visit);
    let value = |field: &str, now: &str| if form.is_refused() { form.value(field) } else { now.to_owned() };
    let statuses = Status::ALL.iter().map(|one| Choice::new(one.as_str(), one.words())).collect::<Vec<_>>();
    let fields = view! {
        <input type="hidden" name="id" value=of.id.clone()/>
        <Select name="status" label="Status" required=true choices=statuses value=value("status", of.status.as_str()) error=form.error("status")
            hint="“Compliant” takes evidence, “certified” an independent attestation."/>
        <TextArea name="scope" label="Scope" required=true rows=3 value=value("scope", &of.scope) error=form.error("scope")
            hint=format!("What of send0 it is about. At most {SCOPE_MAX} characters.")/>
        <TextField name="owner" label="Owner" required=true autocomplete="off" value=value("owner", &of.owner) error=form.error("owner")
            hint="Who answers for it."/>
        <TextField name="review_on" label="Next review" kind="date" required=true value=value("review_on", &iso(of.review_on)) error=form.error("review_on")
            hint="From the day after, the page says that it is overdue."/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Record"</Button></div>
    };
    form.view(fields)
}

fn adding(visit: &Visit, of: &Framework, documents: &[Document]) -> impl IntoView + use<> {
    let form = FormState::of::<AddEvidence>(visit);
    let kinds = EvidenceKind::ALL.iter().map(|one| Choice::new(one.as_str(), one.words())).collect::<Vec<_>>();
    let document = (!documents.is_empty()).then(|| {
        view! {
            <Select name="document" label="Or a document" choices=titles(documents) value=form.value("document") error=form.error("document")
                hint="What anybody can ask for."/>
        }
    });
    let fields = view! {
        <input type="hidden" name="id" value=of.id.clone()/>
        <TextField name="title" label="Title" required=true autocomplete="off" value=form.value("title") error=form.error("title")/>
        <Select name="kind" label="Whose word" required=true choices=kinds value=form.value("kind") error=form.error("kind")/>
        <TextField name="link" label="Link" autocomplete="off" value=form.value("link") error=form.error("link")
            hint="Where anybody reads it: a page of ours, or an address that begins with https://."/>
        {document}
        <TextField name="valid_until" label="Valid until" kind="date" value=form.value("valid_until") error=form.error("valid_until")
            hint="The last day. Needed for an attestation."/>
        <div class="actions"><Button>"Add the evidence"</Button></div>
    };
    form.view(fields)
}

// Requests ---------------------------------------------------------------------------------------------------------

/// `/operator/requests`.
#[component]
pub fn Requests() -> impl IntoView {
    operator_page("Requests", |operating| async move {
        let all = requests::of_all(&operating.visit.ctx, &operating.actor).await?;
        let documents = documents::list(&operating.visit.ctx, &operating.actor).await?;
        let subtitle = match all.iter().filter(|one| one.state == RequestState::Open).count() {
            0 => "No request waits for send0.".to_owned(),
            1 => "One request waits for send0.".to_owned(),
            open => format!("{open} requests wait for send0."),
        };
        let content = match all.is_empty() {
            true => view! { <Empty title="No requests yet" text="What workspaces and visitors ask about compliance stands here, first what waits."/> }
                .into_any(),
            false => requests_table(all, &documents, operating.now).into_any(),
        };
        Ok::<_, AppError>(view! { <PageHeader title="Requests" subtitle/> {content} <Times/> })
    })
}

fn requests_table(all: Vec<ComplianceRequest>, documents: &[Document], now: OffsetDateTime) -> impl IntoView + use<> {
    let head = ["Request", "Of", "State", "Last word"].map(Column::text).to_vec();
    let rows = all
        .into_iter()
        .map(|one| {
            let (href, wanted) = (format!("/operator/requests/{}/{}", one.workspace, one.id), wanted(&one, documents));
            let of = whose(&one);
            view! {
                <tr>
                    <th scope="row"><a href=href>{wanted}</a></th>
                    <td data-label="Of">{of}</td>
                    <td data-label="State">{state(one.state)}</td>
                    <td data-label="Last word"><TimeAgo at=one.changed_at now/></td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Requests" head>{rows}</Table> }
}

fn whose(one: &ComplianceRequest) -> String {
    match &one.workspace_name {
        Some(workspace) => format!("the workspace {workspace}"),
        None => format!("{} (visitor)", one.company),
    }
}

/// `/operator/requests/{workspace}/{id}`.
#[component]
pub fn OneRequest() -> impl IntoView {
    let (workspace, id) = (param("workspace"), param("id"));
    operator_page("Request", |operating| async move {
        let (ctx, actor) = (&operating.visit.ctx, &operating.actor);
        let place: (WorkspaceId, ComplianceRequestId) = (id_param(&workspace)?, id_param(&id)?);
        let (one, said) = requests::of_anybody(ctx, actor, place).await?;
        let title = wanted(&one, &documents::list(ctx, actor).await?);
        let give = one.document.map(|document| {
            view! { <p><a href=format!("/operator/documents/{document}")>"Give access to this document"</a></p> }
        });
        let answering = (!one.state.is_over()).then(|| answering(&operating, &one));
        let (now, asked_at) = (operating.now, one.created_at);
        Ok::<_, AppError>(view! {
            <PageHeader title subtitle=format!("Asked by {}.", whose(&one))/>
            <Facts>
                <Fact label="State">{state(one.state)}</Fact>
                <Fact label="Asked by">{one.name.clone()} ", " {one.email.clone()} ", " <TimeAgo at=asked_at now/></Fact>
                <Fact label="Id"><code>{one.id.to_string()}</code></Fact>
            </Facts>
            <Section id="said" title="What was said">{thread(said)}</Section>
            {give}
            {answering}
            <Times/>
        })
    })
}

fn answering(operating: &Operating, one: &ComplianceRequest) -> impl IntoView + use<> {
    let form = FormState::of::<AnswerRequest>(&operating.visit);
    let then = [
        Choice::new(RequestState::Answered.as_str(), "It goes on"),
        Choice::new(RequestState::Closed.as_str(), "That is all of it"),
        Choice::new(RequestState::Declined.as_str(), "We will not"),
    ];
    let fields = view! {
        <input type="hidden" name="workspace_id" value=one.workspace.to_string()/>
        <input type="hidden" name="id" value=one.id.to_string()/>
        <TextArea name="message" label="Answer" required=true rows=5 value=form.value("message") error=form.error("message")
            hint=format!("It is mailed to {}. At most {MESSAGE_MAX} characters.", one.email)/>
        <Select name="then" label="And then" required=true choices=then.to_vec() value=form.value("then") error=form.error("then")/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Send the answer"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="answer" title="Answer">{form}</Section> }
}

// Documents --------------------------------------------------------------------------------------------------------

/// `/operator/documents`.
#[component]
pub fn Documents() -> impl IntoView {
    operator_page("Documents", |operating| async move {
        let all = documents::list(&operating.visit.ctx, &operating.actor).await?;
        let content = match all.is_empty() {
            true => nothing_yet().into_any(),
            false => documents_table(all).into_any(),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Documents" subtitle="Handed out one by one, behind their terms. Whoever runs the server adds them."/>
            {content}
            <Times/>
        })
    })
}

fn nothing_yet() -> impl IntoView {
    view! {
        <Empty title="No documents yet" text="Whoever runs the server adds one: send0 document add --title … --terms terms.txt report.pdf. \
            Here you decide who gets it, and for how long."/>
    }
}

fn documents_table(all: Vec<Document>) -> impl IntoView {
    let head = ["Document", "File", "Added", "State"].map(Column::text).to_vec();
    let rows = all
        .into_iter()
        .map(|one| {
            let state = standing(&one);
            let size = bytes(one.size.unsigned_abs().into());
            view! {
                <tr>
                    <th scope="row"><a href=format!("/operator/documents/{}", one.id)>{one.title}</a></th>
                    <td data-label="File">{one.file_name} ", " {size}</td>
                    <td data-label="Added"><ExactTime at=one.added_at/></td>
                    <td data-label="State">{state}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Documents" head>{rows}</Table> }
}

fn standing(one: &Document) -> impl IntoView + use<> {
    let (status, word) = match one.retired_at {
        None => (Look::Ok, "handed out"),
        Some(_) => (Look::Off, "retired"),
    };
    view! { <Badge status word/> }
}

/// `/operator/documents/{id}`.
#[component]
pub fn OneDocument() -> impl IntoView {
    let id = param("id");
    operator_page("Document", |operating| async move {
        let id: DocumentId = id_param(&id)?;
        let (one, grants) = documents::show(&operating.visit.ctx, &operating.actor, id).await?;
        let visit = &operating.visit;
        let steps = one.retired_at.is_none().then(|| view! { {granting(visit, id)} {retiring(visit, id)} });
        let list = access(visit, grants, operating.now);
        let (standing, added_at) = (standing(&one), one.added_at);
        Ok::<_, AppError>(view! {
            <PageHeader title=one.title subtitle=format!("{}, {}.", one.file_name, bytes(one.size.unsigned_abs().into()))/>
            <Facts>
                <Fact label="State">{standing}</Fact>
                <Fact label="Added"><ExactTime at=added_at/></Fact>
                <Fact label="SHA-256"><code>{one.sha256}</code></Fact>
            </Facts>
            <Section id="access" title="Who has access" text="Each has a link of their own, and agrees to the terms first.">{list}</Section>
            {steps}
            <Times/>
        })
    })
}

fn access(visit: &Visit, grants: Vec<Grant>, now: OffsetDateTime) -> AnyView {
    if grants.is_empty() {
        return view! { <p class="meta">"Nobody yet."</p> }.into_any();
    }
    let mut head = ["Who", "Until", "Terms", "Downloads"].map(Column::text).to_vec();
    head.push(Column::actions("Take away"));
    let rows = grants.into_iter().map(|grant| grant_row(visit, grant, now)).collect_view();
    let problem = FormState::of::<RevokeGrant>(visit).problem();
    view! { {problem} <Table caption="Access" head>{rows}</Table> }.into_any()
}

fn grant_row(visit: &Visit, grant: Grant, now: OffsetDateTime) -> impl IntoView + use<> {
    let opens = grant.revoked_at.is_none() && grant.expires_at > now;
    let until = match (grant.revoked_at, opens) {
        (Some(at), _) => view! { <Badge status=Look::Off word="taken away"/> " " <TimeAgo at now/> }.into_any(),
        (None, false) => view! { <Badge status=Look::Off word="over"/> }.into_any(),
        (None, true) => view! { <ExactTime at=grant.expires_at/> }.into_any(),
    };
    let terms = match grant.accepted {
        Some((at, by)) => view! { {by} ", " <ExactTime at/> }.into_any(),
        None => view! { <span class="meta">"not agreed to"</span> }.into_any(),
    };
    let email = grant.email.clone();
    let revoke = opens.then(|| {
        FormState::of::<RevokeGrant>(visit).inline(view! {
            <input type="hidden" name="id" value=grant.id.to_string()/>
            <Button kind=ButtonKind::Quiet>"Take away"<span class="sr-only">" the access of "{email}</span></Button>
        })
    });
    view! {
        <tr>
            <th scope="row">{grant.email}</th>
            <td data-label="Until">{until}</td>
            <td data-label="Terms">{terms}</td>
            <td data-label="Downloads">{grant.downloads}</td>
            <td class="row-actions">{revoke}</td>
        </tr>
    }
}

fn granting(visit: &Visit, id: DocumentId) -> impl IntoView + use<> {
    let form = FormState::of::<GrantDocument>(visit);
    let days = if form.is_refused() { form.value("days") } else { "14".to_owned() };
    let fields = view! {
        <input type="hidden" name="id" value=id.to_string()/>
        <TextField name="email" label="Mail address" kind="email" required=true autocomplete="off" value=form.value("email") error=form.error("email")/>
        <TextField name="days" label="For how many days" kind="number" inputmode="numeric" required=true value=days error=form.error("days")
            hint=format!("At most {}.", documents::DAYS_MAX)/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Mail the link"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="grant" title="Give access">{form}</Section> }
}

fn retiring(visit: &Visit, id: DocumentId) -> impl IntoView + use<> {
    let form = FormState::of::<RetireDocument>(visit).view(view! {
        <input type="hidden" name="id" value=id.to_string()/>
        <div class="actions"><Button kind=ButtonKind::Danger>"Retire the document"</Button></div>
    });
    view! {
        <DangerZone id="retire" title="Retire" text="Every link to it opens nothing any more, and nobody is given another. This cannot be undone: add it again instead.">
            {form}
        </DangerZone>
    }
}
