//! What is shown once is shown once, where it belongs, and lies sealed until then.

use super::{Flash, LIFETIME, put, take};
use crate::{
    AppError, Ctx,
    clock::Clock,
    envelope::{KeyFile, Place},
    ids::{KeyId, WorkspaceId},
    secrets,
    testing::{TestDb, logins},
};
use futures::future::join_all;
use secrecy::ExposeSecret;
use std::sync::Arc;
use time::Duration;

const TEXT: &str = "sk_live_marked_text_of_a_flash";

fn flash() -> Flash {
    Flash::Key { id: KeyId::new(), key: TEXT.into() }
}

fn text(flash: Result<Option<Flash>, AppError>) -> Option<String> {
    match flash.expect("taken") {
        Some(Flash::Key { key, .. }) => Some(key),
        Some(_) => panic!("another flash"),
        None => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_taken_once() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let token = put(&db.ctx, tenant.id(), "/here", &flash()).await.expect("put");
    assert_eq!(text(take(&db.ctx, token.expose_secret(), "/here").await).as_deref(), Some(TEXT));
    assert_eq!(text(take(&db.ctx, token.expose_secret(), "/here").await), None);

    let token = put(&db.ctx, tenant.id(), "/here", &flash()).await.expect("put");
    let taken = join_all((0..20).map(|_| take(&db.ctx, token.expose_secret(), "/here"))).await;
    assert_eq!(taken.into_iter().filter_map(text).collect::<Vec<_>>(), [TEXT]);
    assert_eq!(db.number("select count(*) from flashes").await, 0);
}

#[tokio::test]
async fn it_is_taken_where_it_belongs_only() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let token = put(&db.ctx, tenant.id(), "/here", &flash()).await.expect("put");
    let other = secrets::token();
    for (token, place) in [
        (token.expose_secret(), "/there"),
        (token.expose_secret(), "/here/"),
        (other.expose_secret(), "/here"),
        ("", "/here"),
    ] {
        assert_eq!(text(take(&db.ctx, token, place).await), None, "{place}");
    }
    assert_eq!(text(take(&db.ctx, token.expose_secret(), "/here").await).as_deref(), Some(TEXT), "it stayed");
}

#[tokio::test]
async fn it_expires() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let [early, late] =
        [put(&db.ctx, tenant.id(), "/here", &flash()).await, put(&db.ctx, tenant.id(), "/here", &flash()).await]
            .map(|token| token.expect("put"));
    db.ctx.clock.advance(LIFETIME - Duration::MINUTE);
    assert_eq!(text(take(&db.ctx, early.expose_secret(), "/here").await).as_deref(), Some(TEXT));
    db.ctx.clock.advance(Duration::MINUTE);
    assert_eq!(text(take(&db.ctx, late.expose_secret(), "/here").await), None);
}

#[tokio::test]
async fn it_lies_sealed() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let token = put(&db.ctx, tenant.id(), "/marked/place", &flash()).await.expect("put");
    assert_eq!(db.tables_with("/marked/place").await, ["flashes"], "the search finds what is there");
    assert_eq!(db.tables_with(TEXT).await, Vec::<String>::new());
    assert_eq!(db.tables_with(token.expose_secret()).await, Vec::<String>::new());
    // Nobody signed in: under the platform's key.
    let token = put(&db.ctx, WorkspaceId::PLATFORM, "/sign-in", &flash()).await.expect("put");
    assert_eq!(text(take(&db.ctx, token.expose_secret(), "/sign-in").await).as_deref(), Some(TEXT));
}

#[tokio::test]
async fn a_row_that_was_moved_or_changed_does_not_open() {
    let db = TestDb::new().await;
    let (ours, theirs) = (db.workspace("Ours").await, db.workspace("Theirs").await);
    let other = secrets::token();
    let other_hash = secrets::hash(other.expose_secret());
    let moves = [
        ("update flashes set workspace_id = $1 where $2::bytea is not null", false),
        ("update flashes set flash_hash = $2 where $1::uuid is not null", true),
        (
            "update flashes set sealed = set_byte(sealed, octet_length(sealed) - 20, get_byte(sealed, octet_length(sealed) - 20) # 1) where $1::uuid is not null and $2::bytea is not null",
            false,
        ),
        ("update flashes set sealed = '\\x01' where $1::uuid is not null and $2::bytea is not null", false),
    ];
    for (change, under_another_hash) in moves {
        let token = put(&db.ctx, ours.id(), "/here", &flash()).await.expect("put");
        let moved = sqlx::query(change)
            .bind(theirs.id().0)
            .bind(other_hash.as_slice())
            .execute(&db.superuser)
            .await
            .expect(change);
        assert_eq!(moved.rows_affected(), 1);
        let token = if under_another_hash { &other } else { &token };
        let opened = take(&db.ctx, token.expose_secret(), "/here").await;
        assert!(matches!(opened, Err(AppError::Internal)), "{change}");
        assert_eq!(db.number("select count(*) from flashes").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_need_a_data_key_at_once_share_one() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let dir = tempfile::tempdir().expect("folder");
    let keys = Arc::new(KeyFile::create_if_missing(dir.path().join("keys")).expect("keys"));
    let servers: Vec<Ctx> = (0..6).map(|_| Ctx::new(logins(&db.options), keys.clone(), Clock::default())).collect();
    let place = Place { workspace: tenant.id().0, table: "test", column: "test", row: b"row" };
    let sealed =
        join_all(servers.iter().chain(&servers).map(|server| server.vault.seal(tenant.id(), &place, TEXT.as_bytes())))
            .await;
    assert_eq!(db.number("select count(*) from data_keys").await, 1);
    for sealed in sealed {
        let sealed = sealed.expect("sealed");
        for server in &servers {
            let opened = server.vault.open(tenant.id(), &place, &sealed).await.expect("opened");
            assert_eq!(opened.as_slice(), TEXT.as_bytes());
        }
    }
}

#[tokio::test]
async fn without_its_key_nothing_opens_and_nothing_is_kept_in_the_clear() {
    let db = TestDb::new().await;
    let tenant = db.workspace("Acme").await;
    let token = put(&db.ctx, tenant.id(), "/here", &flash()).await.expect("put");
    // A server with another key file: the data key does not unwrap.
    let dir = tempfile::tempdir().expect("folder");
    let keys = KeyFile::create_if_missing(dir.path().join("keys")).expect("keys");
    let stranger = Ctx::new(logins(&db.options), Arc::new(keys), Clock::default());
    assert!(put(&stranger, tenant.id(), "/here", &flash()).await.is_err());
    assert_eq!(db.number("select count(*) from flashes").await, 1, "nothing was put");
    assert!(take(&stranger, token.expose_secret(), "/here").await.is_err());
    assert_eq!(db.tables_with(TEXT).await, Vec::<String>::new());
}
