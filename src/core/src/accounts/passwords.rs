//! Argon2id on the blocking pool, a few at a time.

use crate::AppError;
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::PasswordHash,
    password_hash::{PasswordHasher, PasswordVerifier},
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// 19 MiB, two passes, one lane: the OWASP minimum, about 20 ms.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Hashes that may wait for their turn; the next one is told to come back.
const QUEUE: usize = 64;

/// What an unknown account's password is checked against, so that it takes as long as a known one's.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| hash_now("nobody has this password").ok());

/// Hashes and verifies without starving anything else of memory or processors.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { turns: Arc::new(Semaphore::new(processors)), waiting: Arc::new(Semaphore::new(QUEUE)) }
    }
}

impl Passwords {
    /// The PHC string to store.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, AppError> {
        self.in_turn(move || hash_now(password.expose_secret())).await?
    }

    /// Whether it is the password. Without a stored hash it is not, after the same time.
    pub(crate) async fn verify(&self, password: SecretString, stored: Option<String>) -> Result<bool, AppError> {
        self.in_turn(move || {
            let known = stored.is_some();
            let hash = stored.or_else(|| NOBODYS.clone()).unwrap_or_default();
            verify_now(password.expose_secret(), &hash) && known
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let _place = self.waiting.clone().try_acquire_owned().map_err(|_| AppError::Unavailable)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| AppError::Unavailable)?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| AppError::Internal)
    }
}

fn argon2() -> Result<Argon2<'static>, AppError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|_| AppError::Internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The same characters, however the keyboard makes them: é is one or two (NIST SP 800-63B-4; a deviation from ASVS 6.2.8).
fn normal(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkc().collect())
}

fn hash_now(password: &str) -> Result<String, AppError> {
    let hash = argon2()?.hash_password(normal(password).as_bytes()).map_err(|_| AppError::Internal)?;
    Ok(hash.to_string())
}

fn verify_now(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(normal(password).as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_verifies() {
        let passwords = Passwords::default();
        let hash = passwords.hash("a quiet fifteen".into()).await.expect("hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.verify("a quiet fifteen".into(), Some(hash.clone())).await, Ok(true));
        assert_eq!(passwords.verify("a quiet fifteen ".into(), Some(hash)).await, Ok(false));
        let composed = passwords.hash("un caf\u{e9} \u{fb01}n de journ\u{e9}e".into()).await.expect("hash");
        let decomposed = "un cafe\u{301} fin de journe\u{301}e";
        assert_eq!(
            passwords.verify(decomposed.into(), Some(composed.clone())).await,
            Ok(true),
            "typed on another keyboard"
        );
        assert_eq!(passwords.verify("un cafe fin de journee".into(), Some(composed)).await, Ok(false));
        let long = format!("{}tail", "seventy-two bytes and more ".repeat(3));
        let hash = passwords.hash(long.clone().into()).await.expect("hash");
        assert_eq!(passwords.verify(long[..72].into(), Some(hash)).await, Ok(false), "every byte counts");
        assert_eq!(passwords.verify("nobody has this password".into(), None).await, Ok(false));
    }
}
