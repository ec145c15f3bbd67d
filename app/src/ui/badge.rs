//! A status is a word, a shape and a colour; a tag is a word alone.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing to report.
    Neutral,
    /// Under way, not finished.
    Pending,
    /// Working as it should.
    Ok,
    /// Needs attention.
    Warn,
    /// Destroyed, or about to be.
    Danger,
    /// No longer in force: revoked, expired, switched off.
    Off,
    /// Verified by a check, and by nothing less.
    Proof,
}

impl Status {
    fn look(self) -> (&'static str, Glyph) {
        match self {
            Self::Neutral => ("badge", Glyph::Ring),
            Self::Pending => ("badge", Glyph::Half),
            Self::Ok => ("badge badge-ok", Glyph::Disc),
            Self::Warn => ("badge badge-warn", Glyph::Triangle),
            Self::Danger => ("badge badge-danger", Glyph::Octagon),
            Self::Off => ("badge badge-off", Glyph::Slash),
            Self::Proof => ("badge badge-proof", Glyph::Seal),
        }
    }
}

/// A status: word, shape and colour.
#[component]
pub fn Badge(
    /// Decides shape and colour.
    status: Status,
    /// The word, in lower case.
    #[prop(into)]
    word: String,
) -> impl IntoView {
    let (class, glyph) = status.look();
    view! { <span class=class><Icon glyph/>{word}</span> }
}

/// A word in a frame: a role, a mode, a kind.
#[component]
pub fn Tag(
    /// The word.
    #[prop(into)]
    word: String,
) -> impl IntoView {
    view! { <span class="tag">{word}</span> }
}
