//! Icons on a 16 px grid, drawn with one path each. They repeat what a word beside them says.

use leptos::prelude::*;

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// The sign of send0: a slashed zero.
    Mark,
    /// Opens something below.
    Chevron,
    /// The navigation menu.
    Menu,
    /// Search.
    Search,
    /// Copy to the clipboard.
    Copy,
    /// A plain fact.
    Info,
    /// Needs attention.
    Warning,
    /// Cannot be undone.
    Danger,
    /// Done.
    Check,
    /// Status: nothing to report.
    Ring,
    /// Status: under way.
    Half,
    /// Status: working.
    Disc,
    /// Status: needs attention.
    Triangle,
    /// Status: broken or destroyed.
    Octagon,
    /// Status: no longer in force.
    Slash,
    /// Status: verified by a check.
    Seal,
}

impl Glyph {
    fn filled(self) -> bool {
        matches!(self, Self::Disc | Self::Triangle | Self::Octagon | Self::Half)
    }

    fn path(self) -> &'static str {
        match self {
            Self::Mark => {
                "M3.75 1h8.5A2.75 2.75 0 0 1 15 3.75v8.5A2.75 2.75 0 0 1 12.25 15h-8.5A2.75 2.75 0 0 1 1 12.25v-8.5A2.75 2.75 0 0 1 3.75 1zM8 3.5c-2 0-3 1.8-3 4.5s1 4.5 3 4.5 3-1.8 3-4.5-1-4.5-3-4.5zM5.75 11l4.5-6"
            }
            Self::Chevron => "m4 6 4 4 4-4",
            Self::Menu => "M2.5 4h11M2.5 8h11M2.5 12h11",
            Self::Search => "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zm3.5-1.5L14 14",
            Self::Copy => "M6 6h7.5v7.5H6zM3.5 10h-1V2.5H10v1",
            Self::Info => "M8 14.25a6.25 6.25 0 1 0 0-12.5 6.25 6.25 0 0 0 0 12.5zM8 7.25v4M8 4.75v.1",
            Self::Warning => "M8 2 14.5 13.5h-13zM8 6.5v3.25M8 11.5v.1",
            Self::Danger => "M5.5 1.75h5l3.75 3.75v5l-3.75 3.75h-5L1.75 10.5v-5zM8 4.75v4M8 11v.1",
            Self::Check => "m3 8.5 3.25 3.25L13 4.5",
            Self::Ring => "M8 13A5 5 0 1 0 8 3a5 5 0 0 0 0 10z",
            Self::Half => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 1.75v8.5a4.25 4.25 0 0 1 0-8.5z",
            Self::Disc => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z",
            Self::Triangle => "M8 1.5 15.25 14H.75z",
            Self::Octagon => "M5.25 1.25h5.5l4 4v5.5l-4 4h-5.5l-4-4v-5.5z",
            Self::Slash => "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM4 12l8-8",
            Self::Seal => "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM5 8.25l2.25 2.25L11 6",
        }
    }
}

/// An icon that says nothing to a screen reader.
#[component]
pub fn Icon(
    /// What it shows.
    glyph: Glyph,
) -> impl IntoView {
    let (fill, stroke) = if glyph.filled() { ("currentColor", "none") } else { ("none", "currentColor") };
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill=fill stroke=stroke
            stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
            <path d=glyph.path()/>
        </svg>
    }
}
