//! Errors as RFC 9457 problems.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use send0_core::{AppError, FieldError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem: a URI that need not be followed.
    pub r#type: String,
    /// The kind of problem, as a sentence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The kind of problem, as a word.
    pub code: String,
    /// What happened this time, and what would help.
    pub detail: String,
    /// The scope that the key lacks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub required_scope: Option<String>,
    /// The path that was called.
    pub instance: String,
    /// The request, as in `x-request-id`.
    pub request_id: String,
    /// What is wrong with which field or parameter.
    pub errors: Vec<ProblemField>,
}

/// What is wrong with one field or parameter.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemField {
    /// A JSON pointer into the body, or the name of a parameter.
    pub field: String,
    /// A word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// An error on its way to a problem. The layer that knows the request completes it.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// The kind, as a word.
    pub code: String,
    /// What happened.
    pub detail: String,
    /// The scope that is missing.
    pub required_scope: Option<String>,
    /// Seconds to wait.
    pub retry_after: Option<u32>,
    /// Fields or parameters.
    pub errors: Vec<FieldError>,
}

impl ApiError {
    /// An error of HTTP rather than of an operation.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            required_scope: None,
            retry_after: None,
            errors: vec![],
        }
    }

    /// One parameter that cannot be read.
    pub fn parameter(name: &str, code: &str, message: impl Into<String>) -> Self {
        AppError::Malformed(vec![FieldError::new(name, code, message)]).into()
    }

    fn title(&self) -> &'static str {
        match self.code.as_str() {
            "blocked_by_ip" => "This address is not let in",
            "missing_scope" => "The key lacks a scope",
            "not_found" => "There is nothing here",
            "invalid" => "Some fields are not right",
            "malformed" => "The request cannot be read",
            "method_not_allowed" => "This path does not answer to this method",
            "payload_too_large" => "The body is too large",
            "unsupported_media_type" => "The body has a type that cannot be read",
            "throttled" => "Too many requests",
            "unavailable" => "Not available right now",
            "conflict" => "In conflict with the present state",
            "internal" => "Something broke on our side",
            _ if self.status == StatusCode::UNAUTHORIZED => "This key opens nothing",
            _ => "The request was refused",
        }
    }

    /// The problem, once the request is known.
    pub fn problem(&self, instance: &str, request_id: &str) -> Problem {
        let pointer = |field: &str| {
            if self.status == StatusCode::UNPROCESSABLE_ENTITY { format!("/{field}") } else { field.to_owned() }
        };
        let errors = self.errors.iter();
        Problem {
            r#type: format!("https://send0.dev/problems/{}", self.code),
            title: self.title().to_owned(),
            status: self.status.as_u16(),
            code: self.code.clone(),
            detail: self.detail.clone(),
            required_scope: self.required_scope.clone(),
            instance: instance.to_owned(),
            request_id: request_id.to_owned(),
            errors: errors
                .map(|e| ProblemField { field: pointer(&e.field), code: e.code.clone(), message: e.message.clone() })
                .collect(),
        }
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail = error.to_string();
        let new = |code: &str| Self::new(status, code, detail.clone());
        match error {
            AppError::Malformed(errors) => Self { errors, ..new("malformed") },
            AppError::Invalid(errors) => Self { errors, ..new("invalid") },
            AppError::Unauthenticated(code) => new(&code),
            AppError::Forbidden(scope) => Self {
                detail: format!(
                    "The key lacks the scope {scope}. A live key, or a restricted key with that scope, may do this."
                ),
                required_scope: Some(scope),
                ..new("missing_scope")
            },
            // A key is its own proof; nothing of the API ever asks for one.
            AppError::ProofNeeded => Self::new(StatusCode::FORBIDDEN, "proof_needed", error.to_string()),
            AppError::FactorNeeded { .. } => new("second_factor_missing"),
            AppError::Refused(_) => new("refused"),
            AppError::BlockedByIp(_) => new("blocked_by_ip"),
            AppError::NotFound => new("not_found"),
            AppError::Conflict(_) => new("conflict"),
            AppError::Throttled(seconds) => Self { retry_after: Some(seconds), ..new("throttled") },
            AppError::Unavailable => Self { retry_after: Some(5), ..new("unavailable") },
            AppError::Internal => new("internal"),
        }
    }
}

impl IntoResponse for ApiError {
    /// Without a body as yet: the outer layer of `/v1` writes it.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"send0\""));
        }
        response.extensions_mut().insert(self);
        response
    }
}
