//! What the three sides show alike.

use crate::ui::{Badge, Choice, ExactTime, Status as Look, date};
use leptos::prelude::*;
use send0_core::{
    compliance::{ComplianceRequest, Document, Framework, Message, RequestKind, RequestState, Said, Status},
    ids::DocumentId,
};
use time::Date;

/// What may be said of a framework today, as a sign and a word, and whether somebody is late with looking at it.
pub fn said(of: &Framework, today: Date) -> impl IntoView + use<> {
    let said = of.said(today);
    let status = match said {
        Said::As(Status::Compliant | Status::Certified) => Look::Ok,
        Said::As(Status::InProgress) => Look::Pending,
        Said::As(Status::OnRequest) => Look::Neutral,
        Said::As(Status::NotInScope) => Look::Off,
        Said::Lapsed => Look::Warn,
    };
    let overdue = of.is_overdue(today).then(|| view! { " " <Badge status=Look::Warn word="review overdue"/> });
    view! { <Badge status word=said.words()/> {overdue} }
}

/// A day without a time.
pub fn day(date_only: Date) -> String {
    date(date_only.midnight().assume_utc())
}

/// Where a request stands.
pub fn state(of: RequestState) -> impl IntoView {
    let status = match of {
        RequestState::Open => Look::Pending,
        RequestState::Answered | RequestState::Closed => Look::Ok,
        RequestState::Declined => Look::Off,
    };
    view! { <Badge status word=of.words()/> }
}

/// What is asked for; of a document, which.
pub fn wanted(one: &ComplianceRequest, documents: &[Document]) -> String {
    let title = |id: DocumentId| documents.iter().find(|document| document.id == id).map(|one| one.title.clone());
    one.document.and_then(title).unwrap_or_else(|| one.kind.words().to_owned())
}

/// What can be asked for: a document only where there is one, a BAA only by a workspace.
pub fn kinds(documents: &[Document], of_workspace: bool) -> Vec<Choice> {
    let is_offered = |kind: &&RequestKind| match kind {
        RequestKind::Document => !documents.is_empty(),
        RequestKind::Baa => of_workspace,
        _ => true,
    };
    RequestKind::ALL.iter().filter(is_offered).map(|kind| Choice::new(kind.as_str(), kind.words())).collect()
}

/// Which document, where there is one.
pub fn titles(documents: &[Document]) -> Vec<Choice> {
    let none = Choice::new("", "None");
    [none].into_iter().chain(documents.iter().map(|one| Choice::new(one.id.to_string(), one.title.clone()))).collect()
}

/// What was said, the oldest first.
pub fn thread(said: Vec<Message>) -> impl IntoView {
    let one = |message: Message| {
        let Message { is_ours, author, body, at } = message;
        let side = if is_ours { "send0" } else { "asked" };
        view! {
            <blockquote class="said">
                <p class="pre-line">{body}</p>
                <footer class="meta">{author} " (" {side} "), " <ExactTime at/></footer>
            </blockquote>
        }
    };
    said.into_iter().map(one).collect_view()
}
