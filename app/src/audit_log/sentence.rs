//! An event as a sentence: "Ana issued API key CI deploy".

use send0_core::audit_log::{Action, ActorView, EventView, Outcome};

/// Who, as a word for people.
pub fn who(event: &EventView) -> String {
    match (event.actor.kind.as_str(), &event.actor.name) {
        ("anonymous", _) => "Somebody unknown".into(),
        ("system", _) => match event.actor.id.as_str() {
            "cli" => "The command line".into(),
            part => format!("The system ({part})"),
        },
        ("api_key", Some(name)) => format!("The key {name}"),
        (_, Some(name)) => name.clone(),
        (_, None) => event.actor.id.clone(),
    }
}

/// What a member of the workspace is called among the kinds of actors.
pub const MEMBER: &str = "member";

/// What kind of actor, as a word for people.
pub fn kind(actor: &ActorView) -> &'static str {
    match (actor.kind.as_str(), actor.id.as_str(), &actor.role) {
        ("user", _, Some(_)) => MEMBER,
        ("user", _, None) => "no member",
        ("api_key", ..) => "API key",
        ("operator", ..) => "send0 staff",
        ("system", "cli", _) => "command line",
        ("system", ..) => "job",
        _ => "nobody known",
    }
}

/// What they did, without who.
pub fn what(event: &EventView) -> String {
    let name = event.targets.first().and_then(|target| target.name.as_deref());
    let what = match (event.action.parse::<Action>(), name) {
        (Ok(action), name) => done(event, action, name),
        // Of a later version.
        (Err(()), Some(name)) => format!("{} {name}", event.action),
        (Err(()), None) => event.action.clone(),
    };
    match event.outcome {
        Outcome::Success => what,
        Outcome::Denied | Outcome::Failed => format!("{what}{}", reason(event)),
    }
}

fn done(event: &EventView, action: Action, name: Option<&str>) -> String {
    let is_oneself = event.targets.iter().any(|target| target.id == event.actor.id);
    match (to_oneself(action).filter(|_| is_oneself), name) {
        (Some(itself), _) => itself.to_owned(),
        (None, _) if matches!(action, Action::ApiCalled | Action::PageViewed) => {
            format!("{}: {} {}", action.sentence(), event.request.method, event.request.path)
        }
        (None, Some(name)) => to(action, name),
        (None, None) => to_something(action).to_owned(),
    }
}

/// What somebody did to themselves.
fn to_oneself(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::MemberJoined => "joined the workspace",
        Action::MemberLeft => "left the workspace",
        Action::MemberRoleChanged => "changed their own role",
        Action::AccountChanged => "changed their account",
        Action::PasswordChanged => "changed their password",
        Action::AddressChangeRequested => "asked to change their mail address",
        Action::AddressConfirmed => "confirmed their new mail address",
        Action::AddressChangeCancelled => "called off their new mail address",
        Action::AddressChanged => "changed their mail address",
        Action::SessionRevoked => "ended their other sessions",
        action if is_whole(action) => action.sentence(),
        _ => return None,
    })
}

/// What they did to what has this name.
fn to(action: Action, name: &str) -> String {
    match action {
        Action::MemberReminded => format!("reminded {name} of the second factor"),
        Action::InvitationResent => format!("sent the invitation of {name} again"),
        Action::InvitationRefused => format!("tried to accept the invitation of {name}"),
        Action::SessionRefused => format!("tried to sign in as {name}"),
        Action::SessionRevoked => format!("ended the sessions of {name}"),
        Action::StreamResumed => format!("let the stream {name} go on"),
        Action::StreamRecovered => format!("could send the stream {name} again"),
        Action::AuditLogCheckFailed => format!("found that the audit log of {name} is not as it was sealed"),
        Action::AuditViewSaved => format!("saved the view {name} of the audit log"),
        Action::AuditViewRemoved => format!("removed the view {name} of the audit log"),
        Action::EvidenceAdded => format!("added evidence to {name}"),
        Action::EvidenceRemoved => format!("removed evidence from {name}"),
        Action::SubscriberTold => format!("told {name} of a change of subprocessors"),
        action if is_whole(action) => format!("{} ({name})", action.sentence()),
        action => format!("{} {name}", action.sentence()),
    }
}

/// What they did to something of which no name is known.
fn to_something(action: Action) -> &'static str {
    match action {
        Action::WorkspaceCreated => "created a workspace",
        Action::WorkspaceRenamed => "renamed the workspace",
        Action::PlanChanged => "changed the plan of the workspace",
        Action::TimeZoneChanged => "changed the time zone of the workspace",
        Action::MemberInvited => "invited somebody",
        Action::MemberJoined => "added a member",
        Action::MemberRoleChanged => "changed the role of a member",
        Action::MemberRemoved => "removed a member",
        Action::MemberLeft => "left the workspace",
        Action::MemberReminded => "reminded a member of the second factor",
        Action::InvitationResent => "sent an invitation again",
        Action::InvitationLinkMade => "made a link for an invitation",
        Action::InvitationRevoked => "revoked an invitation",
        Action::AccountChanged => "changed an account",
        Action::PasswordChanged => "changed a password",
        Action::AddressChangeRequested => "asked to change a mail address",
        Action::AddressConfirmed => "confirmed a new mail address",
        Action::AddressChangeCancelled => "called off a new mail address",
        Action::AddressChanged => "changed a mail address",
        Action::AccountUnlocked => "let codes be tried again",
        Action::AccountDisabled => "disabled an account",
        Action::AccountEnabled => "enabled an account",
        Action::AccountErased => "erased what identifies somebody",
        Action::ApiKeyIssued => "issued an API key",
        Action::ApiKeyRevoked => "revoked an API key",
        Action::ApiKeyHandedOver => "handed over an API key",
        Action::AllowlistDrafted => "changed the draft of an allowlist",
        Action::AllowlistChanged => "changed an allowlist",
        Action::AllowlistConfirmed => "confirmed an allowlist",
        Action::AllowlistReverted => "took back an unconfirmed allowlist",
        Action::AllowlistDisabled => "switched off an allowlist",
        Action::AllowlistWouldBlock => "would have been kept out by an allowlist",
        Action::StreamCreated => "made a stream",
        Action::StreamChanged => "changed a stream",
        Action::StreamPaused => "paused a stream",
        Action::StreamResumed => "let a stream go on",
        Action::StreamRemoved => "removed a stream",
        Action::StreamSecretReplaced => "replaced the secret of a stream",
        Action::StreamTested => "sent a sample to a stream",
        Action::StreamFailing => "could not send a stream",
        Action::StreamRecovered => "could send a stream again",
        Action::AuditLogCheckFailed => "found that the audit log is not as it was sealed",
        Action::AuditLogPruned => "removed events past their retention",
        Action::AuditViewSaved => "saved a view of the audit log",
        Action::AuditViewRemoved => "removed a view of the audit log",
        Action::LegalHoldPlaced => "placed a legal hold",
        Action::LegalHoldReleased => "released a legal hold",
        Action::ContactAdded => "named a security contact",
        Action::ContactConfirmed => "confirmed a security contact",
        Action::ContactChanged => "changed what a security contact is told",
        Action::ContactRemoved => "removed a security contact",
        Action::ContactTested => "sent a test to a security contact",
        Action::OperatorCreated => "made an operator",
        Action::OperatorRemoved => "removed an operator",
        Action::SubprocessorProposed => "drafted a change of a subprocessor",
        Action::SubprocessorDiscarded => "discarded the drafted change of a subprocessor",
        Action::SubprocessorPublished => "gave notice of a change of a subprocessor",
        Action::SubprocessorPostponed => "postponed the change of a subprocessor",
        Action::SubprocessorWithdrawn => "withdrew the change of a subprocessor",
        Action::SubprocessorChanged => "put into effect the change of a subprocessor",
        Action::NoticeReceived => "told the contacts of a change of a subprocessor",
        Action::NoticeSeen => "looked at a notice",
        Action::NoticeAcknowledged => "acknowledged a notice",
        Action::NoticeObjected => "objected to a notice",
        Action::NoticeReplied => "answered the objection to a notice",
        Action::ComplianceChanged => "changed what is said of a framework",
        Action::EvidenceAdded => "added evidence",
        Action::EvidenceRemoved => "removed evidence",
        Action::ComplianceRequested => "made a request about compliance",
        Action::ComplianceWritten => "wrote more on a request about compliance",
        Action::ComplianceAnswered => "answered a request about compliance",
        Action::ComplianceClosed => "closed a request about compliance",
        Action::DocumentAdded => "added a document",
        Action::DocumentRetired => "retired a document",
        Action::DocumentGranted => "gave access to a document",
        Action::DocumentRevoked => "took away access to a document",
        Action::DocumentTermsAccepted => "agreed to the terms of a document",
        Action::DocumentDownloaded => "downloaded a document",
        Action::SubscriptionConfirmed => "subscribed to changes of subprocessors",
        Action::SubscriberTold => "told a subscriber of a change of subprocessors",
        Action::MailFailed => "gave up sending a mail",
        action => action.sentence(),
    }
}

/// Whether the sentence of the action is whole as it is: a name after it would be read as what it was done to.
fn is_whole(action: Action) -> bool {
    matches!(
        action,
        Action::SessionStarted
            | Action::SessionRefused
            | Action::SessionEnded
            | Action::SecondFactorAsked
            | Action::SecondFactorRefused
            | Action::SessionProved
            | Action::PasswordResetRequested
            | Action::PasswordReset
            | Action::PolicyChanged
            | Action::FactorAdded
            | Action::FactorRenamed
            | Action::FactorRemoved
            | Action::FactorEnrolmentStarted
            | Action::RecoveryCodesMade
            | Action::RecoveryCodeUsed
            | Action::WorkspaceEntryRefused
            | Action::AuditLogSearched
            | Action::AuditLogExported
            | Action::RetentionChanged
            | Action::RetentionKept
            | Action::OperatorRefused
            | Action::SubscriptionRequested
            | Action::SubscriptionEnded
            | Action::SetupRefused
            | Action::RequestRefused
    )
}

/// Why not, at the end of a sentence.
fn reason(event: &EventView) -> String {
    let times = event.count.map(|count| format!(" ({count} times)")).unwrap_or_default();
    let Some(reason) = event.reason.as_deref() else { return times };
    let why = match (reason, &event.actor.permission) {
        _ if event.action == Action::AuditLogCheckFailed.as_str() => format!(": {}", found(event, reason)),
        ("missing_permission", Some(permission)) => format!(", lacking {permission}"),
        ("for_a_day", _) => " for a day".to_owned(),
        ("gone_unsent", _) => ": events were removed before they were sent".to_owned(),
        ("missing", _) if event.action == Action::StreamFailing.as_str() => {
            ": events are missing from the log".to_owned()
        }
        _ => format!(", {}", reason.replace('_', " ")),
    };
    format!("{why}{times}")
}

/// What a check of the log has found.
fn found(event: &EventView, reason: &str) -> String {
    let seq = event.changes.iter().find(|change| change.field == "seq").and_then(|change| change.after.as_i64());
    let which = seq.map_or_else(|| "an event".to_owned(), |seq| format!("event #{seq}"));
    match reason {
        "edit" => format!("{which} was changed"),
        "delete" => format!("{which} is missing"),
        "insert" => format!("{which} was put in"),
        "tree" => format!("the stored hashes of {which} do not fit each other"),
        "checkpoint" => "the newest checkpoint is not of this log".to_owned(),
        "prune" => "events were removed without a signed receipt".to_owned(),
        "register" => "it is not what was signed once".to_owned(),
        other => other.replace('_', " "),
    }
}
