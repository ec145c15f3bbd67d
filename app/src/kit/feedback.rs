//! What answers, asks and waits.

use crate::{
    islands::CopyButton,
    ui::{
        Banner, Button, ButtonKind, ButtonLink, DangerZone, Dialog, DialogButton, Empty, Menu, NoMatch, NoPermission,
        Progress, SecretReveal, Section, Skeleton, Stepper, Toast, Tone,
    },
};
use leptos::prelude::*;

pub(super) fn shown() -> impl IntoView {
    view! { {banners()} {empties()} {asking()} {waiting()} {secrets()} }
}

fn banners() -> impl IntoView {
    view! {
        <Section id="feedback" title="Banners and toast">
            <div class="stack">
                <Banner tone=Tone::Info title="This key was shown once"><p>"We keep only its hash."</p></Banner>
                <Banner tone=Tone::Ok title="Saved."/>
                <Banner tone=Tone::Warn title="Two keys expire this week"/>
                <Banner tone=Tone::Danger title="The relay refuses every mail"><p>"Nothing is lost: 12 wait."</p></Banner>
                <Toast text="Saved."/>
            </div>
        </Section>
    }
}

fn empties() -> impl IntoView {
    let action =
        view! { <ButtonLink href="#empty" kind=ButtonKind::Primary>"Issue the first key"</ButtonLink> }.into_any();
    view! {
        <Section id="empty" title="Nothing here" text="Nothing yet, no match, no permission.">
            <Empty title="No API keys yet" text="A key lets a program call the API for this workspace." action/>
            <NoMatch what="events" clear="#empty"/>
            <NoPermission what="the audit log" permission="audit.read" roles=vec!["owner".into(), "admin".into(), "security".into()]/>
        </Section>
    }
}

fn asking() -> impl IntoView {
    view! {
        <Section id="asking" title="Dialog, menu, danger zone" text="A dialog only asks; what deserves a form has a page.">
            <div class="actions">
                <DialogButton dialog="kit-dialog">"Sign out everywhere"</DialogButton>
                <Menu id="kit-menu" label="More">
                    <li><a href="#asking">"Rotate"</a></li>
                    <li><a href="#asking">"Hold"</a></li>
                </Menu>
            </div>
            <Dialog id="kit-dialog" title="Sign out everywhere?" text="Every session but this one ends with its next request.">
                <form method="dialog"><Button kind=ButtonKind::Danger>"Sign out everywhere"</Button></form>
            </Dialog>
            <DangerZone id="kit-danger" title="Revoke this key" text="Every program that uses it is refused from its next call on.">
                <Button kind=ButtonKind::Danger>"Revoke key"</Button>
            </DangerZone>
        </Section>
    }
}

fn waiting() -> impl IntoView {
    view! {
        <Section id="waiting" title="Progress, steps, skeleton">
            <div class="stack">
                <Progress label="Exporting" done=18_400 all=50_000 unit="events"/>
                <Stepper label="Enrolment" steps=vec!["Scan", "Confirm", "Save recovery codes"] current=1/>
                <Skeleton lines=3/>
            </div>
        </Section>
    }
}

fn secrets() -> impl IntoView {
    let copy = view! { <CopyButton text="sk_test_not_a_key".to_owned() label="Copy key".to_owned()/> }.into_any();
    view! {
        <Section id="secret" title="A secret, once">
            <SecretReveal secret="sk_test_not_a_key" label="The key CI deploy" copy><p class="hint">"It works already."</p></SecretReveal>
        </Section>
    }
}
