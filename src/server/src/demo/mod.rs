//! `send0 demo`: a workspace with people, keys and months of events, to look at the product and to measure it.
//!
//! All of it goes through the operations and the API, as people and programs would: permissions hold, refusals are
//! refused, and the log is a real one. Only its clock is set (`send0_core::database::DemoClock`).

mod stage;
mod story;

use crate::{installation::Installation, serve};
use serde_json::json;
use stage::Stage;
use time::{Duration, OffsetDateTime};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How far back the story begins.
const DAYS: i64 = 150;

/// Plays the story into an installation. Returns how its owner signs in.
///
/// # Errors
/// Without the migrator's login, and whatever an operation refuses that the story needs.
pub async fn fill(installation: &Installation) -> Result<serde_json::Value, Failure> {
    let migrator =
        installation.migrator().ok_or("a demo needs SEND0_DATABASE_URL_MIGRATOR: it sets the log's clock")?;
    // Nobody in the story exists: their mail stays here.
    let ctx = installation.open()?.relaying(None);
    let begin = OffsetDateTime::now_utc().replace_time(time::Time::MIDNIGHT) - Duration::days(DAYS);
    let mut stage = Stage::set(ctx.clone(), serve::site("http://localhost:3000"), &migrator, begin).await?;
    story::play(&mut stage, DAYS).await?;
    let signed_in = json!({ "workspace": stage.slug(), "email": story::OWNER.email, "password": stage.password() });
    stage.clear().await?;
    ctx.db.close().await;
    Ok(signed_in)
}
