//! What an export is written in. Each record is one line, whatever the names in it hold.

mod cef;
mod csv;
mod ecs;
mod meaning;
mod ndjson;
mod ocsf;
mod text;
pub(crate) use text::visible_json;

use super::{Format, queries::Stored};
use crate::ids::WorkspaceId;
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
pub(super) fn write(
    to: &mut Vec<u8>,
    format: Format,
    workspace: WorkspaceId,
    stored: &Stored<'_>,
    leaf: Option<&Hash>,
) {
    if format == Format::Ndjson {
        return ndjson::write(to, workspace, stored, leaf);
    }
    let event = stored.view(workspace);
    match format {
        Format::Csv => csv::write(to, &event),
        Format::Ocsf => text::json_line(to, ocsf::record(&event)),
        Format::Ecs => text::json_line(to, ecs::record(&event)),
        Format::Cef | Format::Ndjson => cef::write(to, &event),
    }
}

#[cfg(test)]
mod tests;
