//! What is filled in.

use crate::ui::{
    Button, ButtonKind, ButtonLink, Checkbox, CheckboxGroup, Choice, ErrorSummary, PasswordField, RadioCards, Section,
    Select, Switch, TextArea, TextField,
};
use leptos::prelude::*;

fn roles() -> Vec<Choice> {
    vec![
        Choice::new("admin", "Admin").hint("Runs the workspace: people, keys, policies."),
        Choice::new("viewer", "Viewer").hint("Looks, changes nothing."),
    ]
}

pub(super) fn shown() -> impl IntoView {
    view! { {texts()} {choices()} {wrong()} {buttons()} }
}

fn texts() -> impl IntoView {
    view! {
        <Section id="fields" title="Fields" text="Label, control, hint. Optional ones say so.">
            <div class="form">
                <TextField name="kit-name" label="Name" hint="Where it will be used." value="CI deploy" required=true/>
                <TextField name="kit-nickname" label="Nickname"/>
                <TextField name="kit-address" label="Address" mono=true value="2001:db8:85a3::8a2e:370:7334" required=true/>
                <PasswordField name="kit-password" label="Password" hint="At least 15 characters."/>
                <Select name="kit-role" label="Role" choices=roles() value="viewer" required=true/>
                <TextArea name="kit-emails" label="Mail addresses" hint="One or many." value="ana@example.com\nbo@example.com" required=true/>
            </div>
        </Section>
    }
}

fn choices() -> impl IntoView {
    view! {
        <Section id="choices" title="Choices">
            <div class="form">
                <RadioCards name="kit-card" legend="Role" choices=roles() value="viewer"/>
                <CheckboxGroup name="kit-scopes" legend="Scopes" choices=roles() values=vec!["admin".into()]/>
                <Checkbox name="kit-agree" label="Tell the owners" hint="By mail, at once." checked=true/>
                <Switch name="kit-on" label="Require two factors" hint="From the next sign-in on." on=true/>
                <Switch name="kit-off" label="Daily summary"/>
                <Switch name="kit-fixed" label="Audit log" hint="Cannot be switched off." on=true disabled=true/>
            </div>
        </Section>
    }
}

fn wrong() -> impl IntoView {
    let error = "Needs a name that is not taken. CI deploy is.";
    view! {
        <Section id="wrong" title="Refused" text="A summary on top, with links to the fields; the message at the field.">
            <div class="form">
                <ErrorSummary message="2 fields need another look." errors=vec![("kit-taken".into(), error.into()), ("kit-unknown".into(), "Choose a role.".into())]/>
                <TextField name="kit-taken" label="Name" value="CI deploy" required=true error=Some(error.to_owned())/>
                <Select name="kit-unknown" label="Role" choices=roles() required=true error=Some("Choose a role.".to_owned())/>
            </div>
        </Section>
    }
}

fn buttons() -> impl IntoView {
    view! {
        <Section id="buttons" title="Buttons" text="They say what happens.">
            <div class="actions">
                <Button kind=ButtonKind::Primary>"Issue key"</Button>
                <Button>"Send both links"</Button>
                <Button kind=ButtonKind::Danger>"Revoke key"</Button>
                <Button kind=ButtonKind::Quiet>"Resend"</Button>
                <Button disabled=true>"Not now"</Button>
                <ButtonLink href="#buttons">"A link"</ButtonLink>
            </div>
        </Section>
    }
}
