//! A confirmation in front of the page. Opened and closed by the browser itself (invoker commands), so that it needs no
//! script. Only for a question that has an answer elsewhere too: a browser that does not know them shows no dialog.

use super::button::ButtonKind;
use leptos::prelude::*;

/// Opens a [`Dialog`].
#[component]
pub fn DialogButton(
    /// The id of the dialog.
    #[prop(into)]
    dialog: String,
    /// How it looks.
    #[prop(default = ButtonKind::Secondary)]
    kind: ButtonKind,
    /// What it says.
    children: Children,
) -> impl IntoView {
    view! { <button type="button" class=kind.class() command="show-modal" commandfor=dialog>{children()}</button> }
}

/// A question with what follows from the answer.
#[component]
pub fn Dialog(
    /// Its id, which buttons name.
    #[prop(into)]
    id: String,
    /// The question.
    #[prop(into)]
    title: String,
    /// What follows.
    #[prop(into)]
    text: String,
    /// The form that does it.
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    let (itself, labelled) = (id.clone(), heading.clone());
    view! {
        <dialog class="dialog" id=itself aria-labelledby=labelled>
            <h2 id=heading>{title}</h2>
            <p>{text}</p>
            <div class="actions">
                {children()}
                <button type="button" class="btn" autofocus command="close" commandfor=id>"Cancel"</button>
            </div>
        </dialog>
    }
}
