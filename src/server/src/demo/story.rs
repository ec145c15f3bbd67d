//! Five months at Northwind, which sends order mails: whoever reads its log finds what one looks for in a real one.

use super::{
    Failure,
    stage::{Person, Program, Stage, Visit},
};
use send0_core::{
    AppError,
    api_keys::{self, NewKeyText},
    audit_log::{self, Action, Filter, Outcome, Place},
    contacts::{NoticeKind, operations as contacts},
    invitations::operations as invitations,
    members::{KeyFate, operations as members},
    policies::{self, PolicyText},
    workspaces::operations as workspaces,
};

/// The workspace.
pub const WORKSPACE: &str = "Northwind";

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const CHROME: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36";
const SAFARI: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Safari/604.1";

const fn person(name: &'static str, email: &'static str, address: &'static str, agent: &'static str) -> Person {
    Person { name, email, address, agent }
}

/// Who made it.
pub const OWNER: Person = person("Ana Lindqvist", "ana@northwind.example", "198.51.100.14", FIREFOX);
const BO: Person = person("Bo Castellanos", "bo@northwind.example", "198.51.100.15", CHROME);
const CHIARA: Person = person("Chiara Rossi", "chiara@northwind.example", "198.51.100.21", CHROME);
const DMITRI: Person = person("Dmitri Volkov", "dmitri@northwind.example", "203.0.113.80", FIREFOX);
const ESI: Person = person("Esi Mensah", "esi@northwind.example", "198.51.100.30", FIREFOX);
const FARID: Person = person("Farid Haddad", "farid@northwind.example", "203.0.113.41", SAFARI);
const GRACE: Person = person("Grace Okafor", "grace@northwind.example", "198.51.100.36", CHROME);
const HANA: Person = person("Hana Sato", "hana@agency.example", "192.0.2.77", CHROME);

const SHOP: Program = Program { key: "Shop", address: [203, 0, 113, 9], agent: "northwind-shop/4.2" };
const CI: Program = Program { key: "CI deploy", address: [192, 0, 2, 140], agent: "curl/8.14.1" };
const SIEM: Program = Program { key: "SIEM import", address: [203, 0, 113, 12], agent: "vector/0.52.0" };
const AGENCY: Program = Program { key: "Agency reports", address: [192, 0, 2, 77], agent: "python-requests/2.32" };

/// Plays it from the first day to this minute.
pub async fn play(stage: &mut Stage, days: i64) -> Result<(), Failure> {
    for day in 0..=days {
        if stage.at(day, 9, 5).await? {
            chapter(stage, day, days).await?;
            routine(stage, day).await?;
        }
    }
    Ok(())
}

/// What happens on one day only. The last days are counted from the end, so that they are always recent.
async fn chapter(stage: &mut Stage, day: i64, days: i64) -> Result<(), Failure> {
    match day {
        0 => founding(stage).await,
        1 => first_keys(stage).await,
        9 => the_agency_comes(stage).await,
        40 => the_agency_goes(stage).await,
        77 => a_leaked_key(stage).await,
        _ => match days - day {
            12 => a_key_for_a_month(stage).await,
            5 => a_curious_viewer(stage).await,
            3 => roles_change(stage).await,
            1 => invitations_wait(stage).await,
            _ => Ok(()),
        },
    }
}

async fn founding(stage: &mut Stage) -> Result<(), Failure> {
    let ana = stage.enter(&OWNER).await?;
    let team = [
        (&BO, "admin"),
        (&CHIARA, "developer"),
        (&DMITRI, "developer"),
        (&ESI, "security"),
        (&FARID, "billing"),
        (&GRACE, "viewer"),
    ];
    for (person, role) in team {
        invitations::invite(&stage.ctx, &ana.doing("invitations/server_fns/invite_members"), person.email, role)
            .await?;
        stage.later(40).await?;
    }
    demand(stage, &ana, "off").await?;
    stage.leave(ana).await?;
    for (person, _) in team {
        stage.join(person).await?;
        stage.later(1_900).await?;
    }
    Ok(())
}

fn key(name: &str, kind: &str, scopes: &[&str], lifetime: &str) -> NewKeyText {
    NewKeyText {
        name: name.into(),
        kind: kind.into(),
        mode: if kind == "restricted" { "live".into() } else { String::new() },
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        lifetime: lifetime.into(),
    }
}

async fn first_keys(stage: &mut Stage) -> Result<(), Failure> {
    let bo = stage.enter(&BO).await?;
    stage.issue(&bo, key("Shop", "live", &[], ""), "Shop").await?;
    stage.issue(&bo, key("SIEM import", "restricted", &["audit.read", "workspace.read"], ""), "SIEM import").await?;
    stage.issue(&bo, key("Warehouse, old", "live", &[], ""), "Warehouse, old").await?;
    let kinds: Vec<String> = NoticeKind::ALL.iter().map(ToString::to_string).collect();
    contacts::add(&stage.ctx, &bo.doing("contacts/server_fns/add_contact"), ESI.email, &kinds).await?;
    stage.later(50).await?;
    stage.leave(bo).await?;
    let chiara = stage.enter(&CHIARA).await?;
    stage.issue(&chiara, key("CI deploy", "test", &[], ""), "CI deploy").await?;
    let live = key("Shop, mine", "live", &[], "").parse()?;
    let refused = api_keys::operations::issue(&stage.ctx, &chiara.doing("api_keys/server_fns/issue_key"), live).await;
    refused.err().ok_or("a developer issued a live key")?;
    stage.leave(chiara).await
}

async fn the_agency_comes(stage: &mut Stage) -> Result<(), Failure> {
    let bo = stage.enter(&BO).await?;
    invitations::invite(&stage.ctx, &bo.doing("invitations/server_fns/invite_members"), HANA.email, "developer")
        .await?;
    stage.leave(bo).await?;
    stage.join(&HANA).await?;
    let hana = stage.enter(&HANA).await?;
    stage
        .issue(&hana, key("Agency reports", "restricted", &["members.read", "keys.read"], ""), "Agency reports")
        .await?;
    stage.leave(hana).await
}

async fn the_agency_goes(stage: &mut Stage) -> Result<(), Failure> {
    let ana = stage.enter(&OWNER).await?;
    let (id, key) = (stage.member(&ana, &HANA).await?, stage.key("Agency reports")?);
    let actor = ana.doing("members/server_fns/remove_member");
    members::remove(&stage.ctx, &actor, id, &[(key, KeyFate::Revoke)]).await?;
    for _ in 0..3 {
        stage.call(&AGENCY, "GET", "/v1/members").await?;
    }
    stage.leave(ana).await
}

async fn a_leaked_key(stage: &mut Stage) -> Result<(), Failure> {
    let esi = stage.enter(&ESI).await?;
    let denied = Filter { outcome: Some(Outcome::Denied), ..Filter::default() };
    search(stage, &esi.actor, denied).await?;
    let (id, actor) = (stage.key("CI deploy")?, esi.doing("api_keys/server_fns/revoke_key"));
    api_keys::operations::revoke(&stage.ctx, &actor, id, "Pasted into a public issue").await?;
    for _ in 0..4 {
        stage.call(&CI, "GET", "/v1/workspace").await?;
    }
    stage.leave(esi).await?;
    let dmitri = stage.enter(&DMITRI).await?;
    stage.issue(&dmitri, key("CI deploy", "test", &[], "365"), "CI deploy").await?;
    stage.leave(dmitri).await
}

async fn a_key_for_a_month(stage: &mut Stage) -> Result<(), Failure> {
    let dmitri = stage.enter(&DMITRI).await?;
    let migration = key("Mail migration", "restricted", &["workspace.read", "members.read"], "30");
    stage.issue(&dmitri, migration, "Mail migration").await?;
    stage.leave(dmitri).await?;
    stage.later(2_400).await?;
    stage.mistype(&FARID).await?;
    stage.mistype(&FARID).await
}

async fn a_curious_viewer(stage: &mut Stage) -> Result<(), Failure> {
    let grace = stage.enter(&GRACE).await?;
    for function in ["audit-log", "api-keys"] {
        let refused = match function {
            "audit-log" => search(stage, &grace.doing(function), Filter::default()).await.is_err(),
            _ => api_keys::operations::summary(&stage.ctx, &grace.doing(function)).await.is_err(),
        };
        if !refused {
            return Err("a viewer saw what is not for viewers".into());
        }
        stage.later(25).await?;
    }
    stage.leave(grace).await
}

async fn roles_change(stage: &mut Stage) -> Result<(), Failure> {
    let ana = stage.enter(&OWNER).await?;
    let (grace, chiara) = (stage.member(&ana, &GRACE).await?, stage.member(&ana, &CHIARA).await?);
    members::change_role(&stage.ctx, &ana.doing("members/server_fns/change_role"), grace, "developer").await?;
    stage.later(70).await?;
    members::change_role(&stage.ctx, &ana.doing("members/server_fns/change_role"), chiara, "admin").await?;
    stage.later(200).await?;
    demand(stage, &ana, "two_factor").await?;
    workspaces::rename(&stage.ctx, &ana.doing("workspaces/server_fns/rename_workspace"), "Northwind Trading").await?;
    stage.leave(ana).await
}

async fn invitations_wait(stage: &mut Stage) -> Result<(), Failure> {
    let bo = stage.enter(&BO).await?;
    let emails = "ines@northwind.example jonas@northwind.example";
    invitations::invite(&stage.ctx, &bo.doing("invitations/server_fns/invite_members"), emails, "viewer").await?;
    stage.leave(bo).await
}

/// What members must show. Nobody in the story has a second factor until the end of it, when everybody gets 30 days.
async fn demand(stage: &mut Stage, visit: &Visit, demand: &str) -> Result<(), Failure> {
    let policy = PolicyText { demand: demand.into(), grace_days: "30".into() };
    policies::operations::change(&stage.ctx, &visit.doing("policies/server_fns/change_policy"), &policy).await?;
    stage.later(90).await
}

async fn search(stage: &Stage, actor: &send0_core::Actor, filter: Filter) -> Result<(), AppError> {
    let newest = audit_log::operations::list(&stage.ctx, actor, &filter, Place::Top, 50, Action::PageViewed);
    newest.await.map(drop)
}

/// What happens every day: programs call, people look in. Fewer do at weekends.
async fn routine(stage: &mut Stage, day: i64) -> Result<(), Failure> {
    let is_workday = stage.is_workday(day);
    if day > 1 {
        calls(stage, day, if is_workday { 12 } else { 4 }).await?;
    }
    if !is_workday {
        return Ok(());
    }
    let people = [&OWNER, &BO, &CHIARA, &DMITRI, &ESI, &FARID, &GRACE];
    for turn in 0..2 + day % 2 {
        let person = people[usize::try_from(day * 3 + turn * 5).unwrap_or_default() % people.len()];
        if !stage.at(day, 13 + turn, 17 + day % 31).await? {
            return Ok(());
        }
        let visit = stage.enter(person).await?;
        if person.email == ESI.email {
            search(
                stage,
                &visit.doing("audit-log"),
                Filter { actions: Action::matching("api_key.*"), ..Filter::default() },
            )
            .await?;
        }
        stage.leave(visit).await?;
    }
    Ok(())
}

async fn calls(stage: &mut Stage, day: i64, count: i64) -> Result<(), Failure> {
    for n in 0..count {
        if !stage.at(day, 10 + n / 4, 2 + (n * 13 + day) % 50).await? {
            return Ok(());
        }
        match n % 4 {
            0 => stage.call(&SIEM, "GET", "/v1/audit-events?limit=100").await?,
            1 if day % 9 == 0 => stage.call(&SIEM, "GET", "/v1/members").await?,
            1 => stage.call(&SHOP, "GET", "/v1/workspace").await?,
            2 => stage.call(&CI, "GET", "/v1/workspace").await?,
            _ if day > 10 && day < 41 => stage.call(&AGENCY, "GET", "/v1/api-keys").await?,
            _ => stage.call(&SHOP, "GET", "/v1/members?limit=10").await?,
        }
    }
    Ok(())
}
