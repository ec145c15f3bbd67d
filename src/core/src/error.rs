//! The one error of operations. Pages, forms, islands and `/v1` each show it in their own way.

use serde::{Deserialize, Serialize};

/// What is wrong with one field, parameter or header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The name of the field, as the form or the JSON object spells it.
    pub field: String,
    /// A stable word for programs, such as `too_long`.
    pub code: String,
    /// A sentence for people: what is wrong and what would be right.
    pub message: String,
}

/// Why an operation was refused or failed. Never holds anything internal: it is shown to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", content = "detail", rename_all = "snake_case")]
pub enum AppError {
    /// 400: could not be parsed at all.
    #[error("The request could not be understood.")]
    Malformed(Vec<FieldError>),
    /// 401: nobody is signed in, or the key does not open anything. The word says why, where that may be said.
    #[error("{}", unauthenticated(.0))]
    Unauthenticated(String),
    /// 403: the actor lacks this permission.
    #[error("This needs the permission {0}.")]
    Forbidden(String),
    /// 403: refused for another reason, which the sentence gives.
    #[error("{0}")]
    Refused(String),
    /// 403: the workspace demands a second factor, and the time to add one is over.
    #[error("{}", factor_needed(*.passkey))]
    FactorNeeded {
        /// Whether it must be a passkey.
        passkey: bool,
    },
    /// 403: whoever is signed in must show once more that it is them; their last proof is too old for this.
    #[error("Confirm that it is you, then try again.")]
    ProofNeeded,
    /// 403: the allowlist of the workspace does not name the address, which is the caller's own.
    #[error("The allowlist of this workspace does not let {0} in.")]
    BlockedByIp(String),
    /// 404: unknown, or another workspace's: the answer is the same.
    #[error("There is nothing here.")]
    NotFound,
    /// 409: in conflict with the present state.
    #[error("{0}")]
    Conflict(String),
    /// 422: parsed, but wrong.
    #[error("{}", invalid(.0))]
    Invalid(Vec<FieldError>),
    /// 429: too many tries. Seconds to wait.
    #[error("Too many attempts. Try again in {}.", wait(*.0))]
    Throttled(u32),
    /// 503: the database or the log cannot be written. Nothing was done.
    #[error("The service cannot do this right now. Look whether it was done, and try again in a few seconds.")]
    Unavailable,
    /// 500: our fault, logged with the request id.
    #[error("Something broke on our side. Nothing was changed.")]
    Internal,
}

impl AppError {
    /// A refusal of one field.
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        FieldError::new(field, code, message).into()
    }

    /// The HTTP status (RFC 9110) that says the same.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unauthenticated(_) => 401,
            Self::Forbidden(_)
            | Self::Refused(_)
            | Self::ProofNeeded
            | Self::BlockedByIp(_)
            | Self::FactorNeeded { .. } => 403,
            Self::NotFound => 404,
            Self::Conflict(_) => 409,
            Self::Invalid(_) => 422,
            Self::Throttled(_) => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// What is wrong with this field, if anything is.
    pub fn of_field(&self, field: &str) -> Option<&str> {
        match self {
            Self::Invalid(errors) => errors.iter().find(|e| e.field == field).map(|e| e.message.as_str()),
            _ => None,
        }
    }
}

impl FieldError {
    /// A field, a stable word for programs, a sentence for people.
    pub fn new(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }
}

/// One field that is wrong is enough to refuse all of it.
impl From<FieldError> for AppError {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

fn unauthenticated(code: &str) -> &'static str {
    match code {
        "wrong_credentials" => "Mail address or password is wrong.",
        "wrong_code" => "This code does not open anything: it is wrong, too old, or was used already.",
        "wrong_passkey" => "This passkey does not open anything here. Sign in another way.",
        "second_factor" => "The second factor is still to come.",
        "expired_key" => "This API key has expired. Issue another one.",
        "revoked_key" => "This API key was revoked. Issue another one.",
        "missing_key" => "Send an API key as Authorization: Bearer sk_….",
        "malformed_key" => {
            "This is not an API key of send0: prefix, length or checksum is wrong. Check that it was copied whole."
        }
        "unknown_key" => "No API key of send0 opens with this.",
        _ => "Sign in to continue.",
    }
}

fn factor_needed(passkey: bool) -> &'static str {
    match passkey {
        true => {
            "This workspace lets in only who signs in with a passkey. Add one to your account, and sign in with it."
        }
        false => {
            "This workspace lets in only who has a second factor, and your time to add one is over. Add one to come back."
        }
    }
}

fn invalid(errors: &[FieldError]) -> String {
    match errors {
        [one] if one.field.is_empty() => one.message.clone(),
        [_] => "One field needs another look.".into(),
        _ => format!("{} fields need another look.", errors.len()),
    }
}

fn wait(seconds: u32) -> String {
    match seconds {
        0..=90 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    }
}

/// Collects the refusals of several fields, so that a form shows all of them at once.
#[derive(Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    /// The parsed value, or `None` with the refusal kept.
    pub fn keep<T>(&mut self, parsed: Result<T, FieldError>) -> Option<T> {
        parsed.map_err(|error| self.0.push(error)).ok()
    }

    /// `Err` with everything refused so far.
    pub fn finish(self) -> Result<(), AppError> {
        if self.0.is_empty() { Ok(()) } else { Err(AppError::Invalid(self.0)) }
    }
}
