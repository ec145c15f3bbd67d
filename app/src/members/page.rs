//! The list of members with the invitations that wait, and a member's own page.

use super::{
    roles::abilities,
    server_fns::{ChangeRole, EndMemberSessions, LeaveWorkspace, RemoveMember},
};
use crate::{
    forms::FormState,
    invitations::page::waiting,
    page::{Inside, id_param, page, param},
    ui::{
        Badge, Button, ButtonKind, ButtonLink, Choice, Column, DangerZone, Fact, Facts, PageHeader, Pager, Section,
        Select, Status as Look, Table, Tag, TimeAgo, Times,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use send0_core::{
    AppError,
    audit_log::Action,
    ids::{KeyId, MemberId},
    members::{MemberFactors, MemberView, operations},
    permissions::{Permission, Role},
    two_factor::Factors,
};

const PAGE: u32 = 50;

/// `/w/{slug}/members`.
#[component]
pub fn Members() -> impl IntoView {
    let after = use_query_map().with_untracked(|query| query.get("cursor"));
    page("Team", "members", |inside| async move {
        let first_page = after.is_none();
        let after = after.map(|after| id_param::<MemberId>(&after)).transpose()?;
        let people = operations::list(&inside.visit.ctx, &inside.actor, after, PAGE, Action::PageViewed).await?;
        let invitations = if first_page { waiting(&inside).await? } else { None };
        let invite = inside.actor.may(Permission::MembersInvite).then(|| {
            view! { <ButtonLink href=inside.path("members/invite") kind=ButtonKind::Primary>"Invite people"</ButtonLink> }
        });
        let subtitle = summary(people.members.len(), people.older.is_some(), first_page);
        let older = people.older.map(|id| inside.path(&format!("members?cursor={id}")));
        let newer = (!first_page).then(|| inside.path("members"));
        Ok::<_, AppError>(view! {
            <PageHeader title="Team" subtitle action=invite.into_any()/>
            {table(&inside, people.members)}
            <Pager newer older/>
            <p><a href=inside.path("roles")>"Who can do what"</a></p>
            {invitations}
            <Times/>
        })
    })
}

fn summary(shown: usize, more: bool, first_page: bool) -> String {
    match (first_page, more, shown) {
        (false, ..) => "Earlier members".into(),
        (true, true, _) => format!("{shown} members and more"),
        (true, false, 1) => "You are alone here. Invite whoever should see or do something.".into(),
        (true, false, _) => format!("{shown} members"),
    }
}

fn table(inside: &Inside, members: Vec<MemberView>) -> impl IntoView + use<> {
    let sees = inside.actor.may(Permission::PoliciesRead);
    let mut head = ["Name", "Mail address", "Role"].map(Column::text).to_vec();
    head.extend(sees.then(|| [Column::text("Factors"), Column::text("Last seen")]).into_iter().flatten());
    head.push(Column::text("Joined"));
    let rows = members.into_iter().map(|member| row(inside, member, sees)).collect_view();
    view! { <Table caption="Members" head>{rows}</Table> }
}

fn row(inside: &Inside, member: MemberView, sees: bool) -> impl IntoView + use<> {
    let now = inside.now;
    let you = (inside.actor.user() == Some(member.user_id)).then(|| view! { " " <Tag word="you"/> });
    let seen = sees.then(|| {
        view! {
            <td data-label="Factors">{factors(&member)}</td>
            <td data-label="Last seen">{last_seen(&member, now)}</td>
        }
    });
    view! {
        <tr>
            <th scope="row"><a href=inside.path(&format!("members/{}", member.id))>{member.name.clone()}</a>{you}</th>
            <td data-label="Mail address">{member.email.clone()}</td>
            <td data-label="Role">{member.role.as_str()}</td>
            {seen}
            <td data-label="Joined"><TimeAgo at=member.joined_at now/></td>
        </tr>
    }
}

fn factors(member: &MemberView) -> AnyView {
    let MemberFactors { totp, passkeys } = member.factors.unwrap_or(MemberFactors { totp: false, passkeys: 0 });
    let factors = Factors { totp, passkeys, ..Factors::default() };
    let look = if factors.is_second() { Look::Ok } else { Look::Warn };
    view! { <Badge status=look word=factors.words()/> }.into_any()
}

fn last_seen(member: &MemberView, now: time::OffsetDateTime) -> AnyView {
    match member.last_seen_at {
        Some(at) => view! { <TimeAgo at now/> }.into_any(),
        None => view! { <span class="meta">"not yet"</span> }.into_any(),
    }
}

/// `/w/{slug}/members/{id}`.
#[component]
pub fn Member() -> impl IntoView {
    let id = param("id");
    page("Member", "members", |inside| async move {
        let member = operations::show(&inside.visit.ctx, &inside.actor, id_param(&id)?, Action::PageViewed).await?;
        let is_you = inside.actor.user() == Some(member.user_id);
        let above = member.role.is_above(inside.here.role);
        let role = (inside.actor.may(Permission::MembersChangeRole) && !above).then(|| change(&inside, &member));
        let sessions = (inside.actor.may(Permission::SessionsRevoke) && !is_you).then(|| sessions(&inside, &member));
        let end = match (is_you, inside.actor.may(Permission::MembersRemove) && !above) {
            (true, _) => Some(leaving(&inside)),
            (false, true) => Some(removal(&inside, &member).await?),
            (false, false) => None,
        };
        let log = inside
            .actor
            .may(Permission::AuditRead)
            .then(|| inside.path(&format!("audit-log?actor={}", member.user_id)));
        Ok::<_, AppError>(view! {
            <PageHeader title=member.name.clone() subtitle=member.email.clone()/>
            {facts(&inside, &member)}
            {log.map(|href| view! { <p><a href=href>{format!("What {} did", if is_you { "you" } else { &member.name })}</a></p> })}
            {role}
            {abilities(&member)}
            {sessions}
            {end}
            <Times/>
        })
    })
}

fn facts(inside: &Inside, member: &MemberView) -> impl IntoView + use<> {
    let now = inside.now;
    let seen = inside.actor.may(Permission::PoliciesRead).then(|| {
        let (factors, seen) = (factors(member), last_seen(member, now));
        view! { <Fact label="Factors">{factors}</Fact> <Fact label="Last seen">{seen}</Fact> }
    });
    let (role, sentence, id, joined_at) =
        (member.role.as_str(), member.role.sentence(), member.id.to_string(), member.joined_at);
    view! {
        <Facts>
            <Fact label="Role"><Tag word=role/> " " <span class="meta">{sentence}</span></Fact>
            {seen}
            <Fact label="Joined"><TimeAgo at=joined_at now/></Fact>
            <Fact label="Id"><code>{id}</code></Fact>
        </Facts>
    }
}

/// The roles that somebody of this role may hand out.
pub fn grantable(own: Role) -> Vec<Choice> {
    let may = Role::ALL.into_iter().filter(|role| !role.is_above(own));
    may.map(|role| Choice::new(role.as_str(), role.as_str()).hint(role.sentence())).collect()
}

fn change(inside: &Inside, member: &MemberView) -> impl IntoView + use<> {
    let form = FormState::of::<ChangeRole>(&inside.visit);
    let chosen = Some(form.value("role")).filter(|role| !role.is_empty()).unwrap_or_else(|| member.role.to_string());
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=member.id.to_string()/>
        <Select name="role" label="Role" required=true choices=grantable(inside.here.role) value=chosen error=form.error("role")
            hint="Applies from the next request on. Whoever may issue keys no more hands theirs to the owners."/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Change role"</Button></div>
    };
    let form = form.view(fields);
    view! { <Section id="change-role" title="Change the role">{form}</Section> }
}

fn sessions(inside: &Inside, member: &MemberView) -> impl IntoView + use<> {
    let form = FormState::of::<EndMemberSessions>(&inside.visit);
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=member.id.to_string()/>
        <div class="actions"><Button>"End all sessions"</Button></div>
    };
    let form = form.view(fields);
    let text = format!(
        "For a lost device, or when somebody else may be using the account: {} is signed out everywhere with the next request, and told by mail.",
        member.name
    );
    view! { <Section id="sessions" title="Sessions"><p>{text}</p> {form}</Section> }
}

fn leaving(inside: &Inside) -> AnyView {
    let form = FormState::of::<LeaveWorkspace>(&inside.visit);
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <div class="actions"><Button kind=ButtonKind::Danger>"Leave the workspace"</Button></div>
    };
    let form = form.view(fields);
    let text =
        "You lose access at once. The owners take over your keys and are told. To come back you need an invitation.";
    view! { <DangerZone id="leave" title="Leave this workspace" text>{form}</DangerZone> }.into_any()
}

async fn removal(inside: &Inside, member: &MemberView) -> Result<AnyView, AppError> {
    let keys = operations::keys_of(&inside.visit.ctx, &inside.actor, member).await?;
    let form = FormState::of::<RemoveMember>(&inside.visit);
    let keys = (!keys.is_empty()).then(|| fates(keys));
    let fields = view! {
        <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
        <input type="hidden" name="id" value=member.id.to_string()/>
        {keys}
        <div class="actions"><Button kind=ButtonKind::Danger>"Remove member"</Button></div>
    };
    let form = form.view(fields);
    let text = format!(
        "{} loses access with the next request, and the invitations they sent are revoked. To come back they need an invitation.",
        member.name
    );
    Ok(view! { <DangerZone id="remove" title="Remove this member" text>{form}</DangerZone> }.into_any())
}

/// One decision for each key.
fn fates(keys: Vec<(KeyId, String)>) -> impl IntoView {
    let rows = keys.into_iter().map(|(id, name)| {
        let label = format!("fate-{id}");
        view! {
            <div class="field">
                <label class="label" for=label.clone()>{format!("The key {name}")}</label>
                <span class="select">
                    <select class="input" name="fates[]" id=label>
                        <option value=format!("hand_over:{id}")>"Goes on working; I answer for it"</option>
                        <option value=format!("revoke:{id}")>"Is revoked at once"</option>
                    </select>
                </span>
            </div>
        }
    });
    rows.collect_view()
}
