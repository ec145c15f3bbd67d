//! What a ceremony with a passkey remembers between its two halves: sealed on our side, for five minutes, once. The browser
//! holds only the token that finds it.

use super::queries;
use crate::{AppError, Ctx, envelope::Place, ids::WorkspaceId, secrets};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use time::Duration;
use webauthn_rs::{Webauthn, WebauthnBuilder, prelude::Url};

const LIFETIME: Duration = Duration::minutes(5);

/// Who passkeys are made for: the host of the configured origin. An address of numbers cannot have any.
#[derive(Clone)]
pub struct RelyingParty(Option<Arc<Webauthn>>);

impl RelyingParty {
    /// Of this origin: `https://console.example.com`.
    pub fn at(origin: &str) -> Self {
        let webauthn = Url::parse(origin).ok().and_then(|origin| {
            let host = origin.domain()?.to_owned();
            WebauthnBuilder::new(&host, &origin).ok()?.rp_name("send0").build().ok()
        });
        Self(webauthn.map(Arc::new))
    }

    pub(super) fn get(&self) -> Result<&Webauthn, AppError> {
        let none =
            || AppError::Refused("Passkeys need a name: this console is reached by an address of numbers.".into());
        self.0.as_deref().ok_or_else(none)
    }

    /// Whether passkeys can be used here at all.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// Keeps the state, and gives the token that finds it.
pub(super) async fn keep(ctx: &Ctx, state: &impl Serialize) -> Result<SecretString, AppError> {
    let token = secrets::token();
    let hash = secrets::hash(token.expose_secret());
    let text = serde_json::to_vec(state).map_err(|_| AppError::Internal)?;
    let sealed = ctx.vault.seal(WorkspaceId::PLATFORM, &place(&hash), &text).await?;
    queries::put_ceremony(&ctx.db.auth, &hash, &sealed, ctx.clock.now() + LIFETIME).await?;
    Ok(token)
}

/// Takes the state; the next call finds nothing. `None` for a token of nothing, one that is too old, and a state of another
/// kind.
pub(super) async fn take<T: DeserializeOwned>(ctx: &Ctx, token: &str) -> Result<Option<T>, AppError> {
    let hash = secrets::hash(token);
    let Some(sealed) = queries::take_ceremony(&ctx.db.auth, &hash, ctx.clock.now()).await? else { return Ok(None) };
    let text = ctx.vault.open(WorkspaceId::PLATFORM, &place(&hash), &sealed).await?;
    Ok(serde_json::from_slice(&text).ok())
}

fn place(hash: &[u8; 32]) -> Place<'_> {
    Place { workspace: WorkspaceId::PLATFORM.0, table: "ceremonies", column: "sealed", row: hash }
}
