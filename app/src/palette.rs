//! The command palette: Ctrl-K or ⌘K, type, Enter. A shortcut for whoever has scripts; everything in it is a link on
//! the page as well. A panic here would end every island after it, so nothing may panic.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(missing_docs, reason = "the macro makes undocumented items beside each island")]

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

const LIST: &str = "palette-list";
const SELECTED: &str = "aria-selected";

/// The button that opens the palette, and the palette. Its children are the commands, made by [`Commands`].
#[island]
pub fn CommandPalette(children: Children) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let (active, found) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let open = move || {
        let Some(dialog) = dialog.get_untracked() else { return };
        if !dialog.open() {
            let _ = dialog.show_modal();
            narrow("", active, found);
        }
    };
    Effect::new(move |_| {
        window_event_listener(ev::keydown, move |event| {
            if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && event.key().eq_ignore_ascii_case("k") {
                event.prevent_default();
                open();
            }
        });
    });
    view! {
        <button type="button" class="palette-open" on:click=move |_| open()>
            "Go to…" <kbd aria-hidden="true">"Ctrl K"</kbd>
        </button>
        <dialog class="dialog palette" node_ref=dialog aria-label="Go to">
            <input class="input" type="text" role="combobox" aria-label="Where to" aria-expanded="true" aria-autocomplete="list" autofocus
                aria-controls=LIST aria-activedescendant=active autocomplete="off" spellcheck="false" placeholder="Page or action"
                on:input=move |event| narrow(&event_target_value(&event), active, found)
                on:keydown=move |event| step(&event, active)/>
            <div on:click=clicked>{children()}</div>
            <p class="meta" role="status">{found}</p>
        </dialog>
    }
}

/// The commands, in the order in which they are offered, each with where it leads.
#[cfg(feature = "ssr")]
#[component]
pub fn Commands(commands: Vec<(String, String)>) -> impl IntoView {
    let option = |(place, (label, href)): (usize, (String, String))| {
        let id = format!("palette-{place}");
        view! { <li role="option" id=id aria-selected="false" data-href=href>{label}</li> }
    };
    view! { <ul id=LIST class="palette-list" role="listbox" aria-label="Commands">{commands.into_iter().enumerate().map(option).collect_view()}</ul> }
}

fn options() -> Vec<Element> {
    let Ok(found) = document().query_selector_all("#palette-list > li") else { return vec![] };
    (0..found.length()).filter_map(|place| found.item(place)?.dyn_into().ok()).collect()
}

fn shown() -> Vec<Element> {
    options().into_iter().filter(|option| !option.has_attribute("hidden")).collect()
}

/// Shows the commands that have every word of what was typed, and selects the first.
fn narrow(typed: &str, active: RwSignal<String>, found: RwSignal<String>) {
    let typed = typed.to_lowercase();
    for option in options() {
        let text = option.text_content().unwrap_or_default().to_lowercase();
        let fits = typed.split_whitespace().all(|word| text.contains(word));
        let _ = option.toggle_attribute_with_force("hidden", !fits);
    }
    let shown = shown();
    found.set(match shown.len() {
        0 => "Nothing is called that.".to_owned(),
        _ => String::new(),
    });
    select(shown.first(), active);
}

fn select(chosen: Option<&Element>, active: RwSignal<String>) {
    for option in options() {
        let _ = option.set_attribute(SELECTED, if Some(&option) == chosen { "true" } else { "false" });
    }
    if let Some(chosen) = chosen {
        chosen.scroll_into_view_with_bool(false);
    }
    active.set(chosen.map(Element::id).unwrap_or_default());
}

fn step(event: &KeyboardEvent, active: RwSignal<String>) {
    let shown = shown();
    let place = shown.iter().position(|option| option.get_attribute(SELECTED).as_deref() == Some("true")).unwrap_or(0);
    let last = shown.len().saturating_sub(1);
    let next = match event.key().as_str() {
        "ArrowDown" if place == last => 0,
        "ArrowDown" => place + 1,
        "ArrowUp" if place == 0 => last,
        "ArrowUp" => place - 1,
        "Enter" => return go(shown.get(place)),
        _ => return,
    };
    event.prevent_default();
    select(shown.get(next), active);
}

fn clicked(event: ev::MouseEvent) {
    let clicked = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    go(clicked.and_then(|element| element.closest("[role=option]").ok().flatten()).as_ref());
}

fn go(chosen: Option<&Element>) {
    if let Some(href) = chosen.and_then(|option| option.get_attribute("data-href")) {
        let _ = window().location().assign(&href);
    }
}
