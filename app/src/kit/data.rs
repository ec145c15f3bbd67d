//! What is read.

use crate::ui::{
    Badge, Bar, Change, CodeBlock, Column, Diff, ExactTime, Fact, Facts, Histogram, JsonBlock, Moment, Pager, Section,
    Status, Table, Tag, TimeAgo, Timeline, bytes, count,
};
use leptos::prelude::*;
use time::{Duration, OffsetDateTime};

pub(super) fn shown(now: OffsetDateTime) -> impl IntoView {
    view! { {badges()} {table(now)} {details(now)} {history(now)} }
}

const STATES: [(Status, &str); 7] = [
    (Status::Neutral, "success"),
    (Status::Pending, "waits"),
    (Status::Ok, "active"),
    (Status::Warn, "expires soon"),
    (Status::Danger, "failed"),
    (Status::Off, "revoked"),
    (Status::Proof, "verified"),
];

fn badges() -> impl IntoView {
    let badges = STATES.map(|(status, word)| view! { <Badge status word/> }).collect_view();
    view! {
        <Section id="data" title="Status" text="Always a word, a shape and a colour. The green one is for what a check has verified.">
            <div class="actions">{badges} <Tag word="restricted"/></div>
        </Section>
    }
}

fn table(now: OffsetDateTime) -> impl IntoView {
    let names = ["CI deploy", "Billing service", "A name that somebody has made as long as the sixty-four it may have"];
    let rows = names.into_iter().enumerate().map(move |(place, name)| {
        let used = now - Duration::hours(7 * place as i64);
        view! {
            <tr>
                <th scope="row"><a href="#table">{name}</a></th>
                <td data-label="Calls" class="num">{count(10_412 * place as u64)}</td>
                <td data-label="Last used"><TimeAgo at=used now/></td>
                <td data-label="Status"><Badge status=STATES[place].0 word=STATES[place].1/></td>
            </tr>
        }
    });
    let head = vec![Column::text("Name"), Column::number("Calls"), Column::text("Last used"), Column::text("Status")];
    view! {
        <Section id="table" title="Table" text="Pages by key, so that nothing is skipped; cards on a phone.">
            <Table caption="Keys" head>{rows.collect_view()}</Table>
            <Pager newer="#table".to_owned() older="#table".to_owned() note="Kept 365 days"/>
        </Section>
    }
}

fn details(now: OffsetDateTime) -> impl IntoView {
    let change = |field: &str, before: Option<&str>, after: Option<&str>| Change {
        field: field.into(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let changes =
        vec![change("role", Some("viewer"), Some("admin")), change("reason", None, Some("The laptop was lost"))];
    view! {
        <Section id="details" title="Facts, code, differences">
            <Facts>
                <Fact label="Id"><code>"key_01kvzf4pvyecx8bmqjn3ce8xv5"</code></Fact>
                <Fact label="Issued"><ExactTime at=now/></Fact>
                <Fact label="Size">{bytes(1_480_000)}</Fact>
            </Facts>
            <div class="stack">
            <CodeBlock code="curl http://localhost:3000/v1/workspace -H 'Authorization: Bearer sk_…'" label="Try it"/>
            <Diff caption="What changed" changes/>
            <JsonBlock value=serde_json::json!({ "seq": 1042, "outcome": "denied" })/>
            </div>
        </Section>
    }
}

fn history(now: OffsetDateTime) -> impl IntoView {
    let counts = [3, 0, 12, 40, 22, 7, 0, 0, 5, 18, 31, 64, 20, 9];
    let bars = counts.into_iter().enumerate();
    let bars =
        bars.map(|(hour, count)| Bar { label: format!("{hour:02}:00"), count, href: format!("#at-{hour}") }).collect();
    let moment = |hours, text: &str| Moment { at: now - Duration::hours(hours), text: text.into() };
    let moments = vec![
        moment(50, "Ana issued the key."),
        moment(26, "Its first call."),
        moment(2, "Bo revoked it: the laptop was lost."),
    ];
    view! {
        <Section id="history" title="Histogram and timeline" text="Each bar is a link; the same numbers stand in a table.">
            <Histogram caption="Events by hour" bars/>
            <Timeline label="The key CI deploy" moments now/>
        </Section>
    }
}
