//! The box of the search with its completions; without scripts it is a box. What keeps the bar of an export moving; without scripts there
//! is a link. Nothing here may panic.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(missing_docs, reason = "the macro makes undocumented items beside each island")]

use super::completion::{completed, offered};
use crate::islands::say_times_here;
use js_sys::{Function, Promise, Reflect};
use leptos::{ev, html, prelude::*, task::spawn_local};
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Node};

const LIST: &str = "q-list";

/// The part of the page that an export changes.
pub const EXPORTS: &str = "exports";
/// How long it takes until an export that is being written is looked at again.
const LOOK_AFTER: Duration = Duration::from_secs(2);

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

/// Keeps the bar of an export moving, and shows what became of it. The page is asked for again, which is no event, and never loaded
/// again: whoever is in the middle of it stays there, and nothing but the end is said.
#[island]
pub fn ExportWatch(id: String, here: String) -> impl IntoView {
    let watched = Watched { id, said: RwSignal::new(String::new()), is_left: RwSignal::new(false) };
    let (said, is_left) = (watched.said, watched.is_left);
    Effect::new(move |_| look_soon(watched.clone()));
    view! { <p role="status" class="meta">{said}" "<a href=here hidden=move || !is_left.get()>"Show it"</a></p> }
}

/// An export that is being written.
#[derive(Clone)]
struct Watched {
    id: String,
    /// What is said of it.
    said: RwSignal<String>,
    /// Whether what became of it is left for the reader to open.
    is_left: RwSignal<bool>,
}

fn look_soon(watched: Watched) {
    let look = move || {
        spawn_local(async move {
            if watched.look().await {
                look_soon(watched);
            }
        });
    };
    set_timeout(look, LOOK_AFTER);
}

impl Watched {
    /// Whether there is more to come.
    async fn look(&self) -> bool {
        let Some(now) = page_now().await else {
            self.said.set("The server does not answer. It is asked again.".to_owned());
            return true;
        };
        let is_open = self.move_bar(&now).is_some();
        if is_open {
            self.said.set(String::new());
        } else {
            self.end(&now);
        }
        is_open
    }

    /// `None` when it is not being written any more.
    fn move_bar(&self, now: &Element) -> Option<()> {
        let [bar, numbers] = ["progress", ".tabular"].map(|part| format!("[data-export=\"{}\"] {part}", self.id));
        let (done, said) = (find(now, &bar)?.get_attribute("value")?, find(now, &numbers)?.text_content()?);
        let _ = shown(&bar)?.set_attribute("value", &done);
        shown(&numbers)?.set_text_content(Some(&said));
        Some(())
    }

    /// Says what became of it, and shows it where that takes nothing from under somebody's hands.
    fn end(&self, now: &Element) {
        let export = find(now, &format!("[data-export=\"{}\"]", self.id));
        let part = format!("#{EXPORTS}");
        let (Some(said), Some(old), Some(new)) =
            (export.and_then(|export| export.get_attribute("data-ended")), shown(&part), find(now, &part))
        else {
            self.said.set("How far the export is cannot be seen any more.".to_owned());
            return self.is_left.set(true);
        };
        self.said.set(said);
        if has_focus(&old) {
            return self.is_left.set(true);
        }
        old.set_inner_html(&new.inner_html());
        // Not for whoever has chosen a zone: there the page says them as they are to be read.
        if shown("leptos-island[data-component^=LocalTimes]").is_some() {
            say_times_here();
        }
    }
}

/// The page as the server has it now, beside the one that is shown.
async fn page_now() -> Option<Element> {
    let address = window().location().href().ok()?;
    let answer = JsFuture::from(window().fetch_with_str(&address)).await.ok()?;
    if !Reflect::get(&answer, &"ok".into()).ok()?.is_truthy() {
        return None;
    }
    let text: Function = Reflect::get(&answer, &"text".into()).ok()?.dyn_into().ok()?;
    let text: Promise = text.call0(&answer).ok()?.dyn_into().ok()?;
    let text = JsFuture::from(text).await.ok()?.as_string()?;
    let page = document().create_element("div").ok()?;
    page.set_inner_html(&text);
    Some(page)
}

fn find(within: &Element, selector: &str) -> Option<Element> {
    within.query_selector(selector).ok().flatten()
}

fn shown(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

fn has_focus(part: &Element) -> bool {
    let Some(focused) = document().active_element() else { return false };
    let focused: &Node = &focused;
    part.contains(Some(focused))
}
