//! Legal holds: on the page of the retention, and each on a page of its own.

use super::server_fns::{PlaceHold, ReleaseHold};
use crate::{
    forms::FormState,
    page::{Inside, id_param, page, param},
    ui::{
        Badge, Banner, Button, ButtonKind, Column, DangerZone, Fact, Facts, PageHeader, Section, Status as Look, Table,
        TextField, TimeAgo, Times, Tone,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::Action,
    permissions::Permission,
    retention::{HOLD_NAME_MAX, LegalHold, holds::show},
};
use time::OffsetDateTime;

/// That nothing goes, whatever else the page says.
pub fn banner(holds: &[LegalHold]) -> Option<impl IntoView + use<>> {
    let active: Vec<&str> = holds.iter().filter(|hold| hold.is_active()).map(|hold| hold.name.as_str()).collect();
    let title = match active[..] {
        [] => return None,
        [name] => format!("Under a legal hold: {name}"),
        _ => format!("Under {} legal holds: {}", active.len(), active.join(", ")),
    };
    Some(
        view! { <Banner tone=Tone::Info title><p>"Nothing of the audit log is removed, however old it is."</p></Banner> },
    )
}

/// The holds there were, and the form for another one.
pub fn section(inside: &Inside, holds: Vec<LegalHold>) -> impl IntoView + use<> {
    let head = ["Legal hold", "Status", "Placed"].map(Column::text).to_vec();
    let rows = holds.into_iter().map(|hold| row(inside, hold)).collect::<Vec<_>>();
    let table = (!rows.is_empty()).then(|| view! { <Table caption="Legal holds" head>{rows}</Table> });
    let form = inside.actor.may(Permission::RetentionHold).then(|| placing(inside));
    let text = "For a court, an authority or an inquiry: while there is a hold, nothing of the audit log is removed and nobody who is named in it is \
        erased. Members of the role Security can place one; only owners release it.";
    view! { <Section id="holds" title="Legal holds" text>{table}{form}</Section> }
}

fn row(inside: &Inside, hold: LegalHold) -> impl IntoView + use<> {
    let now = inside.now;
    let href = inside.path(&format!("retention/holds/{}", hold.id));
    view! {
        <tr>
            <th scope="row"><a href=href>{hold.name.clone()}</a></th>
            <td data-label="Status">{status(&hold, now)}</td>
            <td data-label="Placed"><TimeAgo at=hold.placed_at now/></td>
        </tr>
    }
}

fn status(hold: &LegalHold, now: OffsetDateTime) -> AnyView {
    match hold.released_at {
        None => view! { <Badge status=Look::Ok word="holds"/> }.into_any(),
        Some(at) => view! { <Badge status=Look::Off word="released"/> " " <TimeAgo at now/> }.into_any(),
    }
}

fn placing(inside: &Inside) -> impl IntoView + use<> {
    let form = FormState::of::<PlaceHold>(&inside.visit);
    let hint = format!(
        "What it is for, such as a matter and its number. At most {HOLD_NAME_MAX} characters. It stands in the audit log."
    );
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <TextField name="name" label="Name of the hold" required=true autocomplete="off" hint value=form.value("name") error=form.error("name")/>
        <div class="actions"><Button>"Place legal hold"</Button></div>
    };
    form.view(fields)
}

/// `/w/{slug}/retention/holds/{id}`.
#[component]
pub fn OneHold() -> impl IntoView {
    let id = param("id");
    page("Legal hold", "retention", |inside| async move {
        let hold = show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let now = inside.now;
        let by = hold.placed_by.clone().unwrap_or_else(|| "somebody who is no member any more".to_owned());
        let history = inside.actor.may(Permission::AuditRead).then(|| {
            let href = inside.path(&format!("audit-log?q=target%3A{}", hold.id));
            view! { <p><a href=href>"What the audit log says of it"</a></p> }
        });
        let release =
            (hold.is_active() && inside.actor.may(Permission::RetentionRelease)).then(|| releasing(&inside, &hold));
        let (status, placed_at) = (status(&hold, now), hold.placed_at);
        Ok::<_, AppError>(view! {
            <PageHeader title=hold.name.clone() subtitle="A legal hold on the audit log."/>
            <Facts>
                <Fact label="Status">{status}</Fact>
                <Fact label="Placed"><TimeAgo at=placed_at now/></Fact>
                <Fact label="Placed by">{by}</Fact>
                <Fact label="Id"><code>{hold.id.to_string()}</code></Fact>
            </Facts>
            {history}
            {release}
            <Times/>
        })
    })
}

fn releasing(inside: &Inside, hold: &LegalHold) -> impl IntoView + use<> {
    let form = FormState::of::<ReleaseHold>(&inside.visit);
    let hint = format!("Type {}.", hold.name);
    let error = form.error("confirm");
    let form = form.view(view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=hold.id.to_string()/>
        <TextField name="confirm" label="The name of the hold" required=true hint autocomplete="off" value="" error/>
        <div class="actions"><Button kind=ButtonKind::Danger>"Release legal hold"</Button></div>
    });
    let text = "What is past its time may be removed within the hour, unless another hold keeps it. That cannot be undone. Your security contacts are told.";
    view! { <DangerZone id="release" title="Release this hold" text>{form}</DangerZone> }
}
