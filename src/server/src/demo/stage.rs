//! What the story is played with: people who sign in, programs that call, a clock that is set.

use super::Failure;
use crate::web::{self, Site};
use axum::{Router, body::Body, extract::ConnectInfo, http};
use secrecy::{ExposeSecret, SecretString};
use send0_core::{
    Actor, AppError, Ctx,
    accounts::{self, Begun, Factor, SignedIn},
    actor::Request,
    api_keys::{self, NewKeyText},
    database::DemoClock,
    ids::{KeyId, MemberId, RequestId, UserId, WorkspaceId},
    invitations::operations::{self as invitations, NewPerson},
    mail::operations::newest_to,
    secrets,
    workspaces::operations::{self as workspaces, NewOwner},
};
use sqlx::postgres::PgConnectOptions;
use std::{collections::HashMap, net::SocketAddr};
use time::{Duration, OffsetDateTime};
use tower::ServiceExt;

/// Somebody in the story.
#[derive(Debug)]
pub struct Person {
    /// How they are called.
    pub name: &'static str,
    /// How they sign in.
    pub email: &'static str,
    /// Where they sit.
    pub address: &'static str,
    /// Their browser.
    pub agent: &'static str,
}

/// A program with a key.
#[derive(Debug)]
pub struct Program {
    /// The name of its key.
    pub key: &'static str,
    /// Where it runs.
    pub address: [u8; 4],
    /// What it says it is.
    pub agent: &'static str,
}

/// The workspace, who is in it, and what time it is.
pub struct Stage {
    pub ctx: Ctx,
    clock: DemoClock,
    now: OffsetDateTime,
    begin: OffsetDateTime,
    router: Router,
    slug: String,
    password: SecretString,
    users: HashMap<&'static str, UserId>,
    keys: HashMap<&'static str, (KeyId, String)>,
}

/// Somebody signed in, for as long as they stay.
pub struct Visit {
    /// Who acts.
    pub actor: Actor,
    signed_in: SignedIn,
    request: Request,
    hash: [u8; 32],
}

impl Stage {
    /// Makes the workspace with its owner at nine in the morning of the first day.
    pub async fn set(
        ctx: Ctx,
        site: Site,
        migrator: &PgConnectOptions,
        begin: OffsetDateTime,
    ) -> Result<Self, Failure> {
        let (id, now) = (WorkspaceId::new(), begin + Duration::hours(9));
        let clock = DemoClock::begin(migrator, id, ctx.clock.clone(), now).await?;
        let password = secrets::token();
        let owner = &super::story::OWNER;
        let new = NewOwner {
            workspace: super::story::WORKSPACE.into(),
            name: owner.name.into(),
            email: owner.email.into(),
            password: password.clone(),
        };
        let made =
            workspaces::create_demo(&ctx, &Request::command("demo"), new, id).await.map_err(|error| match error {
                AppError::Conflict(_) | AppError::Invalid(_) => {
                    Failure::from("the people of the demo are here already: it is made once in an installation")
                }
                error => error.into(),
            })?;
        Ok(Self {
            router: web::router(ctx.clone(), site),
            ctx,
            clock,
            now,
            begin,
            slug: made.slug,
            password,
            users: HashMap::from([(owner.email, made.user)]),
            keys: HashMap::new(),
        })
    }

    /// The workspace's name in URLs.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// Everybody's password.
    pub fn password(&self) -> &str {
        self.password.expose_secret()
    }

    /// Goes on at this time of a day; never back. `false` when it has not come yet.
    pub async fn at(&mut self, day: i64, hour: i64, minute: i64) -> Result<bool, Failure> {
        let then = self.begin + Duration::days(day) + Duration::hours(hour) + Duration::minutes(minute);
        if then > OffsetDateTime::now_utc() {
            return Ok(false);
        }
        self.now = self.now.max(then);
        self.clock.set(self.now).await?;
        Ok(true)
    }

    /// Whether people are at work on this day.
    pub fn is_workday(&self, day: i64) -> bool {
        (self.begin + Duration::days(day)).weekday().number_days_from_monday() < 5
    }

    /// Some time passes.
    pub async fn later(&mut self, seconds: i64) -> Result<(), Failure> {
        self.now = (self.now + Duration::seconds(seconds)).min(OffsetDateTime::now_utc());
        Ok(self.clock.set(self.now).await?)
    }

    /// Somebody signs in.
    pub async fn enter(&mut self, person: &Person) -> Result<Visit, Failure> {
        let user = *self.users.get(person.email).ok_or("nobody signs in before they have joined")?;
        let request = request(person, "POST", "/_fn/app/accounts/server_fns/sign_in");
        let hash = secrets::hash(secrets::token().expose_secret());
        accounts::operations::start_session(&self.ctx, &request, user, Begun::With(Factor::Password), &hash).await?;
        let signed_in = accounts::operations::find_session(&self.ctx, &hash).await?.ok_or(AppError::Internal)?;
        let request = self::request(person, "POST", "/_fn/app");
        let (actor, _) = accounts::operations::enter(&self.ctx, &signed_in, &request, &self.slug).await?;
        self.later(45).await?;
        Ok(Visit { actor, signed_in, request, hash })
    }

    /// They sign out again.
    pub async fn leave(&mut self, visit: Visit) -> Result<(), Failure> {
        self.later(320).await?;
        Ok(accounts::operations::end_session(&self.ctx, &visit.request, &visit.signed_in, &visit.hash).await?)
    }

    /// Somebody tries to sign in with a wrong password.
    pub async fn mistype(&mut self, person: &Person) -> Result<(), Failure> {
        let request = request(person, "POST", "/_fn/app/accounts/server_fns/sign_in");
        let wrong =
            accounts::operations::sign_in(&self.ctx, &request, person.email, "not the right words".into()).await;
        wrong.err().ok_or("a wrong password was accepted")?;
        self.later(20).await
    }

    /// Somebody opens the link in the newest mail to them, and joins.
    pub async fn join(&mut self, person: &Person) -> Result<(), Failure> {
        // The demo runs in the past: what others were sent meanwhile is newer.
        let mail = newest_to(&self.ctx, person.email).await?;
        let link = mail.and_then(|mail| mail.letter.link).ok_or("nobody joins without an invitation")?;
        let token = link.rsplit('/').next().unwrap_or_default();
        let new = NewPerson { name: person.name.into(), password: self.password.clone() };
        let request = request(person, "POST", "/_fn/app/invitations/server_fns/join_workspace");
        let (user, _) = invitations::join(&self.ctx, &request, token, new).await?;
        self.users.insert(person.email, user);
        self.later(30).await
    }

    /// Somebody issues a key.
    pub async fn issue(&mut self, visit: &Visit, key: NewKeyText, name: &'static str) -> Result<KeyId, Failure> {
        let issued = api_keys::operations::issue(&self.ctx, &visit.actor, key.parse()?).await?;
        self.keys.insert(name, (issued.id, issued.secret.expose().to_owned()));
        self.later(60).await?;
        Ok(issued.id)
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Result<KeyId, Failure> {
        Ok(self.keys.get(name).ok_or("a key is used before it is issued")?.0)
    }

    /// A program calls the API, whatever it is answered.
    pub async fn call(&mut self, program: &Program, method: &str, path: &str) -> Result<(), Failure> {
        let (_, secret) = self.keys.get(program.key).ok_or("a key is used before it is issued")?;
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {secret}"))
            .header("user-agent", program.agent)
            .body(Body::empty())?;
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((program.address, 40_000))));
        let answer = self.router.clone().oneshot(request).await?;
        if answer.status().is_server_error() {
            return Err(format!("{method} {path} was answered {}", answer.status()).into());
        }
        self.later(7).await
    }

    /// The membership of somebody.
    pub async fn member(&self, visit: &Visit, person: &Person) -> Result<MemberId, Failure> {
        let user = *self.users.get(person.email).ok_or("nobody is a member before they have joined")?;
        let action = send0_core::audit_log::Action::PageViewed;
        let page = send0_core::members::operations::list(&self.ctx, &visit.actor, None, 100, action).await?;
        Ok(page.members.iter().find(|member| member.user_id == user).ok_or("no such member")?.id)
    }

    /// Writes what was only gathered, and gives the clock back.
    pub async fn clear(self) -> Result<(), Failure> {
        api_keys::last_uses::flush(&self.ctx).await?;
        Ok(self.clock.stop().await?)
    }
}

impl Visit {
    /// The same person in their next request.
    pub fn doing(&self, function: &str) -> Actor {
        let request = &self.request;
        let path = format!("/_fn/app/{function}");
        let request = Request::new(RequestId::new(), "POST", &path, request.address.clone(), request.agent.as_deref());
        Actor { request, ..self.actor.clone() }
    }
}

fn request(person: &Person, method: &str, path: &str) -> Request {
    Request::new(RequestId::new(), method, path, Some(person.address.into()), Some(person.agent))
}
