//! The component kit: the parts every page is made of, rendered on the server as plain HTML.
//! The look lies in `style/main.css`, the colours in `style/tokens.css`.

mod agent;
mod badge;
mod banner;
mod button;
mod chart;
mod code;
mod confirm;
#[cfg(test)]
mod contrast;
mod dialog;
mod diff;
mod empty;
mod facts;
mod filter;
mod form;
mod frame;
mod icon;
mod menu;
mod number;
mod progress;
mod qr;
mod secret;
mod switch;
mod table;
mod tabs;
mod time;
mod toast;

pub use self::time::{ExactTime, TimeAgo, Times, ZonedTime, ago, bar_label, date, exact, rfc3339, time_zones};
pub use agent::browser;
pub use badge::{Badge, Status, Tag};
pub use banner::{Banner, Tone};
pub use button::{Button, ButtonKind, ButtonLink};
pub use chart::{Bar, Histogram, Moment, Timeline};
pub use code::{CodeBlock, JsonBlock};
pub use confirm::DangerZone;
pub use dialog::{Dialog, DialogButton};
pub use diff::{Change, Diff};
pub use empty::{Empty, NoMatch, NoPermission};
pub use facts::{Fact, Facts};
pub use filter::{FilterSelect, Filters, SearchField};
pub use form::{Checkbox, CheckboxGroup, Choice, ErrorSummary, PasswordField, RadioCards, Select, TextArea, TextField};
pub use frame::{AppFrame, BareFrame, NavItem, PageHeader, Section, WorkspaceItem};
pub use icon::{Glyph, Icon};
pub use menu::Menu;
pub use number::{bytes, count};
pub use progress::{Progress, Skeleton, Stepper};
pub use qr::Qr;
pub use secret::SecretReveal;
pub use switch::Switch;
pub use table::{Column, Pager, Table};
pub use tabs::{Tab, Tabs};
pub use toast::Toast;
