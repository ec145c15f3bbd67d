//! How far something is: steps, bars, and what is still to come.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// A piece of work with a known end. The numbers stand beside the bar.
#[component]
pub fn Progress(
    /// What is going on.
    #[prop(into)]
    label: String,
    /// How much is done.
    done: u64,
    /// How much there is.
    all: u64,
    /// What is counted: "events".
    unit: &'static str,
) -> impl IntoView {
    let said = format!("{} of {} {unit}", super::count(done), super::count(all));
    view! {
        <div class="progress">
            <span class="progress-head"><span>{label.clone()}</span><span class="meta tabular">{said}</span></span>
            <progress max=all value=done aria-label=label></progress>
        </div>
    }
}

/// The steps of something that takes several pages.
#[component]
pub fn Stepper(
    /// What is done in these steps; read out.
    #[prop(into)]
    label: String,
    /// The steps, in their order.
    steps: Vec<&'static str>,
    /// Which one is shown, from 0.
    current: usize,
) -> impl IntoView {
    let step = |(place, name): (usize, &'static str)| {
        let (sign, word) = match place.cmp(&current) {
            std::cmp::Ordering::Less => (view! { <Icon glyph=Glyph::Check/> }.into_any(), " (done)"),
            _ => (view! { <span class="tabular">{place + 1}</span> }.into_any(), ""),
        };
        let now = (place == current).then_some("step");
        view! { <li aria-current=now><span class="step-sign">{sign}</span>{name}<span class="sr-only">{word}</span></li> }
    };
    view! { <ol class="stepper" aria-label=label>{steps.into_iter().enumerate().map(step).collect_view()}</ol> }
}

/// The shape of what an island is about to show. The layout stays when it comes.
#[component]
pub fn Skeleton(
    /// How many lines.
    #[prop(default = 3)]
    lines: usize,
) -> impl IntoView {
    let lines = (0..lines).map(|_| view! { <span class="skeleton-line"></span> }).collect_view();
    view! { <div class="skeleton"><span class="sr-only">"Loading"</span><span class="skeleton-lines" aria-hidden="true">{lines}</span></div> }
}
