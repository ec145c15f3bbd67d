//! What an export is written in. Each record is one line, whatever the names in it hold.

mod cef;
mod csv;
mod ecs;
mod meaning;
mod ndjson;
mod ocsf;
mod text;

use super::{
    Format,
    queries::{Stored, put_together},
};
use crate::{AppError, ids::WorkspaceId};
use send0_verify::Hash;

/// About how long a line is, in bytes.
pub(super) const LINE_LENGTH: usize = 1_400;

/// What stands before the first event.
pub(super) fn head(format: Format) -> &'static [u8] {
    match format {
        Format::Csv => csv::HEAD.as_bytes(),
        Format::Ndjson | Format::Ocsf | Format::Ecs | Format::Cef => b"",
    }
}

/// Appends an event, as one line.
///
/// # Errors
/// [`AppError::Internal`] for an event that cannot be read, which none of ours is.
pub(super) fn write(
    to: &mut Vec<u8>,
    format: Format,
    workspace: WorkspaceId,
    stored: &Stored<'_>,
    leaf: Option<&Hash>,
) -> Result<(), AppError> {
    if format == Format::Ndjson {
        ndjson::write(to, workspace, stored, leaf);
        return Ok(());
    }
    let event = put_together(workspace, stored.seq, stored.at, stored.body, stored.personal)?;
    match format {
        Format::Csv => csv::write(to, &event),
        Format::Ocsf => text::json_line(to, ocsf::record(&event)),
        Format::Ecs => text::json_line(to, ecs::record(&event)),
        Format::Cef | Format::Ndjson => cef::write(to, &event),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
