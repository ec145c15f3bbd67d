//! The list of streams, and a stream's own page.

use super::{
    fields::fields,
    server_fns::{ChangeStream, PauseStream, RemoveStream, ReplaceStreamSecret, ResumeStream, TestStream},
};
use crate::{
    forms::FormState,
    page::{Inside, id_param, page, param},
    ui::{
        Badge, Banner, Button, ButtonKind, ButtonLink, Column, DangerZone, Empty, Fact, Facts, PageHeader, Section,
        Status as Look, Table, TextField, TimeAgo, Times, Tone, count,
    },
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::Action,
    streams::{Health, Kind, State, StreamView, operations},
};
use time::OffsetDateTime;

/// `/w/{slug}/streams`.
#[component]
pub fn Streams() -> impl IntoView {
    page("Streams", "streams", |inside| async move {
        let streams = operations::list(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let new = || {
            view! { <ButtonLink href=inside.path("streams/new") kind=ButtonKind::Primary>"New stream"</ButtonLink> }
                .into_any()
        };
        Ok::<_, AppError>(if streams.is_empty() {
            let text = "A stream sends the audit log on to a system of your own as it is written: signed over HTTPS, to Splunk, \
                Elastic or Datadog, to syslog, or into a bucket.";
            let action = new();
            view! { <PageHeader title="Streams"/> <Empty title="No streams yet" text action/> }.into_any()
        } else {
            let subtitle = summary(&streams);
            let action = new();
            view! { <PageHeader title="Streams" subtitle action/> {table(&inside, streams)} <Times/> }.into_any()
        })
    })
}

fn summary(streams: &[StreamView]) -> String {
    let failing = streams.iter().filter(|stream| matches!(stream.health(), Health::Failing(_))).count();
    match failing {
        0 => "In order, each event at least once. What a target does not take waits for it.".into(),
        1 => "One stream is failing. Its events wait.".into(),
        failing => format!("{failing} streams are failing. Their events wait."),
    }
}

fn table(inside: &Inside, streams: Vec<StreamView>) -> impl IntoView + use<> {
    let head = ["Name", "Kind", "Where to", "Health", "Your target has"].map(Column::text).to_vec();
    let rows = streams.into_iter().map(|stream| row(inside, stream)).collect_view();
    view! { <Table caption="Streams" head>{rows}</Table> }
}

fn row(inside: &Inside, stream: StreamView) -> impl IntoView + use<> {
    view! {
        <tr>
            <th scope="row"><a href=inside.path(&format!("streams/{}", stream.id))>{stream.name.clone()}</a></th>
            <td data-label="Kind">{stream.target.kind().label()}</td>
            <td data-label="Where to"><code>{stream.target.address().to_owned()}</code></td>
            <td data-label="Health">{health(&stream, inside.now)}</td>
            <td data-label="Your target has">{has(&stream)}</td>
        </tr>
    }
}

fn health(stream: &StreamView, now: OffsetDateTime) -> AnyView {
    match stream.health() {
        Health::UpToDate => view! { <Badge status=Look::Ok word="up to date"/> }.into_any(),
        Health::Sending => view! { <Badge status=Look::Pending word="sending"/> }.into_any(),
        Health::Paused => view! { <Badge status=Look::Off word="paused"/> }.into_any(),
        Health::Failing(since) => {
            view! { <Badge status=Look::Danger word="failing"/> " since " <TimeAgo at=since now/> }.into_any()
        }
    }
}

/// "1 042 of 1 042 events", and what it will never have.
fn has(stream: &StreamView) -> String {
    let number = |number: i64| count(number.unsigned_abs());
    let kept = if stream.is_cut() { " that are kept" } else { "" };
    let has = format!("{} of {} events{kept}", number(stream.delivered()), number(stream.due()));
    match stream.gone() {
        Some((first, last)) if first == last => format!("{has}; #{first} was removed from the log before it was sent"),
        Some((first, last)) => format!("{has}; #{first} to #{last} were removed from the log before they were sent"),
        None => has,
    }
}

/// `/w/{slug}/streams/{id}`.
#[component]
pub fn Stream() -> impl IntoView {
    let id = param("id");
    page("Stream", "streams", |inside| async move {
        let stream = operations::show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        Ok::<_, AppError>(view! {
            <PageHeader title=stream.name.clone() subtitle=stream.target.kind().label()/>
            {failure(&stream, inside.now)}
            {facts(&stream, inside.now)}
            {testing(&inside, &stream)}
            {pausing(&inside, &stream)}
            {changing(&inside, &stream)}
            {replacing(&inside, &stream)}
            {removal(&inside, &stream)}
            <Times/>
        })
    })
}

fn failure(stream: &StreamView, now: OffsetDateTime) -> Option<AnyView> {
    let (Health::Failing(since), Some(error)) = (stream.health(), stream.last_error.clone()) else { return None };
    let due_at = stream.due_at;
    let again = if stream.gone().is_none() { ". Nothing is lost: it is tried again " } else { ". It is tried again " };
    let view = view! {
        <Banner tone=Tone::Danger title="The stream is failing">
            <p>{error}</p>
            <p>"Since "<TimeAgo at=since now/>{again}<TimeAgo at=due_at now/>", and at least once an hour."</p>
        </Banner>
    };
    Some(view.into_any())
}

fn facts(stream: &StreamView, now: OffsetDateTime) -> impl IntoView + use<> {
    let (health, has, line) = (health(stream, now), has(stream), stream.target.line());
    let lag = match stream.waiting_since.filter(|_| stream.waiting() > 0) {
        Some(since) => view! { "The next one is from " <TimeAgo at=since now/> }.into_any(),
        None => "None".into_any(),
    };
    let last = match stream.last_ok_at {
        Some(at) => view! { <TimeAgo at now/> }.into_any(),
        None => view! { <span class="meta">"nothing yet"</span> }.into_any(),
    };
    let authorities = if stream.authorities.is_empty() { "The public ones" } else { "Its own, given below" };
    let (from, id, created_at) = (format!("#{}", stream.from_seq), stream.id.to_string(), stream.created_at);
    view! {
        <Facts>
            <Fact label="Health">{health}</Fact>
            <Fact label="Your target has">{has}</Fact>
            <Fact label="Lag">{lag}</Fact>
            <Fact label="Last taken">{last}</Fact>
            <Fact label="Where to"><code>{line}</code></Fact>
            <Fact label="Authorities">{authorities}</Fact>
            <Fact label="First event">{from}</Fact>
            <Fact label="Made"><TimeAgo at=created_at now/></Fact>
            <Fact label="Id"><code>{id}</code></Fact>
        </Facts>
    }
}

/// The fields that say which stream of which workspace.
fn which(inside: &Inside, stream: &StreamView) -> impl IntoView + use<> {
    view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=stream.id.to_string()/>
    }
}

fn testing(inside: &Inside, stream: &StreamView) -> impl IntoView + use<> {
    let form = FormState::of::<TestStream>(&inside.visit)
        .view(view! { {which(inside, stream)} <div class="actions"><Button>"Send a sample"</Button></div> });
    let text = "One record that says it is a test, sent as events are. What the target answers is shown here.";
    view! { <Section id="test" title="Try it" text>{form}</Section> }
}

fn pausing(inside: &Inside, stream: &StreamView) -> impl IntoView + use<> {
    let which = which(inside, stream);
    match stream.state {
        State::Active => {
            let form = FormState::of::<PauseStream>(&inside.visit)
                .view(view! { {which} <div class="actions"><Button>"Pause the stream"</Button></div> });
            let text = "While it is paused, events wait. It goes on where it stopped.";
            view! { <Section id="pause" title="Pause" text>{form}</Section> }.into_any()
        }
        State::Paused => {
            let form = FormState::of::<ResumeStream>(&inside.visit)
                .view(view! { {which} <div class="actions"><Button kind=ButtonKind::Primary>"Go on"</Button></div> });
            let text = format!("It is paused. {} events wait.", count(stream.waiting().unsigned_abs()));
            view! { <Section id="pause" title="Go on" text>{form}</Section> }.into_any()
        }
    }
}

fn changing(inside: &Inside, stream: &StreamView) -> impl IntoView + use<> {
    let form = FormState::of::<ChangeStream>(&inside.visit);
    let content = view! {
        {which(inside, stream)}
        {fields(&form, stream.target.kind(), Some(stream))}
        <div class="actions"><Button>"Save"</Button></div>
    };
    let content = form.view(content);
    let text =
        "It stays of its kind, and goes on where it is. To send everything to another place, make another stream.";
    view! { <Section id="change" title="Where it goes" text>{content}</Section> }
}

fn replacing(inside: &Inside, stream: &StreamView) -> Option<AnyView> {
    if stream.target.kind() != Kind::Https {
        return None;
    }
    let form = FormState::of::<ReplaceStreamSecret>(&inside.visit);
    let content = view! {
        {which(inside, stream)}
        <div class="actions"><Button>"Make a new secret"</Button></div>
    };
    let content = form.view(content);
    let text = "It is shown once, and counts from the next batch on. The one before signs nothing any more.";
    Some(view! { <Section id="secret" title="Secret" text>{content}</Section> }.into_any())
}

fn removal(inside: &Inside, stream: &StreamView) -> impl IntoView + use<> {
    let form = FormState::of::<RemoveStream>(&inside.visit);
    let content = view! {
        {which(inside, stream)}
        <TextField name="confirm" label="Type the name of the stream" hint=stream.name.clone() required=true autocomplete="off"
            error=form.error("confirm")/>
        <div class="actions"><Button kind=ButtonKind::Danger>"Remove stream"</Button></div>
    };
    let content = form.view(content);
    let text = "Nothing more is sent, and its secret is destroyed. What the target has, it keeps. Another stream can send everything again.";
    view! { <DangerZone id="remove" title="Remove this stream" text>{content}</DangerZone> }
}
