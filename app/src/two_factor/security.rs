//! `/account/security`: what one signs in with. And `/account/sessions`.

use super::server_fns::{
    BeginApp, BeginPasskey, FinishPasskey, MakeRecoveryCodes, RemoveApp, RemovePasskey, RenamePasskey,
};
use crate::{
    accounts::server_fns::{EndOtherSessions, EndSession},
    forms::FormState,
    page::account_page,
    ui::{
        Badge, Banner, Button, ButtonKind, ButtonLink, Column, Fact, Facts, PageHeader, Section, Status as Look, Table,
        Tag, TextField, TimeAgo, Times, Tone, browser,
    },
    visit::Visit,
};
use leptos::{prelude::*, server_fn::ServerFn};
use send0_core::{
    AppError,
    accounts::{Factor, SessionView, SignedIn, sessions},
    two_factor::{Factors, PasskeyView, operations, passkeys},
};
use time::OffsetDateTime;

/// `/account/security`.
#[component]
pub fn Security() -> impl IntoView {
    account_page("Security", |visit, signed_in| async move {
        let factors = operations::factors(&visit.ctx, &signed_in).await?;
        let passkeys = passkeys::list(&visit.ctx, &signed_in).await?;
        let now = visit.ctx.clock.now();
        let (table, adding) = (passkey_table(&visit, passkeys, now), new_passkey(&visit));
        let (app, recovery) = (app(&visit, factors), recovery(&visit, factors));
        Ok::<_, AppError>(view! {
            <PageHeader title="Security" subtitle=summary(factors)/>
            {advice(&signed_in, factors)}
            <Section id="passkeys" title="Passkeys" text="A passkey is two factors in one: you sign in with it alone, and nobody can phish it.">
                {table}
                {adding}
            </Section>
            <Section id="app" title="Authenticator app" text="Six digits that change every 30 seconds, asked for after your password.">{app}</Section>
            <Section id="recovery-codes" title="Recovery codes" text="For the day on which a device is lost: each opens once, after your password.">
                {recovery}
            </Section>
            <Section id="password" title="Password"><p><a href="/account#change-password">"Change your password"</a></p></Section>
            <Times/>
        })
    })
}

fn summary(factors: Factors) -> &'static str {
    match (factors.passkeys > 0, factors.totp) {
        (true, _) => "You sign in with a passkey, or with your password and a second factor.",
        (false, true) => "You sign in with your password and a code.",
        (false, false) => "You sign in with your password alone: whoever learns it is you.",
    }
}

fn advice(signed_in: &SignedIn, factors: Factors) -> Option<AnyView> {
    let (title, text) = if signed_in.factor == Factor::RecoveryCode {
        (
            "You came in with a recovery code",
            "Is a device lost? Remove it below, add another one, and make new recovery codes.",
        )
    } else if !factors.is_second() {
        ("Add a second factor", "A passkey is the quickest. Keep an app beside it, for a browser without passkeys.")
    } else if factors.recovery_codes == 0 {
        (
            "There are no recovery codes",
            "Without them, a lost device locks you out. Make some, and keep them apart from it.",
        )
    } else if factors.recovery_codes <= 3 {
        ("Few recovery codes are left", "Make ten new ones. The old ones open nothing afterwards.")
    } else {
        return None;
    };
    Some(view! { <Banner tone=Tone::Warn title><p>{text}</p></Banner> }.into_any())
}

fn passkey_table(visit: &Visit, passkeys: Vec<PasskeyView>, now: OffsetDateTime) -> AnyView {
    if passkeys.is_empty() {
        return view! { <p class="meta">"No passkey yet."</p> }.into_any();
    }
    let (rename, remove) = (FormState::of::<RenamePasskey>(visit), FormState::of::<RemovePasskey>(visit));
    let said = view! { {rename.problem()} {remove.problem()} };
    let rows = passkeys.into_iter().map(|passkey| passkey_row(&rename, &remove, passkey, now)).collect_view();
    let head =
        ["Name", "Added", "Last used"].map(Column::text).into_iter().chain([Column::actions("Actions")]).collect();
    view! { {said} <Table caption="Passkeys" head>{rows}</Table> }.into_any()
}

fn passkey_row(
    rename: &FormState,
    remove: &FormState,
    passkey: PasskeyView,
    now: OffsetDateTime,
) -> impl IntoView + use<> {
    let PasskeyView { id, name, created_at, last_used_at } = passkey;
    let used = match last_used_at {
        Some(at) => view! { <TimeAgo at now/> }.into_any(),
        None => view! { <span class="meta">"never"</span> }.into_any(),
    };
    let label = format!("New name of {name}");
    let renaming = rename.inline(view! {
        <input type="hidden" name="id" value=id.to_string()/>
        <input class="input input-row" name="name" type="text" value=name.clone() required aria-label=label autocomplete="off"/>
        <Button kind=ButtonKind::Quiet>"Rename"</Button>
    });
    let removing = remove.inline(view! {
        <input type="hidden" name="id" value=id.to_string()/>
        <Button kind=ButtonKind::Quiet>"Remove"</Button>
    });
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td data-label="Added"><TimeAgo at=created_at now/></td>
            <td data-label="Last used">{used}</td>
            <td class="row-actions"><div class="row-forms">{renaming} {removing}</div></td>
        </tr>
    }
}

fn new_passkey(visit: &Visit) -> AnyView {
    if !visit.ctx.relying_party.is_there() {
        return view! { <p class="meta">"Passkeys need a name: this console is reached by an address of numbers."</p> }
            .into_any();
    }
    let form = FormState::of::<FinishPasskey>(visit);
    let fields = view! {
        <TextField name="name" label="Name of the new passkey" required=true autocomplete="off" hint="The device that it lives on, such as Laptop."/>
        <div class="actions"><Button kind=ButtonKind::Primary>"Add a passkey"</Button></div>
    };
    let form = form.passkey(BeginPasskey::PATH, "create", false, fields);
    view! { {form} <p class="meta scriptless">"Adding a passkey needs scripts. An authenticator app does not."</p> }
        .into_any()
}

fn app(visit: &Visit, factors: Factors) -> AnyView {
    match factors.totp {
        true => {
            let form = FormState::of::<RemoveApp>(visit).view(view! { <Button>"Remove the app"</Button> });
            view! { <Facts><Fact label="Status"><Badge status=Look::Ok word="active"/></Fact></Facts> {form} }
                .into_any()
        }
        false => FormState::of::<BeginApp>(visit).view(view! { <Button>"Set up an app"</Button> }),
    }
}

fn recovery(visit: &Visit, factors: Factors) -> AnyView {
    if !factors.is_second() {
        return view! { <p class="meta">"They come with your first second factor."</p> }.into_any();
    }
    let left = format!("{} of 10 left", factors.recovery_codes);
    let look = if factors.recovery_codes > 3 { Look::Ok } else { Look::Warn };
    let form = FormState::of::<MakeRecoveryCodes>(visit).view(view! { <Button>"Make new recovery codes"</Button> });
    view! { <Facts><Fact label="Codes"><Badge status=look word=left/></Fact></Facts> {form} }.into_any()
}

/// `/account/sessions`.
#[component]
pub fn Sessions() -> impl IntoView {
    account_page("Sessions", |visit, signed_in| async move {
        let sessions = sessions::list(&visit.ctx, &signed_in).await?;
        let now = visit.ctx.clock.now();
        let (end, end_others) = (FormState::of::<EndSession>(&visit), FormState::of::<EndOtherSessions>(&visit));
        let others =
            (sessions.len() > 1).then(|| end_others.view(view! { <Button>"Sign out everywhere else"</Button> }));
        let problem = end.problem();
        let rows = sessions.into_iter().map(|session| session_row(&end, &signed_in, session, now)).collect_view();
        let head = ["Browser", "Address", "Signed in with", "Signed in", "Last seen"].map(Column::text).into_iter();
        let head = head.chain([Column::actions("Actions")]).collect();
        Ok::<_, AppError>(view! {
            <PageHeader title="Sessions" subtitle="Where you are signed in. One ends after 30 minutes without use, and after 12 hours in any case."/>
            {problem}
            <Table caption="Sessions" head>{rows}</Table>
            {others}
            <p><ButtonLink href="/account/security" kind=ButtonKind::Quiet>"Is one of them not you? Look at your factors"</ButtonLink></p>
            <Times/>
        })
    })
}

fn session_row(
    end: &FormState,
    signed_in: &SignedIn,
    session: SessionView,
    now: OffsetDateTime,
) -> impl IntoView + use<> {
    let is_this = session.id == signed_in.session;
    let ending = (!is_this).then(|| {
        end.inline(view! {
            <input type="hidden" name="id" value=session.id.to_string()/>
            <Button kind=ButtonKind::Quiet>"Sign out"</Button>
        })
    });
    let this = is_this.then(|| view! { " " <Tag word="this one"/> });
    let factor = match session.is_whole {
        true => view! { {session.factor.words()} }.into_any(),
        false => view! { <Badge status=Look::Pending word="second factor still to come"/> }.into_any(),
    };
    let (agent, address) = (session.agent.unwrap_or_default(), session.address.unwrap_or_else(|| "unknown".into()));
    view! {
        <tr>
            <th scope="row"><span title=agent.clone()>{browser(&agent)}</span>{this}</th>
            <td data-label="Address" class="mono">{address}</td>
            <td data-label="Signed in with">{factor}</td>
            <td data-label="Signed in"><TimeAgo at=session.begun_at now/></td>
            <td data-label="Last seen"><TimeAgo at=session.last_seen_at now/></td>
            <td class="row-actions">{ending}</td>
        </tr>
    }
}
