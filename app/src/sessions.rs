//! Sessions as tower-sessions knows them, kept by the domain: under the SHA-256 of their token, with their events.

use send0_core::{
    Ctx,
    accounts::{self, Begun, Shown, SignedIn, operations},
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
const PROVE: &str = "prove";
const IDLE: time::Duration = time::Duration::minutes(30);

/// What a session needs to begin. It goes through the record of tower-sessions and is not stored.
#[derive(Serialize, Deserialize)]
struct Start {
    user: UserId,
    begun: Begun,
    request: Request,
}

/// What it needs to go on under another token.
#[derive(Serialize, Deserialize)]
struct Prove {
    signed_in: SignedIn,
    shown: Shown,
    old: [u8; 32],
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
        let new = hash(&record.id);
        if let Some(Prove { signed_in, shown, old, request }) = of_record(record, PROVE)? {
            let proved = accounts::sessions::prove(&self.0, &request, &signed_in, shown, &old, &new);
            return proved.await.map_err(backend);
        }
        let start = of_record(record, START)?.ok_or_else(|| Error::Backend("a session begins with a sign-in".into()));
        let Start { user, begun, request } = start?;
        operations::start_session(&self.0, &request, user, begun, &new).await.map_err(backend)
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

fn of_record<T: serde::de::DeserializeOwned>(record: &Record, name: &str) -> Result<Option<T>> {
    let value = record.data.get(name).cloned();
    value.map(serde_json::from_value).transpose().map_err(|error| Error::Decode(error.to_string()))
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
    begun: Begun,
) -> std::result::Result<(), send0_core::AppError> {
    end(ctx, session, request).await?;
    under_another_token(session, START, Start { user, begun, request: request.clone() }).await
}

/// After a proof the session goes on under another token. What was half is whole.
pub async fn prove(
    session: &Session,
    request: &Request,
    signed_in: SignedIn,
    shown: Shown,
) -> std::result::Result<(), send0_core::AppError> {
    let old = session.id().map(|id| hash(&id)).ok_or(send0_core::AppError::Unauthenticated("session".into()))?;
    under_another_token(session, PROVE, Prove { signed_in, shown, old, request: request.clone() }).await
}

async fn under_another_token(
    session: &Session,
    what: &str,
    how: impl Serialize,
) -> std::result::Result<(), send0_core::AppError> {
    let begun = async {
        session.cycle_id().await?;
        session.insert(what, how).await?;
        session.save().await
    };
    let Err(error) = begun.await else { return Ok(()) };
    tracing::error!(%error, "a session could not begin or go on");
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
