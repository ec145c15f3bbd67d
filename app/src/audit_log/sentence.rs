//! An event as a sentence: "Ana issued API key CI deploy".

use send0_core::audit_log::{Action, EventView, Outcome};

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

/// What they did, without who.
pub fn what(event: &EventView) -> String {
    let action: Option<Action> = event.action.parse().ok();
    let itself = action.filter(|_| event.targets.iter().any(|target| target.id == event.actor.id)).and_then(to_oneself);
    let verb = action.map_or_else(|| event.action.clone(), |action| action.sentence().to_owned());
    let target = event.targets.first().and_then(|target| target.name.clone());
    let called = matches!(event.action.as_str(), "api.called" | "page.viewed");
    let what = match (itself, target) {
        (Some(itself), _) => itself.to_owned(),
        (None, Some(name)) => format!("{verb} {name}"),
        (None, None) if called => format!("{verb}: {} {}", event.request.method, event.request.path),
        (None, None) => verb,
    };
    match event.outcome {
        Outcome::Success => what,
        Outcome::Denied | Outcome::Failed => format!("{what}{}", reason(event)),
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
        _ => return None,
    })
}

fn reason(event: &EventView) -> String {
    let times = event.count.map(|count| format!(" ({count} times)")).unwrap_or_default();
    match (&event.reason, &event.actor.permission) {
        (Some(reason), Some(permission)) if reason == "missing_permission" => format!(", lacking {permission}{times}"),
        (Some(reason), _) => format!(", {}{times}", reason.replace('_', " ")),
        (None, _) => times,
    }
}
