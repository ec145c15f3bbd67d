//! A message that concerns the whole page.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// What kind of message a banner brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Info,
    /// Something was done.
    Ok,
    /// Needs attention.
    Warn,
    /// Something will be, or has been, destroyed.
    Danger,
}

impl Tone {
    fn look(self) -> (&'static str, Glyph) {
        match self {
            Self::Info => ("banner", Glyph::Info),
            Self::Ok => ("banner banner-ok", Glyph::Check),
            Self::Warn => ("banner banner-warn", Glyph::Warning),
            Self::Danger => ("banner banner-danger", Glyph::Danger),
        }
    }
}

/// A message on top of a page or section.
#[component]
pub fn Banner(
    /// Decides sign and colour.
    tone: Tone,
    /// The message in a few words.
    #[prop(into)]
    title: String,
    /// What follows from it, and the next step.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let (class, glyph) = tone.look();
    view! {
        <div class=class role=(tone == Tone::Ok).then_some("status")>
            <Icon glyph/>
            <div>
                <p class="banner-title">{title}</p>
                {children.map(|children| children())}
            </div>
        </div>
    }
}
