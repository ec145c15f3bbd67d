//! New events while somebody looks. The list does not move: a link says how many there are.

use super::{page::Shown, search::Asked};
use leptos::prelude::*;
use send0_core::audit_log::Page;

/// The parameter that says that new events are watched for.
pub const LIVE: &str = "live";

/// What is said when the browser does not try again by itself. It is told no reason.
const STOPPED: &str = "New events are not counted any more: the server does not let this page watch. \
    You may be signed out, or watching in too many tabs.";

/// Whether new events are watched for, and the way to do so or not. Without scripts, a link to the list as it is now: that they are
/// counted is said by `tail.js`, once they are, and that they are not counted any more as well.
pub fn watching(log: &Shown, asked: &Asked, found: &Page) -> Option<AnyView> {
    let tail = log.tail.as_ref().filter(|_| asked.is_newest() && asked.is_readable())?;
    let (on, off) = (asked.link(&log.base, &[(LIVE, "1")]), asked.link(&log.base, &[]));
    // With nothing there, whatever comes is new.
    let after = found.events.first().map_or(0, |event| event.seq).to_string();
    let source = asked.link(tail, &[("after", &after)]);
    Some(match asked.is_live {
        true => view! {
            <div class="tail" data-tail=source>
                <p role="status">
                    <a href=on.clone() hidden></a>
                    <span hidden>" "<span>{STOPPED}</span>" "<a href=on.clone()>"Try again"</a></span>
                </p>
                <p class="meta"><a href=on>"Refresh"</a>" · "<span hidden>"New events are counted as they come. "</span><a href=off>"Pause"</a></p>
            </div>
        }
        .into_any(),
        false => view! { <p class="tail meta"><a href=off>"Refresh"</a>" · "<a href=on>"Watch for new events"</a></p> }.into_any(),
    })
}
