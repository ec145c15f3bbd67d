//! What proves the log, as files from its pages.

use crate::harness::{Browser, Console};
use send0_core::{audit_log::Outcome, permissions::Role, sealing::operations::seal_all};
use sqlx::{AssertSqlSafe, Executor};

const CHECKPOINT: &str = "/w/acme/audit-log/checkpoint";

#[tokio::test]
async fn the_pages_lead_to_a_checkpoint_and_to_the_proof_of_an_event() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    seal_all(&console.db.ctx).await.expect("sealed");
    let event = console.db.events(acme.id()).await.remove(0);
    let list = owner.get(&console, "/w/acme/audit-log").await.text();
    assert!(list.contains(&format!(r#"href="{CHECKPOINT}""#)) && !list.contains("Proof of this event"), "{list}");
    let page = owner.get(&console, &format!("/w/acme/audit-log/{}", event.id)).await.text();
    let path = format!("/w/acme/audit-log/{}/proof", event.id);
    assert!(page.contains(&format!(r#"href="{path}""#)) && page.contains(&format!(r#"href="{CHECKPOINT}""#)), "{page}");

    let seq = console.db.seq(acme.id()).await;
    let note = owner.get(&console, CHECKPOINT).await;
    assert_eq!((note.status.as_u16(), note.header("content-type")), (200, "text/plain; charset=utf-8"));
    let name = format!("attachment; filename=\"checkpoint-{seq}.txt\"");
    assert_eq!((note.header("content-disposition"), note.header("cache-control")), (name.as_str(), "no-store"));
    assert!(note.text().contains("send0.dev/audit-log"), "{}", note.text());

    let proof = owner.get(&console, &path).await;
    let name = format!("attachment; filename=\"event-{}-proof.json\"", event.seq);
    assert_eq!((proof.status.as_u16(), proof.header("content-disposition")), (200, name.as_str()));
    let proof = proof.json();
    assert_eq!((&proof["id"], &proof["seq"]), (&event.id.to_string().into(), &event.seq.into()));
    assert!(proof["checkpoint"].as_str().is_some_and(|note| note.contains("send0.dev/audit-log")), "{proof}");
    assert_eq!(console.db.seq(acme.id()).await, seq, "who looks at a page makes no event");
}

#[tokio::test]
async fn what_cannot_be_proven_leads_to_the_page_that_says_why() {
    let (console, acme) = Console::with_acme().await;
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    seal_all(&console.db.ctx).await.expect("sealed");
    owner.get(&console, "/w/acme/audit-log?q=a+search").await;
    owner.get(&console, "/w/acme/audit-log?q=another").await;
    let newest = console.db.events(acme.id()).await.pop().expect("an event");
    let gone = format!(
        "begin; alter table audit_events disable trigger all;
         delete from audit_events where workspace_id = '{}' and seq = {};
         alter table audit_events enable always trigger append_only, enable always trigger never_truncated; commit",
        acme.id().0,
        newest.seq - 1
    );
    console.db.superuser.execute(AssertSqlSafe(gone)).await.expect("gone");
    let page = format!("/w/acme/audit-log/{}", newest.id);
    assert_eq!(owner.get(&console, &format!("{page}/proof")).await.location(), page);
}

#[tokio::test]
async fn what_proves_the_log_is_for_who_may_read_it() {
    let (console, acme) = Console::with_acme().await;
    let other = console.db.workspace("Other").await;
    let event = console.db.events(acme.id()).await.remove(0).id;
    let foreign = console.db.events(other.id()).await.remove(0).id;
    let proof = format!("/w/acme/audit-log/{event}/proof");
    let paths = [CHECKPOINT, proof.as_str()];
    for role in [Role::Developer, Role::Billing, Role::Viewer] {
        let mut member = Browser::member(&console, &acme, role).await;
        for path in paths {
            let mark = console.mark(acme.id()).await;
            assert_eq!(member.get(&console, path).await.status, 403, "{role} {path}");
            let refused = console.the_one_event(&mark, path).await;
            assert_eq!((refused.action.as_str(), refused.outcome), ("page.viewed", Outcome::Denied), "{role} {path}");
        }
    }
    let mut stranger = Browser::signed_in(&console, "owner@other.example").await;
    let mut nobody = Browser::default();
    for path in paths {
        assert_eq!(stranger.get(&console, path).await.status, 404, "{path}");
        assert_eq!(nobody.get(&console, path).await.location(), "/sign-in", "{path}");
    }
    let mut owner = Browser::signed_in(&console, "owner@acme.example").await;
    for id in [foreign.to_string(), "evt_x".to_owned()] {
        assert_eq!(owner.get(&console, &format!("/w/acme/audit-log/{id}/proof")).await.status, 404, "{id}");
    }
}
