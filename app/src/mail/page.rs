//! `/dev/mailbox`: the newest mails, for whoever tries the product out on their own machine.

use crate::{
    page::dev_page,
    ui::{ButtonKind, ButtonLink, CodeBlock, Empty, PageHeader, TimeAgo, Times},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    mail::{BUTTON, FOOT, MailView, operations},
};
use time::OffsetDateTime;

/// `/dev/mailbox`.
#[component]
pub fn Mailbox() -> impl IntoView {
    dev_page("Mailbox", |visit| async move {
        let mails = operations::mailbox(&visit.ctx).await?;
        let now = visit.ctx.clock.now();
        let content = match mails.is_empty() {
            true => {
                view! { <Empty title="No mail yet" text="Invite somebody: the invitation lands here."/> }.into_any()
            }
            false => view! { <ol class="mails">{mails.into_iter().map(|mail| letter(mail, now)).collect_view()}</ol> }
                .into_any(),
        };
        Ok::<_, AppError>(view! {
            <PageHeader title="Mailbox" subtitle="No mail relay is configured, so what would be sent lands here for seven days. Only this machine can read it."/>
            {content}
            <Times/>
        })
    })
}

/// The same parts that the HTML of the mail has, made by our own: the policy of this page lets no foreign style in, not
/// even that of a mail. Both parts as they would be sent stand below, as text.
fn letter(mail: MailView, now: OffsetDateTime) -> impl IntoView {
    let letter = mail.letter;
    let lines = |lines: &str| lines.lines().map(|line| view! { {line.to_owned()}<br/> }).collect_view();
    let text = letter.paragraphs().map(|paragraph| view! { <p>{lines(paragraph)}</p> }).collect_view();
    let link = letter.link.clone().map(|href| {
        view! {
            <p><ButtonLink href=href.clone() kind=ButtonKind::Primary>{BUTTON}</ButtonLink></p>
            <p class="meta">{href}</p>
        }
    });
    view! {
        <li class="mail" data-to=letter.to.clone()>
            <h2>{letter.subject.clone()}</h2>
            <p class="meta">"To " {letter.to.clone()} ", " <TimeAgo at=mail.at now/></p>
            <div class="stack">{text}{link}<p class="meta">{FOOT}</p></div>
            <details class="mail-parts">
                <summary class="meta">"As it is sent"</summary>
                <CodeBlock label="text/plain" code=letter.as_text()/>
                <CodeBlock label="text/html" code=letter.as_html()/>
            </details>
        </li>
    }
}
