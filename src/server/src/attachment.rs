//! Answers that a browser saves as files.

use axum::http::{HeaderName, header};

/// The head of a file of this name, kept by nobody on the way (RFC 6266). The name is ours: it has neither quotes nor backslashes.
pub(crate) fn attachment(media_type: impl Into<String>, name: &str) -> [(HeaderName, String); 3] {
    [
        (header::CONTENT_TYPE, media_type.into()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ]
}
