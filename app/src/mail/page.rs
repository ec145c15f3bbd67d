//! `/dev/mailbox`: the newest mails, for whoever tries the product out on their own machine.

use crate::{
    page::dev_page,
    ui::{Empty, PageHeader, TimeAgo, Times},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    mail::{MailView, operations},
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

fn letter(mail: MailView, now: OffsetDateTime) -> impl IntoView {
    let to = mail.letter.to.clone();
    let text = mail.letter.text.lines().map(|line| view! { <p>{line.to_owned()}</p> }).collect_view();
    let link = mail.letter.link.map(|href| view! { <p><a href=href.clone()>{href.clone()}</a></p> });
    view! {
        <li class="mail" data-to=to>
            <h2>{mail.letter.subject}</h2>
            <p class="meta">"To " {mail.letter.to} ", " <TimeAgo at=mail.at now/></p>
            <div class="stack">{text}{link}</div>
        </li>
    }
}
