//! Every page and server function, with who may use it. One that is not declared here fails a test.

use crate::{
    accounts::server_fns::{
        CancelAddress, ChangePassword, ChangeSettings, ConfirmAddress, EndOtherSessions, EndSession, RequestAddress,
        RequestReset, ResetPassword, SignIn, SignOut,
    },
    allowlist::server_fns::{
        AddEntry, ChangeEntry, ConfirmChange, DiscardDraft, RemoveEntry, SaveDraft, SetReporting, UndoChange,
    },
    api_keys::server_fns::{IssueKey, RevokeKey},
    contacts::server_fns::{AddContact, ChangeContact, ConfirmContact, RemoveContact, TestContact},
    invitations::server_fns::{
        AcceptInvitation, InviteMembers, JoinWorkspace, MakeInvitationLink, ResendInvitation, RevokeInvitation,
    },
    members::server_fns::{ChangeRole, EndMemberSessions, LeaveWorkspace, RemoveMember},
    plans::server_fns::SetPlan,
    policies::server_fns::ChangePolicy,
    subprocessors::server_fns::{
        AnswerNotice, DiscardNotice, PostponeNotice, ProposeChange, PublishNotice, ReplyToObjection, WithdrawNotice,
    },
    subscribers::server_fns::{ConfirmSubscription, EndSubscription, Subscribe},
    two_factor::server_fns::{
        BeginApp, BeginPasskey, BeginPasskeyProof, BeginPasskeySignIn, ConfirmApp, FinishPasskey, FinishPasskeyProof,
        FinishPasskeySignIn, MakeRecoveryCodes, ProveByCode, ProveByPassword, ProveByRecoveryCode, RemoveApp,
        RemovePasskey, RenamePasskey,
    },
    workspaces::server_fns::{CreateWorkspace, RenameWorkspace, SetTimeZone, SetUp},
};
use leptos::server_fn::ServerFn;
use send0_core::permissions::Permission;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has shown the right password; a second factor may be still to come.
    Half,
    /// Whoever is signed in.
    Account,
    /// One of send0's staff.
    Operator,
    /// Whoever runs the server: in the default mode, from this machine.
    Dev,
    /// A member, or key, with this permission.
    Permission(Permission),
}

/// A server function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Where it is posted to.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// The fields that may be shown again when the form is refused. Everything else is forgotten.
    pub echo: &'static [&'static str],
}

/// Every server function.
pub const FUNCTIONS: &[Function] = &[
    Function { path: SetUp::PATH, access: Access::Public, echo: &["workspace", "name", "email"] },
    Function { path: SignIn::PATH, access: Access::Public, echo: &["email"] },
    Function { path: SignOut::PATH, access: Access::Public, echo: &[] },
    Function {
        path: IssueKey::PATH,
        access: Access::Permission(Permission::KeysIssue),
        echo: &["name", "kind", "mode", "scopes[]", "lifetime"],
    },
    Function { path: CreateWorkspace::PATH, access: Access::Account, echo: &["name"] },
    Function { path: RenameWorkspace::PATH, access: Access::Permission(Permission::WorkspaceUpdate), echo: &["name"] },
    Function { path: SetTimeZone::PATH, access: Access::Permission(Permission::WorkspaceUpdate), echo: &["time_zone"] },
    Function {
        path: InviteMembers::PATH,
        access: Access::Permission(Permission::MembersInvite),
        echo: &["emails", "role"],
    },
    Function { path: ResendInvitation::PATH, access: Access::Permission(Permission::MembersInvite), echo: &[] },
    Function { path: MakeInvitationLink::PATH, access: Access::Permission(Permission::MembersInvite), echo: &[] },
    Function { path: RevokeInvitation::PATH, access: Access::Permission(Permission::MembersInvite), echo: &[] },
    Function { path: AcceptInvitation::PATH, access: Access::Account, echo: &[] },
    Function { path: JoinWorkspace::PATH, access: Access::Public, echo: &["name"] },
    Function { path: ChangeRole::PATH, access: Access::Permission(Permission::MembersChangeRole), echo: &["role"] },
    Function { path: EndMemberSessions::PATH, access: Access::Permission(Permission::SessionsRevoke), echo: &[] },
    Function { path: RemoveMember::PATH, access: Access::Permission(Permission::MembersRemove), echo: &["fates[]"] },
    Function { path: LeaveWorkspace::PATH, access: Access::Account, echo: &[] },
    Function { path: ChangeSettings::PATH, access: Access::Account, echo: &["name", "time_zone", "theme"] },
    Function { path: ChangePassword::PATH, access: Access::Account, echo: &[] },
    Function { path: RequestAddress::PATH, access: Access::Account, echo: &["email"] },
    Function { path: CancelAddress::PATH, access: Access::Account, echo: &[] },
    Function { path: ConfirmAddress::PATH, access: Access::Public, echo: &[] },
    Function {
        path: ChangePolicy::PATH,
        access: Access::Permission(Permission::PoliciesUpdate),
        echo: &["demand", "grace_days"],
    },
    Function { path: BeginPasskeySignIn::PATH, access: Access::Public, echo: &[] },
    Function { path: FinishPasskeySignIn::PATH, access: Access::Public, echo: &[] },
    Function { path: BeginPasskeyProof::PATH, access: Access::Half, echo: &[] },
    Function { path: FinishPasskeyProof::PATH, access: Access::Half, echo: &[] },
    Function { path: ProveByCode::PATH, access: Access::Half, echo: &[] },
    Function { path: ProveByRecoveryCode::PATH, access: Access::Half, echo: &[] },
    Function { path: ProveByPassword::PATH, access: Access::Account, echo: &[] },
    Function { path: BeginApp::PATH, access: Access::Account, echo: &[] },
    Function { path: ConfirmApp::PATH, access: Access::Account, echo: &[] },
    Function { path: RemoveApp::PATH, access: Access::Account, echo: &[] },
    Function { path: MakeRecoveryCodes::PATH, access: Access::Account, echo: &[] },
    Function { path: BeginPasskey::PATH, access: Access::Account, echo: &[] },
    Function { path: FinishPasskey::PATH, access: Access::Account, echo: &[] },
    Function { path: RenamePasskey::PATH, access: Access::Account, echo: &[] },
    Function { path: RemovePasskey::PATH, access: Access::Account, echo: &[] },
    Function { path: EndSession::PATH, access: Access::Account, echo: &[] },
    Function { path: EndOtherSessions::PATH, access: Access::Account, echo: &[] },
    Function { path: RequestReset::PATH, access: Access::Public, echo: &["email"] },
    Function { path: ResetPassword::PATH, access: Access::Public, echo: &[] },
    Function {
        path: AddEntry::PATH,
        access: Access::Permission(Permission::AllowlistUpdate),
        echo: &["cidr", "note", "lifetime"],
    },
    Function {
        path: ChangeEntry::PATH,
        access: Access::Permission(Permission::AllowlistUpdate),
        echo: &["cidr", "note", "lifetime"],
    },
    Function { path: RemoveEntry::PATH, access: Access::Permission(Permission::AllowlistUpdate), echo: &[] },
    Function { path: SetReporting::PATH, access: Access::Permission(Permission::AllowlistUpdate), echo: &["days"] },
    Function { path: DiscardDraft::PATH, access: Access::Permission(Permission::AllowlistUpdate), echo: &[] },
    Function { path: SaveDraft::PATH, access: Access::Permission(Permission::AllowlistUpdate), echo: &[] },
    Function { path: ConfirmChange::PATH, access: Access::Permission(Permission::AllowlistUpdate), echo: &[] },
    Function { path: UndoChange::PATH, access: Access::Permission(Permission::AllowlistUpdate), echo: &[] },
    Function {
        path: AddContact::PATH,
        access: Access::Permission(Permission::ContactsManage),
        echo: &["email", "kinds[]"],
    },
    Function { path: ChangeContact::PATH, access: Access::Permission(Permission::ContactsManage), echo: &["kinds[]"] },
    Function { path: TestContact::PATH, access: Access::Permission(Permission::ContactsManage), echo: &[] },
    Function { path: RemoveContact::PATH, access: Access::Permission(Permission::ContactsManage), echo: &[] },
    Function { path: ConfirmContact::PATH, access: Access::Public, echo: &[] },
    Function {
        path: AnswerNotice::PATH,
        access: Access::Permission(Permission::NoticesAnswer),
        echo: &["answer", "reason"],
    },
    Function {
        path: ProposeChange::PATH,
        access: Access::Operator,
        echo: &["vendor", "purpose", "data", "regions", "why", "effective_at"],
    },
    Function { path: DiscardNotice::PATH, access: Access::Operator, echo: &[] },
    Function { path: PublishNotice::PATH, access: Access::Operator, echo: &[] },
    Function { path: PostponeNotice::PATH, access: Access::Operator, echo: &["effective_at"] },
    Function { path: WithdrawNotice::PATH, access: Access::Operator, echo: &["why"] },
    Function { path: ReplyToObjection::PATH, access: Access::Operator, echo: &["reply"] },
    Function { path: SetPlan::PATH, access: Access::Operator, echo: &["plan", "why"] },
    Function { path: Subscribe::PATH, access: Access::Public, echo: &["email"] },
    Function { path: ConfirmSubscription::PATH, access: Access::Public, echo: &[] },
    Function { path: EndSubscription::PATH, access: Access::Public, echo: &[] },
    Function { path: RevokeKey::PATH, access: Access::Permission(Permission::KeysRevoke), echo: &["reason"] },
];

/// Every page.
pub const PAGES: &[(&str, Access)] = &[
    ("/", Access::Public),
    ("/setup", Access::Public),
    ("/sign-in", Access::Public),
    ("/invitations", Access::Public),
    ("/contacts", Access::Public),
    ("/account", Access::Account),
    ("/account/address", Access::Public),
    ("/account/security", Access::Account),
    ("/account/security/app", Access::Account),
    ("/account/security/recovery-codes", Access::Account),
    ("/account/sessions", Access::Account),
    ("/account/prove", Access::Account),
    ("/sign-in/second-factor", Access::Half),
    ("/sign-in/forgot", Access::Public),
    ("/sign-in/reset", Access::Public),
    ("/workspaces/new", Access::Account),
    ("/dev/kit", Access::Dev),
    ("/dev/mailbox", Access::Dev),
    ("/w/:slug", Access::Permission(Permission::WorkspaceRead)),
    ("/w/:slug/members", Access::Permission(Permission::MembersRead)),
    ("/w/:slug/members/invite", Access::Permission(Permission::MembersInvite)),
    ("/w/:slug/members/:id", Access::Permission(Permission::MembersRead)),
    ("/w/:slug/roles", Access::Permission(Permission::MembersRead)),
    ("/w/:slug/contacts", Access::Permission(Permission::ContactsManage)),
    ("/w/:slug/contacts/:id", Access::Permission(Permission::ContactsManage)),
    ("/w/:slug/settings", Access::Permission(Permission::WorkspaceUpdate)),
    ("/w/:slug/api-keys", Access::Permission(Permission::KeysRead)),
    ("/w/:slug/api-keys/new", Access::Permission(Permission::KeysIssue)),
    ("/w/:slug/api-keys/:id", Access::Permission(Permission::KeysRead)),
    ("/w/:slug/api-keys/:id/secret", Access::Permission(Permission::KeysIssue)),
    ("/w/:slug/allowlist", Access::Permission(Permission::AllowlistRead)),
    ("/w/:slug/allowlist/:door", Access::Permission(Permission::AllowlistUpdate)),
    ("/w/:slug/allowlist/:door/review", Access::Permission(Permission::AllowlistUpdate)),
    ("/w/:slug/notices", Access::Permission(Permission::NoticesRead)),
    ("/w/:slug/notices/:id", Access::Permission(Permission::NoticesRead)),
    ("/security", Access::Public),
    ("/subprocessors", Access::Public),
    ("/changelog", Access::Public),
    ("/subprocessors/subscribe", Access::Public),
    ("/subscription", Access::Public),
    ("/unsubscribe", Access::Public),
    ("/operator", Access::Operator),
    ("/operator/subprocessors/new", Access::Operator),
    ("/operator/subprocessors/:id/change", Access::Operator),
    ("/operator/subprocessors/:id/remove", Access::Operator),
    ("/operator/notices/:id", Access::Operator),
    ("/operator/notices/:id/reply/:workspace", Access::Operator),
    ("/operator/workspaces", Access::Operator),
    ("/operator/workspaces/:id", Access::Operator),
    ("/operator/log", Access::Operator),
    ("/operator/log/:event", Access::Operator),
    ("/w/:slug/audit-log", Access::Permission(Permission::AuditRead)),
    ("/w/:slug/audit-log/:event", Access::Permission(Permission::AuditRead)),
];
