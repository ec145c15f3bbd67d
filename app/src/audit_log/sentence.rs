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
    let verb =
        event.action.parse().map_or_else(|()| event.action.clone(), |action: Action| action.sentence().to_owned());
    let target = event.targets.first().and_then(|target| target.name.clone());
    let called = matches!(event.action.as_str(), "api.called" | "page.viewed");
    let what = match target {
        Some(name) => format!("{verb} {name}"),
        None if called => format!("{verb}: {} {}", event.request.method, event.request.path),
        None => verb,
    };
    match event.outcome {
        Outcome::Success => what,
        Outcome::Denied | Outcome::Failed => format!("{what}{}", reason(event)),
    }
}

fn reason(event: &EventView) -> String {
    let times = event.count.map(|count| format!(" ({count} times)")).unwrap_or_default();
    match (&event.reason, &event.actor.permission) {
        (_, Some(permission)) => format!(", lacking {permission}{times}"),
        (Some(reason), None) => format!(", {}{times}", reason.replace('_', " ")),
        (None, None) => times,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_sentence() {
        for action in Action::ALL {
            assert!(action.sentence().len() > 5, "{action}");
            assert!(!action.sentence().contains('.'), "{action}");
        }
    }
}
