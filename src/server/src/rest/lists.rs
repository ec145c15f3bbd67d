//! What all lists share: `limit`, `cursor`, `next_cursor`, and refusing what is not a parameter.

use super::problem::ApiError;
use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use send0_core::{AppError, FieldError};
use serde::Serialize;
use std::{collections::BTreeMap, str::FromStr};
use utoipa::ToSchema;

const LIMIT_MAX: u32 = 100;
const LIMIT_DEFAULT: u32 = 50;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T: ToSchema> {
    /// Newest first.
    pub data: Vec<T>,
    /// Where the next page begins; `null` on the last.
    pub next_cursor: Option<String>,
}

/// The parameters of a query, each at most once.
pub struct Query(BTreeMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parse(&parts.uri)
    }
}

fn parse(uri: &Uri) -> Result<Query, ApiError> {
    let mut values = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if values.insert(name.to_string(), value.into_owned()).is_some() {
            return Err(ApiError::parameter(&name, "repeated", "This parameter may stand once."));
        }
    }
    Ok(Query(values))
}

impl Query {
    /// Refuses any parameter but these: a mistyped filter would otherwise look like an answer to it.
    pub fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let unknown: Vec<FieldError> = self
            .0
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| FieldError::new(name, "unknown_parameter", format!("Known are {}.", known.join(", "))))
            .collect();
        if unknown.is_empty() { Ok(()) } else { Err(AppError::Malformed(unknown).into()) }
    }

    /// A parameter, or nothing.
    pub fn get(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// 1 to 100; 50 when nothing is said.
    pub fn limit(&self) -> Result<u32, ApiError> {
        let Some(text) = self.0.get("limit") else { return Ok(LIMIT_DEFAULT) };
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| ApiError::parameter("limit", "out_of_range", format!("A number from 1 to {LIMIT_MAX}.")))
    }

    /// Where the page begins, as an earlier answer said.
    pub fn cursor<T: FromStr>(&self) -> Result<Option<T>, ApiError> {
        let wrong =
            || ApiError::parameter("cursor", "unknown_cursor", "Give next_cursor of the page before, unchanged.");
        self.0.get("cursor").map(|text| text.parse().map_err(|_| wrong())).transpose()
    }
}
