//! One way to render a page: load, then show. What goes wrong becomes a status and a page that says so.

use crate::{
    accounts::server_fns::SignOut,
    forms::FormState,
    html::explanation,
    palette::{CommandPalette, Commands},
    ui::{
        AppFrame, Banner, BareFrame, Button, ButtonKind, ButtonLink, NavItem, NoPermission, TimeAgo, Tone,
        WorkspaceItem,
    },
    visit::Visit,
};
use axum::http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use send0_core::{
    Actor, AppError,
    accounts::{Membership, SignedIn, operations::memberships},
    flash::Flash,
    permissions::{Permission, Role},
    policies,
    subprocessors::notices::unseen,
};
use std::future::Future;
use time::OffsetDateTime;

/// A page outside any workspace.
pub fn bare_page<V, F>(title: &'static str, load: impl FnOnce(Visit) -> F + Send + 'static) -> impl IntoView
where
    V: IntoView + 'static,
    F: Future<Output = Result<V, AppError>> + Send + 'static,
{
    let visit = Visit::now();
    Suspend::new(async move {
        match load(visit.clone()).await {
            Ok(view) => view! { <Title text=title/> <BareFrame>{view}</BareFrame> }.into_any(),
            Err(error) => refused(error, &visit),
        }
    })
}

/// A page for whoever runs the server in its default mode; for anybody else there is nothing here.
pub fn dev_page<V, F>(title: &'static str, load: impl FnOnce(Visit) -> F + Send + 'static) -> impl IntoView
where
    V: IntoView + 'static,
    F: Future<Output = Result<V, AppError>> + Send + 'static,
{
    let visit = Visit::now();
    Suspend::new(async move {
        let loaded = if visit.is_default_mode() { load(visit.clone()).await } else { Err(AppError::NotFound) };
        match loaded {
            Ok(view) => view! { <Title text=title/> <main class="wide" id="main">{view}</main> }.into_any(),
            Err(error) => refused(error, &visit),
        }
    })
}

/// A page inside a workspace, as its load sees it.
#[derive(Clone)]
pub struct Inside {
    /// The request.
    pub visit: Visit,
    /// The member.
    pub actor: Actor,
    /// Their membership here.
    pub here: Membership,
    /// The time of the page.
    pub now: OffsetDateTime,
}

impl Inside {
    /// A path inside this workspace: `api-keys/new`.
    pub fn path(&self, rest: &str) -> String {
        path_in(&self.here.slug, rest)
    }
}

/// A path inside a workspace.
pub fn path_in(slug: &str, rest: &str) -> String {
    if rest.is_empty() { format!("/w/{slug}") } else { format!("/w/{slug}/{rest}") }
}

/// A page inside the workspace that the URL names. `section` is the entry of the navigation that it belongs to.
pub fn page<V, F>(
    title: &'static str,
    section: &'static str,
    load: impl FnOnce(Inside) -> F + Send + 'static,
) -> impl IntoView
where
    V: IntoView + 'static,
    F: Future<Output = Result<V, AppError>> + Send + 'static,
{
    let visit = Visit::now();
    let slug = param("slug");
    Suspend::new(async move {
        let (actor, memberships) = match visit.enter(&slug).await {
            Ok(entered) => entered,
            Err(error) => return refused(error, &visit),
        };
        let Some(here) = memberships.iter().find(|membership| membership.slug == slug).cloned() else {
            return refused(AppError::NotFound, &visit);
        };
        let inside = Inside { visit: visit.clone(), actor, here: here.clone(), now: visit.ctx.clock.now() };
        let (said, due) = (said(&visit), factor_due(&visit, &here).await);
        let news = unseen(&visit.ctx, here.workspace);
        // The page of the notices is where somebody looks: there they are counted afterwards.
        let (loaded, news) = match section {
            "notices" => (load(inside).await, news.await),
            _ => futures::join!(load(inside), news),
        };
        let content = match loaded {
            Ok(view) => {
                view! { <Title text=format!("{title} · {}", here.workspace_name)/> {due} {said} {view} }.into_any()
            }
            Err(error) => sorry(error, &visit),
        };
        framed(
            &visit,
            &here.workspace_name,
            workspace_items(&memberships, Some(&here.slug)),
            navigation(&here, section, news.unwrap_or_default()),
            actions(&here),
            content,
        )
    })
}

/// A page of the person rather than of a workspace: the account, a new workspace.
pub fn account_page<V, F>(
    title: &'static str,
    load: impl FnOnce(Visit, SignedIn) -> F + Send + 'static,
) -> impl IntoView
where
    V: IntoView + 'static,
    F: Future<Output = Result<V, AppError>> + Send + 'static,
{
    let visit = Visit::now();
    Suspend::new(async move {
        let signed_in = match visit.signed_in() {
            Ok(signed_in) => signed_in,
            Err(error) => return refused(error, &visit),
        };
        let said = said(&visit);
        let content = match load(visit.clone(), signed_in.clone()).await {
            Ok(view) => view! { <Title text=title/> {said} {view} }.into_any(),
            Err(error) => sorry(error, &visit),
        };
        let memberships = memberships(&visit.ctx, signed_in.user).await.unwrap_or_default();
        let entry = |(label, href): (&str, &str)| NavItem {
            label: label.into(),
            href: href.into(),
            current: title == label,
            note: None,
        };
        let nav = ACCOUNT_SECTIONS.into_iter().map(entry).collect();
        framed(&visit, "Your account", workspace_items(&memberships, None), nav, vec![], content)
    })
}

/// A page of the operators' console, as its load sees it.
#[derive(Clone)]
pub struct Operating {
    /// The request.
    pub visit: Visit,
    /// The operator.
    pub actor: Actor,
    /// The time of the page.
    pub now: OffsetDateTime,
}

/// A page of the operators' console. For anybody else there is nothing here.
pub fn operator_page<V, F>(title: &'static str, load: impl FnOnce(Operating) -> F + Send + 'static) -> impl IntoView
where
    V: IntoView + 'static,
    F: Future<Output = Result<V, AppError>> + Send + 'static,
{
    let visit = Visit::now();
    Suspend::new(async move {
        let actor = match visit.operator().await {
            Ok(actor) => actor,
            Err(error) => return refused(error, &visit),
        };
        let said = said(&visit);
        let operating = Operating { visit: visit.clone(), actor, now: visit.ctx.clock.now() };
        let content = match load(operating).await {
            Ok(view) => view! { <Title text=format!("{title} · Operators")/> {said} {view} }.into_any(),
            Err(error) => sorry(error, &visit),
        };
        let section = operator_section(&visit.address());
        let entry = |(label, href): (&str, &str)| NavItem {
            label: label.into(),
            href: href.into(),
            current: section == Some(href),
            note: None,
        };
        let nav = OPERATOR_SECTIONS.into_iter().map(entry).collect();
        framed(&visit, "send0 operators", vec![], nav, vec![], content)
    })
}

/// `an owner`, `a viewer`.
pub fn with_article(role: Role) -> String {
    let article = if role.as_str().starts_with(['a', 'o']) { "an" } else { "a" };
    format!("{article} {role}")
}

/// A parameter of the path.
pub fn param(name: &'static str) -> String {
    use_params_map().with_untracked(|params| params.get(name).unwrap_or_default())
}

/// An id in the path; one that cannot be an id is one of nothing.
pub fn id_param<T: std::str::FromStr>(text: &str) -> Result<T, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

fn framed(
    visit: &Visit,
    title: &str,
    workspaces: Vec<WorkspaceItem>,
    nav: Vec<NavItem>,
    actions: Vec<(String, String)>,
    content: AnyView,
) -> AnyView {
    let pages = nav.iter().map(|item| (item.label.clone(), item.href.clone()));
    let account = ["Your account", "Your security", "Your sessions"].into_iter().zip(ACCOUNT_SECTIONS);
    let account = account.map(|(label, (_, href))| (label.to_owned(), href.to_owned()));
    let others = workspaces.iter().filter(|item| !item.current).map(|item| (item.name.clone(), item.href.clone()));
    let commands = pages.chain(actions).chain(others).chain(account).collect();
    let person = visit.signed_in().map(|signed_in| signed_in.name).unwrap_or_default();
    let tools = view! { <CommandPalette><Commands commands=commands/></CommandPalette> }.into_any();
    let sign_out = sign_out(visit);
    view! {
        <AppFrame workspace=title.to_owned() workspaces nav person account="/account" tools sign_out>
            {content}
        </AppFrame>
    }
    .into_any()
}

/// The workspaces of the person, and the way to one more.
fn workspace_items(memberships: &[Membership], here: Option<&str>) -> Vec<WorkspaceItem> {
    let items = memberships.iter().map(|membership| WorkspaceItem {
        current: here == Some(membership.slug.as_str()),
        href: path_in(&membership.slug, ""),
        name: membership.workspace_name.clone(),
    });
    let new = WorkspaceItem { current: false, href: "/workspaces/new".into(), name: "New workspace".into() };
    items.chain([new]).collect()
}

/// What the role may not see is not offered; asking for it all the same is refused, and written down.
const SECTIONS: [(&str, &str, Permission); 11] = [
    ("Overview", "", Permission::WorkspaceRead),
    ("Team", "members", Permission::MembersRead),
    ("API keys", "api-keys", Permission::KeysRead),
    ("Allowlist", "allowlist", Permission::AllowlistRead),
    ("Audit log", "audit-log", Permission::AuditRead),
    ("Streams", "streams", Permission::AuditStream),
    ("Retention", "retention", Permission::RetentionRead),
    ("Notices", "notices", Permission::NoticesRead),
    ("Compliance", "compliance", Permission::ComplianceRequest),
    ("Contacts", "contacts", Permission::ContactsManage),
    ("Settings", "settings", Permission::WorkspaceUpdate),
];

/// Where operators see workspaces and their plans.
pub const WORKSPACES: &str = "/operator/workspaces";
/// Where they read the platform's log.
pub const PLATFORM_LOG: &str = "/operator/log";

/// What belongs to operators.
const OPERATOR_SECTIONS: [(&str, &str); 7] = [
    ("Subprocessors", "/operator"),
    ("Compliance", "/operator/compliance"),
    ("Requests", "/operator/requests"),
    ("Documents", "/operator/documents"),
    ("Workspaces", WORKSPACES),
    ("Log", PLATFORM_LOG),
    ("The public list", "/subprocessors"),
];

/// The entry that a page of operators belongs to: the longest that its address begins with.
pub fn operator_section(address: &str) -> Option<&'static str> {
    let path = address.split('?').next().unwrap_or_default();
    let holds = |href: &&str| path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    OPERATOR_SECTIONS.iter().map(|(_, href)| *href).filter(holds).max_by_key(|href| href.len())
}

/// What belongs to the person.
const ACCOUNT_SECTIONS: [(&str, &str); 3] =
    [("Account", "/account"), ("Security", "/account/security"), ("Sessions", "/account/sessions")];

/// What the palette offers besides the sections.
const ACTIONS: [(&str, &str, Permission); 5] = [
    ("Issue an API key", "api-keys/new", Permission::KeysIssue),
    ("Invite people", "members/invite", Permission::MembersInvite),
    ("Who can do what", "roles", Permission::MembersRead),
    ("Check an address", "allowlist#check", Permission::AllowlistRead),
    ("Refused events", "audit-log?outcome=denied", Permission::AuditRead),
];

fn actions(here: &Membership) -> Vec<(String, String)> {
    let seen = ACTIONS.into_iter().filter(|(_, _, permission)| here.role.may(*permission));
    seen.map(|(label, rest, _)| (label.to_owned(), path_in(&here.slug, rest))).collect()
}

/// `news`: how many notices nobody has looked at.
fn navigation(here: &Membership, section: &str, news: i64) -> Vec<NavItem> {
    let seen = SECTIONS.into_iter().filter(|(_, _, permission)| here.role.may(*permission));
    seen.map(|(label, rest, _)| NavItem {
        label: label.to_owned(),
        href: path_in(&here.slug, rest),
        current: section == rest,
        note: (rest == "notices" && news > 0).then(|| format!("{news} new")),
    })
    .collect()
}

/// Before that, the checklist of the overview says it.
const SOON: time::Duration = time::Duration::days(3);

/// What the workspace will demand soon, to whoever cannot show it yet.
async fn factor_due(visit: &Visit, here: &Membership) -> Option<AnyView> {
    let now = visit.ctx.clock.now();
    // Who is in although it is due has shown it.
    here.demand.filter(|demand| (now..=now + SOON).contains(&demand.due_at))?;
    let demand = policies::operations::unmet(&visit.ctx, &visit.signed_in().ok()?, here).await.ok()??;
    let what = if demand.passkey { "signs in with a passkey" } else { "has a second factor" };
    let title = format!("{} soon lets in only who {what}", here.workspace_name);
    Some(
        view! {
            <Banner tone=Tone::Warn title>
                <p><a href="/account/security">"Add one to your account"</a>" now. You are kept out "<TimeAgo at=demand.due_at now/>" otherwise."</p>
            </Banner>
        }
        .into_any(),
    )
}

/// The sentence that an accepted form left.
fn said(visit: &Visit) -> Option<impl IntoView + use<>> {
    match visit.flash().as_deref() {
        Some(Flash::Notice(sentence)) => Some(view! { <Banner tone=Tone::Ok title=sentence.clone()/> }),
        _ => None,
    }
}

/// A refusal that is the whole page. Whoever is signed in can sign out here too (ASVS 7.4.4).
fn refused(error: AppError, visit: &Visit) -> AnyView {
    let (sorry, sign_out) = (sorry(error, visit), visit.known().is_ok().then(|| sign_out(visit)));
    view! { <BareFrame>{sorry} {sign_out}</BareFrame> }.into_any()
}

/// Ends the session.
pub fn sign_out(visit: &Visit) -> AnyView {
    FormState::of::<SignOut>(visit).view(view! { <Button kind=ButtonKind::Quiet>"Sign out"</Button> })
}

/// The status, and what to do now.
pub(crate) fn sorry(error: AppError, visit: &Visit) -> AnyView {
    let response = expect_context::<ResponseOptions>();
    response.set_status(StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    let id = Some(visit.request().id.to_string());
    match &error {
        AppError::Unauthenticated(_) => {
            let next = utf8_percent_encode(&visit.address(), NON_ALPHANUMERIC).to_string();
            leptos_axum::redirect(&format!("/sign-in?next={next}"));
            view! { <Title text="Sign in"/> }.into_any()
        }
        AppError::Forbidden(permission) => forbidden(permission, id).into_any(),
        AppError::BlockedByIp(_) => blocked(&error, id).into_any(),
        error => {
            if matches!(error, AppError::ProofNeeded) {
                leptos_axum::redirect(&crate::forms::prove_path(&visit.address()));
            }
            let title = match error {
                AppError::ProofNeeded => "Confirm that it is you",
                AppError::FactorNeeded { .. } => "A second factor is needed here",
                AppError::NotFound => "There is nothing here",
                AppError::Unavailable => "Not right now",
                AppError::Refused(_) => "This was refused",
                AppError::Throttled(_) => "Too many attempts",
                AppError::Malformed(_) => "This could not be understood",
                _ => "Something broke on our side",
            };
            let text = match error {
                AppError::NotFound => "The address is wrong, or what it names is not yours to see.".to_owned(),
                error => error.to_string(),
            };
            let factors = matches!(error, AppError::FactorNeeded { .. }).then(|| {
                view! { <p><ButtonLink href="/account/security" kind=ButtonKind::Primary>"Add one to your account"</ButtonLink></p> }
            });
            view! { <Title text=title/> {explanation(error.status(), title, text, id)} {factors} }.into_any()
        }
    }
}

/// The workspace's allowlist keeps the address out: which, and what to do.
fn blocked(error: &AppError, id: Option<String>) -> impl IntoView + use<> {
    view! {
        <Title text="This address is not let in"/>
        <div class="stack">
            <p class="hint">"403 " <code>"blocked_by_ip"</code></p>
            <h1>"This address is not let in"</h1>
            <p>{error.to_string()}</p>
            <p>"Come from a network that it names, or ask an owner or an admin of the workspace to add yours. You stay signed in."</p>
            <p><a href="/account">"Your account and your other workspaces"</a></p>
            {id.map(|id| view! { <p class="hint">"Request " <code>{id}</code></p> })}
        </div>
    }
}

fn forbidden(permission: &str, id: Option<String>) -> impl IntoView + use<> {
    let roles = permission.parse().map(Permission::roles).unwrap_or_default();
    let roles = roles.iter().map(|role: &Role| role.to_string()).collect();
    view! {
        <Title text="Not allowed"/>
        <h1 class="sr-only">"Not allowed"</h1>
        <NoPermission what="this page" permission=permission.to_owned() roles/>
        {id.map(|id| view! { <p class="hint">"Request " <code>{id}</code></p> })}
    }
}
