//! The forms for streams.
#![expect(missing_docs, reason = "the macro makes undocumented items beside each function")]
#![expect(clippy::too_many_arguments, reason = "each is a field of the form")]

use crate::error::FnError;
use leptos::prelude::*;

/// Makes a stream. Where its secret is made here, goes to the page that shows it once.
#[server]
pub async fn create_stream(
    workspace: String,
    #[server(default)] kind: String,
    #[server(default)] name: String,
    #[server(default)] url: String,
    #[server(default)] index: String,
    #[server(default)] bucket: String,
    #[server(default)] region: String,
    #[server(default)] prefix: String,
    #[server(default)] access_key: String,
    #[server(default)] secret: String,
    #[server(default)] authorities: String,
    #[server(default)] from: String,
) -> Result<(), FnError> {
    use crate::{forms, page::path_in, visit};
    use send0_core::streams::{StreamText, operations};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let text = StreamText { kind, name, url, index, bucket, region, prefix, access_key, secret, authorities, from };
    let shown_at = |id| path_in(&workspace, &format!("streams/{id}/secret"));
    let (id, token) = operations::create(&visit.ctx, &actor, &text, shown_at).await?;
    match token {
        Some(token) => {
            visit::set_cookie(forms::flash_cookie(&token));
            forms::go(&shown_at(id));
        }
        None => {
            let path = path_in(&workspace, &format!("streams/{id}"));
            forms::go_and_say(&visit.ctx, &path, "The stream has begun.").await?;
        }
    }
    Ok(())
}

/// Changes where a stream goes. An empty secret leaves it as it is.
#[server]
pub async fn change_stream(
    workspace: String,
    id: String,
    #[server(default)] name: String,
    #[server(default)] url: String,
    #[server(default)] index: String,
    #[server(default)] bucket: String,
    #[server(default)] region: String,
    #[server(default)] prefix: String,
    #[server(default)] access_key: String,
    #[server(default)] secret: String,
    #[server(default)] authorities: String,
) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::streams::{StreamText, operations};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let text = StreamText {
        name,
        url,
        index,
        bucket,
        region,
        prefix,
        access_key,
        secret,
        authorities,
        ..StreamText::default()
    };
    operations::change(&visit.ctx, &actor, id, &text).await?;
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, &format!("streams/{id}")), "Saved.").await?;
    Ok(())
}

/// Replaces the secret that was made here, and goes to the page that shows the new one once.
#[server]
pub async fn replace_stream_secret(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let shown_at = page::path_in(&workspace, &format!("streams/{id}/secret"));
    let token = send0_core::streams::operations::replace_secret(&visit.ctx, &actor, id, &shown_at).await?;
    visit::set_cookie(forms::flash_cookie(&token));
    forms::go(&shown_at);
    Ok(())
}

/// Stops a stream for a while.
#[server]
pub async fn pause_stream(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    send0_core::streams::operations::pause(&visit.ctx, &actor, id).await?;
    let said = "The stream is paused. Events wait until it goes on.";
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, &format!("streams/{id}")), said).await?;
    Ok(())
}

/// Lets a stream go on.
#[server]
pub async fn resume_stream(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    send0_core::streams::operations::resume(&visit.ctx, &actor, id).await?;
    let said = "The stream goes on where it stopped.";
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, &format!("streams/{id}")), said).await?;
    Ok(())
}

/// Sends a sample and says what the target answered.
#[server]
pub async fn test_stream(workspace: String, id: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    use send0_core::AppError;
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let sampled = send0_core::streams::operations::test(&visit.ctx, &actor, id).await?;
    if !sampled.accepted {
        return Err(AppError::Conflict(format!("The sample was not taken: {}", sampled.said)).into());
    }
    let said = format!("The target took the sample. {}", sampled.said);
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, &format!("streams/{id}")), &said).await?;
    Ok(())
}

/// Removes a stream, by whoever types its name.
#[server]
pub async fn remove_stream(workspace: String, id: String, #[server(default)] confirm: String) -> Result<(), FnError> {
    use crate::{forms, page, visit};
    let visit = visit::Visit::now();
    let (actor, _) = visit.enter(&workspace).await?;
    let id = page::id_param(&id)?;
    let stream = send0_core::streams::operations::remove(&visit.ctx, &actor, id, &confirm).await?;
    let said = format!("The stream {} is removed. Nothing more is sent to its target.", stream.name);
    forms::go_and_say(&visit.ctx, &page::path_in(&workspace, "streams"), &said).await?;
    Ok(())
}
