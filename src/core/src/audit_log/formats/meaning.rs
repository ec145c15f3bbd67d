//! What an action is in the words of other people's schemas. There is no default: a new action says here what it is.

use super::super::{Action, EventView, Outcome};

/// What was done, as OCSF classes and ECS categories tell things apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Somebody signed in, or tried to.
    SignIn,
    /// Half of it.
    HalfSignIn,
    /// A session ended.
    SignOut,
    /// Somebody showed once more who they are.
    Proof,
    /// An account or a membership: the activity of OCSF's Account Change.
    Account(Change),
    /// Anything else, through the console or the API.
    Create,
    /// Likewise.
    Read,
    /// Likewise.
    Update,
    /// Likewise.
    Delete,
    /// A call whose event says no more.
    Call,
}

/// What happened to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Create,
    Enable,
    Password,
    Reset,
    Disable,
    Delete,
    FactorAdded,
    FactorRemoved,
    Unlock,
    Other,
}

/// What an action is.
pub(super) fn deed(action: Action) -> Deed {
    use Action as A;
    match action {
        A::SessionStarted | A::SessionRefused | A::SecondFactorRefused | A::RecoveryCodeUsed => Deed::SignIn,
        A::SecondFactorAsked => Deed::HalfSignIn,
        A::SessionEnded | A::SessionRevoked => Deed::SignOut,
        A::SessionProved => Deed::Proof,

        A::MemberJoined | A::OperatorCreated => Deed::Account(Change::Create),
        A::AccountEnabled => Deed::Account(Change::Enable),
        A::PasswordChanged => Deed::Account(Change::Password),
        A::PasswordReset => Deed::Account(Change::Reset),
        A::AccountDisabled => Deed::Account(Change::Disable),
        A::MemberRemoved | A::MemberLeft | A::OperatorRemoved | A::AccountErased => Deed::Account(Change::Delete),
        A::FactorAdded | A::RecoveryCodesMade => Deed::Account(Change::FactorAdded),
        A::FactorRemoved => Deed::Account(Change::FactorRemoved),
        A::AccountUnlocked => Deed::Account(Change::Unlock),
        A::MemberRoleChanged
        | A::AccountChanged
        | A::AddressChangeRequested
        | A::AddressConfirmed
        | A::AddressChangeCancelled
        | A::AddressChanged
        | A::PasswordResetRequested
        | A::FactorRenamed
        | A::FactorEnrolmentStarted => Deed::Account(Change::Other),

        A::WorkspaceCreated
        | A::MemberInvited
        | A::MemberReminded
        | A::InvitationResent
        | A::InvitationLinkMade
        | A::InvitationRefused
        | A::ApiKeyIssued
        | A::ContactAdded
        | A::ContactTested
        | A::SubprocessorProposed
        | A::SubprocessorPublished
        | A::NoticeReceived
        | A::NoticeAcknowledged
        | A::NoticeObjected
        | A::NoticeReplied
        | A::EvidenceAdded
        | A::ComplianceRequested
        | A::ComplianceWritten
        | A::ComplianceAnswered
        | A::DocumentAdded
        | A::DocumentGranted
        | A::SubscriptionRequested
        | A::SubscriptionConfirmed
        | A::SubscriberTold
        | A::SetupRefused
        | A::AuditViewSaved
        | A::StreamCreated
        | A::StreamTested
        | A::LegalHoldPlaced
        | A::AuditLogExported => Deed::Create,

        A::AuditLogSearched
        | A::AuditLogCheckFailed
        | A::AuditExportDownloaded
        | A::PageViewed
        | A::NoticeSeen
        | A::DocumentDownloaded
        | A::OperatorRefused
        | A::WorkspaceEntryRefused
        | A::AllowlistWouldBlock => Deed::Read,

        A::WorkspaceRenamed
        | A::PlanChanged
        | A::TimeZoneChanged
        | A::PolicyChanged
        | A::ApiKeyHandedOver
        | A::AllowlistDrafted
        | A::AllowlistChanged
        | A::AllowlistConfirmed
        | A::AllowlistReverted
        | A::ContactConfirmed
        | A::ContactChanged
        | A::SubprocessorPostponed
        | A::SubprocessorChanged
        | A::ComplianceChanged
        | A::ComplianceClosed
        | A::DocumentTermsAccepted
        | A::MailFailed
        | A::RetentionChanged
        | A::RetentionKept
        | A::StreamChanged
        | A::StreamPaused
        | A::StreamResumed
        | A::StreamSecretReplaced
        | A::StreamFailing
        | A::StreamRecovered
        | A::AuditExportFinished => Deed::Update,

        A::InvitationRevoked
        | A::ApiKeyRevoked
        | A::AllowlistDisabled
        | A::ContactRemoved
        | A::SubprocessorDiscarded
        | A::SubprocessorWithdrawn
        | A::EvidenceRemoved
        | A::DocumentRetired
        | A::DocumentRevoked
        | A::SubscriptionEnded
        | A::AuditLogPruned
        | A::AuditViewRemoved
        | A::LegalHoldReleased
        | A::StreamRemoved
        | A::AuditExportCancelled => Deed::Delete,

        A::ApiCalled | A::RequestRefused => Deed::Call,
    }
}

/// What an event tells of. One that a later version wrote is a call that says no more.
pub(super) fn deed_of(event: &EventView) -> Deed {
    event.action.parse().map_or(Deed::Call, deed)
}

/// The event as a sentence, without who: "issued API key".
pub(super) fn sentence(event: &EventView) -> String {
    let known = event.action.parse::<Action>().ok();
    known.map_or_else(|| event.action.clone(), |action| action.sentence().trim_end_matches(':').to_owned())
}

/// How much it matters, from 0 to 10 as CEF counts: a refusal more than a failure, a failure more than what went well.
pub(super) fn severity(event: &EventView) -> u8 {
    match event.outcome {
        Outcome::Success => 2,
        Outcome::Failed => 4,
        Outcome::Denied => 6,
    }
}
