//! `/w/{slug}/audit-log/tail`: how many new events there are, for whoever watches the log. Server-sent events, each a sentence.
//! A stream ends with the server, with the session, and with the right to read the log; that is looked at before every sentence.

use super::status_of;
use axum::{
    Extension,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use send0_core::{
    Actor, AppError, Ctx,
    accounts::{SignedIn, operations::enter, sessions::is_alive},
    actor,
    audit_log::{Filter, FilterText, operations},
    ids::SessionId,
};
use serde::Deserialize;
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often new events are looked for.
const EVERY: Duration = Duration::from_secs(1);
/// Streams of one session, say open tabs.
pub const STREAMS_MAX: usize = 4;

/// The streams that are open, and when all of them end.
#[derive(Clone, Default)]
pub struct Tails {
    open: Arc<Mutex<HashMap<SessionId, usize>>>,
    stop: CancellationToken,
}

impl Tails {
    /// Streams that end when this says so.
    pub fn until(stop: CancellationToken) -> Self {
        Self { stop, ..Self::default() }
    }

    /// A place for one more stream of the session, if there is one.
    fn enter(&self, session: SessionId) -> Option<Seat> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(session).or_default();
        if *count >= STREAMS_MAX {
            return None;
        }
        *count += 1;
        Some(Seat { tails: self.clone(), session })
    }
}

/// A place that is free again when the stream is gone, however that came.
struct Seat {
    tails: Tails,
    session: SessionId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.tails.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.session);
            }
        }
    }
}

/// The search of the page, and the newest event that it shows.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(flatten)]
    text: FilterText,
    #[serde(default)]
    after: String,
}

/// Opens a stream.
pub async fn watch(
    State((ctx, tails)): State<(Ctx, Tails)>,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    Extension(about): Extension<actor::Request>,
    signed_in: Option<Extension<SignedIn>>,
) -> Response {
    let Some(Extension(signed_in)) = signed_in else { return StatusCode::UNAUTHORIZED.into_response() };
    // Before anything is written: what is refused for want of a place is no search.
    let Some(seat) = tails.enter(signed_in.session) else { return StatusCode::TOO_MANY_REQUESTS.into_response() };
    let begun = async {
        let filter = asked.text.parse()?;
        let (actor, _) = enter(&ctx, &signed_in, &about, &slug).await?;
        operations::watch(&ctx, &actor, &filter).await?;
        // To open the list or this stream, also once more after it broke off, is a search, but no news to whoever opens it.
        Ok::<_, AppError>(Filter { but_searches_of: Some(signed_in.session), ..filter })
    };
    let filter = match begun.await {
        Ok(filter) => filter,
        Err(error) => return status_of(&error).into_response(),
    };
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let after = asked.after.parse().unwrap_or(i64::MAX);
    let watched = Watched { ctx, signed_in, about, slug, filter, after, said: 0, tick, seat };
    let events = stream::unfold(Some(watched), async |watched| watched?.next().await);
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// One stream.
struct Watched {
    ctx: Ctx,
    signed_in: SignedIn,
    about: actor::Request,
    slug: String,
    filter: Filter,
    after: i64,
    /// The number that was told last.
    said: usize,
    tick: Interval,
    seat: Seat,
}

type Said = Result<Event, Infallible>;

impl Watched {
    /// Waits until there is something to say. `None` ends the stream.
    async fn next(mut self) -> Option<(Said, Option<Self>)> {
        loop {
            tokio::select! {
                biased;
                () = self.seat.tails.stop.cancelled() => return None,
                _ = self.tick.tick() => {}
            }
            match self.count().await {
                Ok(count) if count == self.said => {}
                Ok(count) => {
                    self.said = count;
                    return Some((Ok(Event::default().data(sentence(count))), Some(self)));
                }
                // The database is away for a moment: that is no reason to go.
                Err(AppError::Unavailable) => {}
                Err(_) => return Some((Ok(Event::default().event("end").data(OVER)), None)),
            }
        }
    }

    async fn count(&self) -> Result<usize, AppError> {
        operations::newer(&self.ctx, &self.actor().await?, &self.filter, self.after).await
    }

    /// Who watches, as they are now.
    async fn actor(&self) -> Result<Actor, AppError> {
        if !is_alive(&self.ctx, &self.signed_in).await? {
            return Err(AppError::Unauthenticated("session".into()));
        }
        enter(&self.ctx, &self.signed_in, &self.about, &self.slug).await.map(|(actor, _)| actor)
    }
}

/// What the page says in place of the count from then on.
const OVER: &str = "New events are no longer counted: you are signed out, or may no longer read the log.";

fn sentence(count: usize) -> String {
    match count {
        1 => "1 new event".to_owned(),
        count if count > operations::NEWER_MAX => format!("More than {} new events", operations::NEWER_MAX),
        count => format!("{count} new events"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_so_many_streams_and_no_more() {
        let (tails, session, other) = (Tails::default(), SessionId::new(), SessionId::new());
        let mut seats: Vec<Seat> = (0..STREAMS_MAX).filter_map(|_| tails.enter(session)).collect();
        assert!(seats.len() == STREAMS_MAX && tails.enter(session).is_none());
        assert!(tails.enter(other).is_some(), "each session has its own");
        seats.pop();
        seats.extend(tails.enter(session));
        assert_eq!(seats.len(), STREAMS_MAX);
        drop(seats);
        assert!(tails.open.lock().expect("lock").is_empty(), "nothing is left");
    }

    #[test]
    fn the_number_is_said_as_it_is() {
        assert_eq!(sentence(1), "1 new event");
        assert_eq!(sentence(100), "100 new events");
        assert_eq!(sentence(101), "More than 100 new events");
    }
}
