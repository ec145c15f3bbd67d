//! `/w/{slug}/audit-log/exports`: the log, or what a filter names of it, as a file.

use super::{
    islands::{EXPORTS, ExportWatch},
    search::{misread, text_of},
    server_fns::{CancelExport, StartExport},
};
use crate::{
    forms::FormState,
    page::{Inside, page},
    ui::{
        Badge, Button, ButtonKind, Choice, Empty, ExactTime, Fact, Facts, PageHeader, Progress, RadioCards, Section,
        Status as Look, TimeAgo, Times, bytes, count,
    },
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};
use send0_core::{
    AppError,
    audit_log::{
        FilterText, Format,
        export::Receipt,
        exports::{ExportState, ExportView, list},
    },
};

/// Where the file of an export is posted for.
pub const FILE: &str = "/w/{slug}/audit-log/exports/{id}/file";

/// `/w/{slug}/audit-log/exports`. What is exported is what the query asks for, as on the list.
#[component]
pub fn Exports() -> impl IntoView {
    let query = use_query_map().get_untracked();
    page("Exports", "audit-log", |inside| async move {
        let all = list(&inside.visit.ctx, &inside.actor).await?;
        let running = all.iter().find(|one| one.state.is_open()).cloned();
        let subtitle = "The log as a file, the oldest event first. Files can be fetched for 24 hours.";
        let here = inside.path("audit-log/exports");
        let watch = running.as_ref().map(|running| view! { <ExportWatch id=running.id.to_string() here/> });
        let begin = match running {
            Some(running) => under_way(&inside, &running).into_any(),
            None => begin(&inside, &query),
        };
        let earlier = all.into_iter().filter(|one| !one.state.is_open()).collect::<Vec<_>>();
        let earlier = match earlier.is_empty() {
            true => nothing_yet().into_any(),
            false => {
                let all = earlier.into_iter().map(|one| finished(&inside, one)).collect_view();
                view! { <Section id="earlier" title="Earlier exports">{all}</Section> }.into_any()
            }
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Exports" subtitle/>
            <p><a href=inside.path("audit-log")>"The audit log"</a></p>
            {watch}
            <div id=EXPORTS>{begin} {earlier}</div>
            <Times/>
        })
    })
}

fn nothing_yet() -> impl IntoView {
    view! { <Empty title="No exports yet" text="What was exported stands here, with what proves that it is whole."/> }
}

/// What cannot be read is not left out here: a file would hold more than was asked for. It is corrected where it was typed.
fn begin(inside: &Inside, query: &ParamsMap) -> AnyView {
    let text = text_of(query).folded();
    let (_, wrong) = text.read();
    let title = "The filter could not be read; correct it in the log, then export what it finds";
    let typed = inside.path(&format!("audit-log{}", query.to_query_string()));
    match misread(title, &wrong) {
        Some(said) => view! { {said} <p><a href=typed>"Correct the filter"</a></p> }.into_any(),
        None => form(inside, &text).into_any(),
    }
}

fn form(inside: &Inside, text: &FilterText) -> impl IntoView + use<> {
    let form = FormState::of::<StartExport>(&inside.visit);
    let choices =
        Format::ALL.map(|format| Choice::new(format.as_str(), format.as_str().to_uppercase()).hint(format.sentence()));
    let value = if form.is_refused() { form.value("format") } else { Format::Ndjson.as_str().to_owned() };
    let hidden = asked(text).into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        {hidden.collect_view()}
        <RadioCards name="format" legend="Written as" choices=choices.to_vec() value error=form.error("format")/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Export"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="begin" title="Export" text=what(text)>{form}</Section> }
}

/// What is asked for, under the names of the form.
fn asked(text: &FilterText) -> Vec<(&'static str, String)> {
    let fields = [
        ("actor", &text.actor),
        ("action", &text.action),
        ("outcome", &text.outcome),
        ("from", &text.from),
        ("to", &text.to),
        ("q", &text.q),
    ];
    fields.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value.clone())).collect()
}

fn what(text: &FilterText) -> String {
    match in_words(text) {
        words if words.is_empty() => "Everything in the log. To export part of it, filter the log first.".into(),
        words => format!("The events with {words}. Without a filter, everything is exported."),
    }
}

fn in_words(text: &FilterText) -> String {
    let word = |name: &str| if name == "q" { String::new() } else { format!("{name} ") };
    asked(text).into_iter().map(|(name, value)| word(name) + &value).collect::<Vec<_>>().join(", ")
}

fn under_way(inside: &Inside, export: &ExportView) -> impl IntoView + use<> {
    let (id, (done, all)) = (export.id.to_string(), export.looked_at());
    let form = FormState::of::<CancelExport>(&inside.visit);
    let problem = form.problem();
    let cancel = form.inline(view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=id.clone()/>
        <Button>"Cancel the export"</Button>
    });
    let label = format!("{}, asked for by {}", export.format.as_str().to_uppercase(), by(export));
    let here = inside.path("audit-log/exports");
    view! {
        <Section id="under-way" title="An export is being written" text="The next one can begin when it is done.">
            {problem}
            <div data-export=id><Progress label done all unit="events"/></div>
            <div class="actions">{cancel} <a href=here>"Refresh"</a></div>
        </Section>
    }
}

fn by(export: &ExportView) -> String {
    export.by.clone().unwrap_or_else(|| "somebody who has left".into())
}

fn finished(inside: &Inside, export: ExportView) -> impl IntoView + use<> {
    let now = inside.now;
    let title = match export.bounds {
        Some((first, last)) => format!("{}, #{first} to #{last}", export.format.as_str().to_uppercase()),
        None => format!("{}, no events", export.format.as_str().to_uppercase()),
    };
    let fetch = export.can_be_fetched(now).then(|| {
        let action = inside.path(&format!("audit-log/exports/{}/file", export.id));
        view! { <form method="post" action=action><Button>"Download"</Button></form> }
    });
    let filter = Some(in_words(&export.filter)).filter(|words| !words.is_empty());
    let (rows, size) = (count(export.rows.unsigned_abs()), bytes(export.bytes.unsigned_abs()));
    let is_done = export.state == ExportState::Done;
    let expires = export.expires_at.map(|at| view! { <Fact label="File"><TimeAgo at now/></Fact> });
    let (who, at, state) = (by(&export), export.created_at, badge(&export, inside));
    let receipt = export.receipt.as_ref().map(receipt);
    let (id, ended) = (export.id.to_string(), ended(&export, inside));
    view! {
        <div class="stack" data-export=id data-ended=ended data-done=is_done>
            <h3>{title}</h3>
            <Facts>
                <Fact label="State">{state}</Fact>
                <Fact label="Asked for">{who}", "<ExactTime at/></Fact>
                {filter.map(|words| view! { <Fact label="With">{words}</Fact> })}
                {is_done.then(|| view! { <Fact label="Holds">{format!("{rows} events, {size}")}</Fact> })}
                {export.sha256.map(|hash| view! { <Fact label="SHA-256"><code>{hash}</code></Fact> })}
                {receipt}
                {expires}
            </Facts>
            {fetch}
        </div>
    }
}

/// What is said to whoever waited for it.
fn ended(export: &ExportView, inside: &Inside) -> Option<&'static str> {
    match export.state {
        ExportState::Done if export.can_be_fetched(inside.now) => {
            Some("The export is done. Its file can be downloaded.")
        }
        ExportState::Done => Some("The export is done. Its file has expired."),
        ExportState::Cancelled => Some("The export was cancelled. Nothing of it is kept."),
        ExportState::Failed => Some("The export could not be written, and is given up."),
        ExportState::Queued | ExportState::Running => None,
    }
}

fn badge(export: &ExportView, inside: &Inside) -> impl IntoView + use<> {
    let (look, word) = match export.state {
        ExportState::Done if export.can_be_fetched(inside.now) => (Look::Ok, "ready"),
        ExportState::Done => (Look::Off, "expired"),
        ExportState::Cancelled => (Look::Off, "cancelled"),
        ExportState::Failed => (Look::Danger, "given up"),
        ExportState::Queued | ExportState::Running => (Look::Pending, "being written"),
    };
    view! { <Badge status=look word/> }
}

/// What says that the file is complete.
fn receipt(receipt: &Receipt) -> impl IntoView + use<> {
    let said = match (receipt.first, receipt.last, &receipt.query) {
        (Some(first), Some(last), None) => {
            format!("{} events, every one from #{first} to #{last}.", count(receipt.count.unsigned_abs()))
        }
        (Some(first), Some(last), Some(query)) => {
            format!("{} events of those from #{first} to #{last}: {query}.", count(receipt.count.unsigned_abs()))
        }
        _ => "There were no events.".to_owned(),
    };
    let root = receipt
        .root()
        .map(str::to_owned)
        .map(|root| view! { <Fact label="Root of the tree"><code>{root}</code></Fact> });
    view! { <Fact label="Receipt">{said}</Fact> {root} }
}
