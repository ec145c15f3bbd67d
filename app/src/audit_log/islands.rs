//! The box of the search with its completions; without scripts it is a box. What keeps the bar of an export moving; without scripts there
//! is a link. Nothing here may panic.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(missing_docs, reason = "the macro makes undocumented items beside each island")]

use super::completion::{completed, offered};
use crate::islands::say_times_here;
use js_sys::{Array, Date, Function, Object, Promise, Reflect};
use leptos::{ev, html, prelude::*, task::spawn_local};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Node};

const LIST: &str = "q-list";

/// The part of the page that an export changes.
pub const EXPORTS: &str = "exports";
/// How long it takes until an export that is being written is looked at again.
const LOOK_AFTER: Duration = Duration::from_secs(2);
/// The same at most, while the server does not answer.
const LOOK_AFTER_MAX: Duration = Duration::from_secs(60);
/// How long an answer is waited for.
const ANSWER_MS: u32 = 10_000;
/// How long an export is looked at that does not move. Each look keeps the session alive, so that it may not go on for ever.
const PATIENCE_MS: f64 = 600_000.0;
/// What is said when its page is refused, or does not show it.
const UNSEEN: &str = "How far the export is cannot be seen any more.";
/// What the link to the page says when there is no more to know.
const REFRESH: &str = "Refresh";

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
    let watched = Watched { id, said: RwSignal::new(String::new()), link: RwSignal::new("") };
    let (said, link) = (watched.said, watched.link);
    Effect::new(move |_| spawn_local(watched.clone().watch()));
    view! { <p role="status" class="meta">{said}" "<a href=here hidden=move || link.get().is_empty()>{link}</a></p> }
}

/// An export that is being written.
#[derive(Clone)]
struct Watched {
    id: String,
    /// What is said of it.
    said: RwSignal<String>,
    /// What the link to the page says, once nothing comes by itself any more.
    link: RwSignal<&'static str>,
}

impl Watched {
    /// Looks again and again, for as long as there is more to come.
    async fn watch(self) {
        let (mut pause, mut moved_at) = (LOOK_AFTER, Date::now());
        while Date::now() - moved_at < PATIENCE_MS {
            sleep(pause).await;
            until_seen().await;
            pause = match page_now().await {
                Answer::Page(now) => {
                    let Some(has_moved) = self.move_bar(&now) else { return self.end(&now) };
                    self.said.set(String::new());
                    if has_moved {
                        moved_at = Date::now();
                    }
                    LOOK_AFTER
                }
                // Asked again, it would be refused again, and each refusal is an event.
                Answer::Refusal => return self.stop(UNSEEN, REFRESH),
                Answer::Nothing => {
                    self.said.set("The server does not answer. It is asked again.".to_owned());
                    (pause * 2).min(LOOK_AFTER_MAX)
                }
            };
        }
        self.stop("It takes longer than usual.", REFRESH);
    }

    fn stop(&self, said: &str, link: &'static str) {
        self.said.set(said.to_owned());
        self.link.set(link);
    }

    /// Where its bar is on a page, and where the numbers are.
    fn parts(&self) -> [String; 2] {
        ["progress", ".tabular"].map(|part| format!("[data-export=\"{}\"] {part}", self.id))
    }

    /// Whether it moved. `None` when it is not being written any more.
    fn move_bar(&self, now: &Element) -> Option<bool> {
        let [bar, numbers] = self.parts();
        let (done, said) = (find(now, &bar)?.get_attribute("value")?, find(now, &numbers)?.text_content()?);
        let (bar, numbers) = (shown(&bar)?, shown(&numbers)?);
        let has_moved = bar.get_attribute("value").as_ref() != Some(&done);
        if has_moved {
            let _ = bar.set_attribute("value", &done);
            numbers.set_text_content(Some(&said));
        }
        Some(has_moved)
    }

    /// Says what became of it, and shows it where that takes nothing from under somebody's hands.
    fn end(&self, now: &Element) {
        let part = format!("#{EXPORTS}");
        let export = find(now, &format!("[data-export=\"{}\"][data-ended]", self.id));
        let (Some(export), Some(old), Some(new)) = (export, shown(&part), find(now, &part)) else {
            return self.stop(UNSEEN, REFRESH);
        };
        let said = export.get_attribute("data-ended").unwrap_or_default();
        if is_in_hands(&old) {
            self.leave(&said, export.has_attribute("data-done"));
            return self.stop(&said, "Show it");
        }
        self.said.set(said);
        old.set_inner_html(&new.inner_html());
        // Not for whoever has chosen a zone: there the page says them as they are to be read.
        if shown("leptos-island[data-component^=LocalTimes]").is_some() {
            say_times_here();
        }
    }

    /// Where the page stays as it was: it says no longer that the export is being written, nor that it can be cancelled.
    fn leave(&self, said: &str, is_done: bool) {
        if let Some(title) = shown("#under-way h2") {
            title.set_text_content(Some(said));
        }
        if let Some(cancel) = shown("#under-way button") {
            // To be `disabled` would take the focus from it.
            let _ = cancel.set_attribute("type", "button");
            let _ = cancel.set_attribute("aria-disabled", "true");
        }
        if is_done {
            self.fill_bar();
        }
    }

    fn fill_bar(&self) -> Option<()> {
        let [bar, numbers] = self.parts().map(|part| shown(&part));
        let (bar, numbers) = (bar?, numbers?);
        let _ = bar.set_attribute("value", &bar.get_attribute("max")?);
        // Of `2 of 4 events`, the events.
        let said = numbers.text_content()?;
        numbers.set_text_content(Some(said.rsplit_once(" of ")?.1));
        Some(())
    }
}

async fn sleep(pause: Duration) {
    let over = Promise::new(&mut |wake, _| {
        let wake = move || {
            let _ = wake.call0(&JsValue::NULL);
        };
        set_timeout(wake, pause);
    });
    let _ = JsFuture::from(over).await;
}

/// To look while nobody does would keep the session alive for nobody.
async fn until_seen() {
    while document().hidden() {
        let change = Promise::new(&mut |changed, _| document().set_onvisibilitychange(Some(&changed)));
        let _ = JsFuture::from(change).await;
    }
}

/// What comes of it to ask for the page again.
enum Answer {
    /// The page as the server has it now, beside the one that is shown.
    Page(Element),
    /// Whoever asks may not see it, or is led elsewhere, say to sign in.
    Refusal,
    /// No answer in time, or one that says nothing about the page.
    Nothing,
}

async fn page_now() -> Answer {
    let Some(answer) = ask().await else { return Answer::Nothing };
    if is_refusal(&answer) {
        return Answer::Refusal;
    }
    page_of(&answer).await.map_or(Answer::Nothing, Answer::Page)
}

async fn ask() -> Option<JsValue> {
    let (browser, options) = (JsValue::from(window()), Object::new());
    let limit = call(&get(&browser, "AbortSignal")?, "timeout", &[ANSWER_MS.into()])?;
    Reflect::set(&options, &"signal".into(), &limit).ok()?;
    let address = window().location().href().ok()?;
    settled(call(&browser, "fetch", &[address.into(), options.into()])?).await
}

fn is_refusal(answer: &JsValue) -> bool {
    let status = get(answer, "status").and_then(|status| status.as_f64()).unwrap_or_default();
    is(answer, "redirected") || (400.0..500.0).contains(&status)
}

async fn page_of(answer: &JsValue) -> Option<Element> {
    if !is(answer, "ok") {
        return None;
    }
    let text = settled(call(answer, "text", &[])?).await?.as_string()?;
    let page = document().create_element("div").ok()?;
    page.set_inner_html(&text);
    Some(page)
}

async fn settled(promise: JsValue) -> Option<JsValue> {
    JsFuture::from(promise.dyn_into::<Promise>().ok()?).await.ok()
}

fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &name.into()).ok()
}

fn is(of: &JsValue, name: &str) -> bool {
    get(of, name).is_some_and(|value| value.is_truthy())
}

/// Calls a method of something that is not worth a type here.
fn call(of: &JsValue, method: &str, with: &[JsValue]) -> Option<JsValue> {
    let method: Function = get(of, method)?.dyn_into().ok()?;
    Reflect::apply(&method, of, &with.iter().collect::<Array>()).ok()
}

fn find(within: &Element, selector: &str) -> Option<Element> {
    within.query_selector(selector).ok().flatten()
}

fn shown(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

/// Whether somebody is at it: with the keyboard, a mouse or a finger, or with text that they selected.
fn is_in_hands(part: &Element) -> bool {
    let is_pointed_at = part.matches(":hover, :active").unwrap_or_default();
    is_pointed_at || has_focus(part) || has_selection(part).unwrap_or_default()
}

fn has_focus(part: &Element) -> bool {
    let Some(focused) = document().active_element() else { return false };
    let focused: &Node = &focused;
    part.contains(Some(focused))
}

fn has_selection(part: &Element) -> Option<bool> {
    let selection = call(&document(), "getSelection", &[])?;
    let is_here = call(&selection, "containsNode", &[part.clone().into(), true.into()])?.is_truthy();
    Some(is_here && !is(&selection, "isCollapsed"))
}
