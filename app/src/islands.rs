//! The moving parts that several rooms share. A panic here would end every island after it, so nothing may panic.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![expect(missing_docs, reason = "the macro makes undocumented items beside each island")]

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Copies a text. Without scripts the button is not shown: the text beside it can be selected.
#[island]
pub fn CopyButton(
    /// What is copied.
    text: String,
    /// What the button says it copies: "Copy key".
    label: String,
) -> impl IntoView {
    let said = RwSignal::new(String::new());
    let button = label.clone();
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let done = JsFuture::from(window().navigator().clipboard().write_text(&text)).await;
            said.set(if done.is_ok() { "Copied" } else { "Not copied: select the text and copy it" }.to_owned());
        });
    };
    view! {
        <span class="copy">
            <button type="button" class="btn" on:click=copy>{button}</button>
            <span role="status" class="hint">{said}</span>
        </span>
    }
}

/// Says every time of the page in the zone of whoever reads it.
#[island]
pub fn LocalTimes() -> impl IntoView {
    Effect::new(|_| say_times_here());
}

/// The same for what has come into the page since.
pub fn say_times_here() {
    let Ok(times) = document().query_selector_all("time[datetime]") else { return };
    for place in 0..times.length() {
        let Some(element) = times.item(place).and_then(|node| node.dyn_into::<web_sys::Element>().ok()) else {
            continue;
        };
        let Some(text) = element.get_attribute("datetime").and_then(|instant| local(&instant)) else { continue };
        if element.has_attribute("title") {
            let _ = element.set_attribute("title", &text);
        } else {
            element.set_text_content(Some(&text));
        }
    }
}

/// `24 Nov 2026, 07:55:42 GMT+5:30`.
fn local(instant: &str) -> Option<String> {
    let date = js_sys::Date::new(&JsValue::from_str(instant));
    if date.get_time().is_nan() {
        return None;
    }
    let options = js_sys::Object::new();
    for (name, value) in [
        ("day", "numeric"),
        ("month", "short"),
        ("year", "numeric"),
        ("hour", "2-digit"),
        ("minute", "2-digit"),
        ("second", "2-digit"),
        ("hourCycle", "h23"),
        ("timeZoneName", "short"),
    ] {
        js_sys::Reflect::set(&options, &name.into(), &value.into()).ok()?;
    }
    Some(date.to_locale_string("en-GB", &options).into())
}
