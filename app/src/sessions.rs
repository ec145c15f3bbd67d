//! Sessions as tower-sessions knows them, kept by the domain: under the SHA-256 of their token, with their events.

use send0_core::{
    Ctx,
    accounts::{SignedIn, operations},
    actor::Request,
    ids::UserId,
    secrets,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use tower_sessions::{
    Session, SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

const SIGNED_IN: &str = "signed_in";
const START: &str = "start";
const IDLE: time::Duration = time::Duration::minutes(30);

/// What a session needs to begin. It goes through the record of tower-sessions and is not stored.
#[derive(Serialize, Deserialize)]
struct Start {
    user: UserId,
    request: Request,
}

/// The store that tower-sessions is given.
#[derive(Clone)]
pub struct Store(pub Ctx);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

#[async_trait::async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let start =
            record.data.get(START).cloned().ok_or_else(|| Error::Backend("a session begins with a sign-in".into()))?;
        let start: Start = serde_json::from_value(start).map_err(|error| Error::Decode(error.to_string()))?;
        operations::start_session(&self.0, &start.request, start.user, &hash(&record.id)).await.map_err(backend)
    }

    /// Nothing of a session changes once it has begun; being seen is noted when it is found.
    async fn save(&self, _: &Record) -> Result<()> {
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(signed_in) = operations::find_session(&self.0, &hash(id)).await.map_err(backend)? else {
            return Ok(None);
        };
        let signed_in = serde_json::to_value(signed_in).map_err(|error| Error::Encode(error.to_string()))?;
        let data = [(SIGNED_IN.to_owned(), signed_in)].into();
        Ok(Some(Record { id: *id, data, expiry_date: self.0.clock.now() + IDLE }))
    }

    /// A session ends through `operations::end_session`, which has its event. Here there is nothing left to do.
    async fn delete(&self, _: &Id) -> Result<()> {
        Ok(())
    }
}

fn hash(id: &Id) -> [u8; 32] {
    secrets::hash(&id.to_string())
}

fn backend(error: send0_core::AppError) -> Error {
    Error::Backend(error.to_string())
}

/// Who is signed in.
///
/// # Errors
/// [`send0_core::AppError::Unavailable`] when that cannot be known now: nobody is to be taken for nobody.
pub async fn signed_in(session: &Session) -> std::result::Result<Option<SignedIn>, send0_core::AppError> {
    session.get(SIGNED_IN).await.map_err(|error| {
        tracing::error!(%error, "a session could not be read");
        send0_core::AppError::Unavailable
    })
}

/// Begins a session under a new token; one that there was ends.
pub async fn begin(
    ctx: &Ctx,
    session: &Session,
    request: &Request,
    user: UserId,
) -> std::result::Result<(), send0_core::AppError> {
    end(ctx, session, request).await?;
    let start = Start { user, request: request.clone() };
    let begun = async {
        session.cycle_id().await?;
        session.insert(START, start).await?;
        session.save().await
    };
    let Err(error) = begun.await else { return Ok(()) };
    tracing::error!(%error, "a session could not begin");
    forget(session).await?;
    Err(send0_core::AppError::Unavailable)
}

/// Leaves nothing for the layer to save: it would otherwise try once more, or send the cookie of a session that is over.
async fn forget(session: &Session) -> std::result::Result<(), send0_core::AppError> {
    session.flush().await.map_err(|error| {
        tracing::error!(%error, "a session could not be forgotten");
        send0_core::AppError::Unavailable
    })
}

/// Ends the session, if there is one.
pub async fn end(ctx: &Ctx, session: &Session, request: &Request) -> std::result::Result<(), send0_core::AppError> {
    if let (Some(signed_in), Some(id)) = (signed_in(session).await?, session.id()) {
        operations::end_session(ctx, request, &signed_in, &hash(&id)).await?;
    }
    forget(session).await
}
