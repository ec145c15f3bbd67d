//! The component kit: the parts every page is made of, rendered on the server as plain HTML.
//! The look lies in `style/main.css`, the colours in `style/tokens.css`.

mod badge;
mod banner;
mod button;
mod code;
mod confirm;
#[cfg(test)]
mod contrast;
mod diff;
mod empty;
mod facts;
mod filter;
mod form;
mod frame;
mod icon;
mod number;
mod secret;
mod table;
mod time;

pub use self::time::{ExactTime, TimeAgo, Times, ago, date, exact, rfc3339};
pub use badge::{Badge, Status, Tag};
pub use banner::{Banner, Tone};
pub use button::{Button, ButtonKind, ButtonLink};
pub use code::{CodeBlock, JsonBlock};
pub use confirm::DangerZone;
pub use diff::{Change, Diff};
pub use empty::{Empty, NoMatch, NoPermission};
pub use facts::{Fact, Facts};
pub use filter::{FilterSelect, Filters, SearchField};
pub use form::{Checkbox, CheckboxGroup, Choice, ErrorSummary, PasswordField, RadioCards, Select, TextArea, TextField};
pub use frame::{AppFrame, BareFrame, NavItem, PageHeader, Section, WorkspaceItem};
pub use icon::{Glyph, Icon};
pub use number::{bytes, count};
pub use secret::SecretReveal;
pub use table::{Column, Pager, Table};
