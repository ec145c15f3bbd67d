//! Inviting people, and the invitations that wait.

use super::server_fns::{InviteMembers, MakeInvitationLink, ResendInvitation, RevokeInvitation};
use crate::{
    cookies,
    forms::FormState,
    islands::CopyButton,
    members::page::grantable,
    page::{Inside, page},
    ui::{
        Badge, Banner, Button, ButtonKind, ButtonLink, CodeBlock, Column, PageHeader, Section, Select, Status as Look,
        Table, TextArea, TimeAgo, Tone,
    },
    visit::set_cookie,
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::Action,
    flash::Flash,
    invitations::{AT_ONCE, HOURS, InvitationView, InviteResult, Invited, operations},
    permissions::{Permission, Role},
};

/// As long as somebody may look at a link before they go on.
const SHOWN_SECONDS: u32 = 3600;

/// `/w/{slug}/members/invite`.
#[component]
pub fn Invite() -> impl IntoView {
    page("Invite people", "members", |inside| async move {
        operations::may_invite(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let form = FormState::of::<InviteMembers>(&inside.visit);
        let role = Some(form.value("role")).filter(|role| !role.is_empty()).unwrap_or_else(|| Role::Viewer.to_string());
        Ok::<_, AppError>(view! {
            <PageHeader title="Invite people" subtitle=format!("Each gets a mail with a link of their own, good for {HOURS} hours.")/>
            {form.view(view! {
                <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
                <TextArea name="emails" label="Mail addresses" required=true value=form.value("emails") error=form.error("emails")
                    hint=format!("One or many: paste a list, separated by commas, spaces or lines. At most {AT_ONCE} at once.")/>
                <Select name="role" label="Role" required=true choices=grantable(inside.here.role) value=role error=form.error("role")
                    hint="Of all of them. It can be changed later."/>
                <p><a href=inside.path("roles")>"Who can do what"</a></p>
                <div class="actions">
                    <Button kind=ButtonKind::Primary>"Send invitations"</Button>
                    <ButtonLink href=inside.path("members") kind=ButtonKind::Quiet>"Cancel"</ButtonLink>
                </div>
            })}
        })
    })
}

/// The part of the team's page about invitations: what became of those just sent, a link just made, and those that wait.
pub async fn waiting(inside: &Inside) -> Result<Option<AnyView>, AppError> {
    if !inside.actor.may(Permission::MembersInvite) {
        return Ok(None);
    }
    let invitations = operations::pending(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
    let flash = inside.visit.flash();
    let news = match flash.as_deref() {
        Some(Flash::Invited(results)) => Some(outcome(results)),
        Some(Flash::Link { id, url }) => invitations.iter().find(|one| one.id == *id).map(|one| link(one, url.clone())),
        _ => None,
    };
    let problems = [
        FormState::of::<ResendInvitation>(&inside.visit).problem(),
        FormState::of::<MakeInvitationLink>(&inside.visit).problem(),
        FormState::of::<RevokeInvitation>(&inside.visit).problem(),
    ];
    let said =
        news.into_iter().chain(problems.into_iter().flatten()).map(|said| view! { <div class="stack">{said}</div> });
    let said = said.collect_view();
    let list = (!invitations.is_empty()).then(|| table(inside, invitations));
    let nothing = list.is_none().then(|| view! { <p class="meta">"No invitation waits."</p> });
    Ok(Some(
        view! {
            <Section id="invitations" title="Invitations">
                {said}
                {list}
                {nothing}
            </Section>
        }
        .into_any(),
    ))
}

fn outcome(results: &[Invited]) -> AnyView {
    let sent = results.iter().filter(|one| one.result == InviteResult::Sent).count();
    let title = match (sent, results.len()) {
        (1, 1) => "1 invitation sent".to_owned(),
        (sent, all) if sent == all => format!("{sent} invitations sent"),
        (sent, all) => format!("{sent} of {all} invitations sent"),
    };
    let tone = if sent == results.len() { Tone::Ok } else { Tone::Warn };
    let row = |one: &Invited| view! { <li><code>{one.email.clone()}</code> " " {one.result.sentence()}</li> };
    let rows = results.iter().map(row).collect_view();
    view! { <Banner tone title><ul class="plain-list">{rows}</ul></Banner> }.into_any()
}

fn link(invitation: &InvitationView, url: String) -> AnyView {
    set_cookie(cookies::set(cookies::SHOWN, "1", SHOWN_SECONDS));
    let label = format!("The link for {}", invitation.email);
    let copy = view! { <CopyButton text=url.clone() label="Copy link".to_owned()/> }.into_any();
    view! {
        <Banner tone=Tone::Info title="A new link, shown once. The one before is void, also the one in the mail.">
            <CodeBlock code=url label copy/>
        </Banner>
    }
    .into_any()
}

fn table(inside: &Inside, invitations: Vec<InvitationView>) -> AnyView {
    let head = vec![
        Column::text("Mail address"),
        Column::text("Role"),
        Column::text("Invited by"),
        Column::text("Sent"),
        Column::text("Status"),
        Column::actions("Actions"),
    ];
    let rows = invitations.into_iter().map(|invitation| row(inside, invitation)).collect_view();
    view! { <Table caption="Invitations that wait" head>{rows}</Table> }.into_any()
}

fn row(inside: &Inside, invitation: InvitationView) -> impl IntoView + use<> {
    let now = inside.now;
    let status = if invitation.expires_at > now {
        view! { <Badge status=Look::Pending word="waits"/> ", void " <TimeAgo at=invitation.expires_at now/> }
            .into_any()
    } else {
        view! { <Badge status=Look::Off word="expired"/> }.into_any()
    };
    let actions = (!invitation.role.is_above(inside.here.role)).then(|| actions(inside, &invitation));
    view! {
        <tr>
            <th scope="row">{invitation.email.clone()}</th>
            <td data-label="Role">{invitation.role.as_str()}</td>
            <td data-label="Invited by">{invitation.inviter.clone().unwrap_or_else(|| "–".into())}</td>
            <td data-label="Sent"><TimeAgo at=invitation.sent_at now/></td>
            <td data-label="Status">{status}</td>
            <td class="row-actions">{actions}</td>
        </tr>
    }
}

fn actions(inside: &Inside, invitation: &InvitationView) -> impl IntoView + use<> {
    let fields = |verb: &'static str| {
        let of = format!(" the invitation of {}", invitation.email);
        view! {
            <input type="hidden" name="workspace" value=inside.here.slug.clone()/>
            <input type="hidden" name="id" value=invitation.id.to_string()/>
            <Button kind=ButtonKind::Quiet>{verb}<span class="sr-only">{of}</span></Button>
        }
    };
    let resend = FormState::of::<ResendInvitation>(&inside.visit).inline(fields("Resend"));
    let link = FormState::of::<MakeInvitationLink>(&inside.visit).inline(fields("New link"));
    let revoke = FormState::of::<RevokeInvitation>(&inside.visit).inline(fields("Revoke"));
    view! { <div class="row-forms">{resend}{link}{revoke}</div> }
}
