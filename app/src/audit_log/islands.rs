//! The box of the search with its completions. Without scripts it is a box. Nothing here may panic.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(missing_docs, reason = "the macro makes undocumented items beside each island")]

use super::completion::{completed, offered};
use leptos::{ev, html, prelude::*};

const LIST: &str = "q-list";

/// The box. `completions` are lines.
#[island]
pub fn QueryBox(value: String, completions: String, described: Option<String>, wrong: bool) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    // Said by scripts alone: without them nothing is offered.
    let role = RwSignal::new(None::<&'static str>);
    let (offers, active) = (RwSignal::new(Vec::<String>::new()), RwSignal::new(None::<usize>));
    let all = StoredValue::new(completions.lines().map(str::to_owned).collect::<Vec<_>>());
    Effect::new(move |_| role.set(Some("combobox")));
    let here = move || {
        let input = input.get_untracked()?;
        let caret = input.selection_start().ok().flatten().unwrap_or_default();
        Some((input.value(), caret as usize, input))
    };
    let offer = move || {
        let Some((typed, caret, _)) = here() else { return };
        active.set(None);
        offers.set(all.with_value(|all| offered(&typed, caret, all)));
    };
    let close = move || {
        active.set(None);
        offers.set(vec![]);
    };
    let choose = move |place: usize| {
        let (Some((typed, caret, input)), Some(chosen)) = (here(), offers.get_untracked().get(place).cloned()) else {
            return;
        };
        let (text, caret) = completed(&typed, caret, &chosen);
        input.set_value(&text);
        let caret = u32::try_from(caret).unwrap_or_default();
        let _ = input.set_selection_range(caret, caret);
        let _ = input.focus();
        if chosen.ends_with(':') { offer() } else { close() }
    };
    let key = move |event: ev::KeyboardEvent| {
        let (count, at) = (offers.with_untracked(Vec::len), active.get_untracked());
        match (event.key().as_str(), at) {
            ("ArrowDown", _) if count == 0 => offer(),
            ("ArrowDown", _) => active.set(Some(at.map_or(0, |at| (at + 1) % count))),
            ("ArrowUp", _) if count > 0 => active.set(Some(at.map_or(count - 1, |at| (at + count - 1) % count))),
            ("Enter", Some(at)) => choose(at),
            ("Escape", _) if count > 0 => close(),
            _ => return,
        }
        event.prevent_default();
    };
    let descendant = move || active.get().map(|at| format!("q-option-{at}"));
    let options = move || {
        let option = |(place, text): (usize, String)| {
            let selected = move || if active.get() == Some(place) { "true" } else { "false" };
            // Before the box loses the focus, and the list with it.
            let chosen = move |event: ev::MouseEvent| {
                event.prevent_default();
                choose(place);
            };
            view! { <li role="option" id=format!("q-option-{place}") aria-selected=selected on:mousedown=chosen>{text}</li> }
        };
        offers.get().into_iter().enumerate().map(option).collect_view()
    };
    view! {
        <input class="input mono" type="text" enterkeyhint="search" id="q" name="q" value=value node_ref=input aria-label="Search the log"
            placeholder="actor:ana outcome:denied" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="1000"
            aria-describedby=described aria-invalid=wrong.then_some("true") role=role aria-autocomplete=move || role.get().map(|_| "list")
            aria-controls=move || role.get().map(|_| LIST) aria-expanded=move || role.get().map(|_| (!offers.get().is_empty()).to_string())
            aria-activedescendant=descendant on:input=move |_| offer() on:keydown=key on:blur=move |_| close()/>
        <ul class="offers" id=LIST role="listbox" aria-label="Completions" hidden=move || offers.get().is_empty()>{options}</ul>
    }
}
