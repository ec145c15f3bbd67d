//! The command line. JSON on standard output, messages on standard error; exit 0 done, 1 refused or failed, 2 wrong usage.

use crate::{
    config::{Config, ConfigError},
    demo,
    installation::Installation,
    rest, serve,
};
use clap::{Args, Parser, Subcommand};
use secrecy::SecretString;
use send0_core::{
    Actor, AppError, Ctx,
    accounts::{disabling, erasing},
    actor::Request,
    allowlist::{self, Door},
    api_keys::{self, NewKeyText},
    compliance::documents::{self, NewDocument},
    ids::WorkspaceId,
    mail::Relay,
    operators::{self, operations::NewOperator},
    sealing::{self, SigningKeys},
    two_factor,
    workspaces::operations::{self as workspaces, NewOwner},
};
use serde_json::json;
use std::{io::Read, path::PathBuf, process::ExitCode};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// send0 console: where customers of send0 run the security of their workspace.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Starts the server: web pages, API, jobs. Without SEND0_DATABASE_URL also its own PostgreSQL.
    Serve(Serve),
    /// Makes a workspace with people, keys and months of events, to try the product out. Prints how to sign in.
    Demo(Data),
    /// Brings the schema up to date.
    Migrate(Data),
    /// Says what is wrong with the configuration.
    Check(Data),
    /// Prints the OpenAPI document of the API.
    Openapi,
    /// Prints what a superuser runs on a PostgreSQL of your own, before the first migration.
    BootstrapSql,
    /// Owners of workspaces.
    #[command(subcommand)]
    Owner(Owner),
    /// send0's own staff.
    #[command(subcommand)]
    Operator(Operator),
    /// People's accounts.
    #[command(subcommand)]
    Account(Account),
    /// Documents that are handed out one by one.
    #[command(subcommand)]
    Document(DocumentCommand),
    /// API keys.
    #[command(subcommand)]
    Keys(Keys),
    /// The proof of the audit logs.
    #[command(subcommand)]
    Audit(Audit),
    /// Allowlists of addresses.
    #[command(subcommand)]
    Allowlist(Allowlist),
}

#[derive(Debug, Args)]
struct Data {
    /// The data directory: the key file and, without SEND0_DATABASE_URL, the database.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    data: Data,
    /// Where to listen; localhost:3000 when nothing is said.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Owner {
    /// Makes a workspace and its owner. The password is read from standard input.
    Create(OwnerCreate),
}

#[derive(Debug, Args)]
struct OwnerCreate {
    #[command(flatten)]
    data: Data,
    /// The owner's mail address.
    #[arg(long)]
    email: String,
    /// The workspace's name.
    #[arg(long)]
    workspace: String,
    /// The owner's name; what stands before the @ when nothing is said.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Operator {
    /// Makes an operator's account. The password is read from standard input.
    Create(OperatorCreate),
    /// Takes the operators' console away from somebody, with every session of theirs.
    Remove(OperatorRemove),
}

#[derive(Debug, Args)]
struct OperatorCreate {
    #[command(flatten)]
    data: Data,
    /// The operator's mail address, which no customer has.
    #[arg(long)]
    email: String,
    /// The operator's name; what stands before the @ when nothing is said.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Args)]
struct OperatorRemove {
    #[command(flatten)]
    data: Data,
    /// The operator's mail address.
    #[arg(long)]
    email: String,
}

#[derive(Debug, Subcommand)]
enum Account {
    /// Lets somebody try codes again after a hundred wrong ones. Changes neither their password nor their factors.
    Unlock(OneAccount),
    /// Ends every session of somebody and lets them in nowhere any more. Their workspaces' keys go on.
    Disable(OneAccount),
    /// Lets somebody in again whose account was disabled.
    Enable(OneAccount),
    /// Takes out what identifies somebody who is in no workspace any more, from their account and from every log. Cannot be undone.
    Erase(EraseAccount),
}

#[derive(Debug, Args)]
struct EraseAccount {
    #[command(flatten)]
    account: OneAccount,
    /// Do it. Without this it is only counted.
    #[arg(long)]
    for_good: bool,
}

#[derive(Debug, Args)]
struct OneAccount {
    #[command(flatten)]
    data: Data,
    /// The person's mail address.
    #[arg(long)]
    email: String,
}

#[derive(Debug, Subcommand)]
enum DocumentCommand {
    /// Adds a document (.pdf, .txt, .md, .csv). Operators decide who gets it.
    Add(DocumentAdd),
}

#[derive(Debug, Args)]
struct DocumentAdd {
    #[command(flatten)]
    data: Data,
    /// What it is, as anybody may read it.
    #[arg(long)]
    title: String,
    /// A file with the terms that whoever gets it agrees to first.
    #[arg(long, value_name = "FILE")]
    terms: PathBuf,
    /// The document.
    file: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Holds every event of every log against its tree, and every log against the register of checkpoints.
    Check(Data),
    /// Signs with a new key from now on. What was signed before goes on being verified.
    RotateKey(Data),
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Issues a key and prints it, once.
    Issue(KeysIssue),
}

#[derive(Debug, Args)]
struct KeysIssue {
    #[command(flatten)]
    data: Data,
    /// The workspace's name in URLs.
    #[arg(long)]
    workspace: String,
    /// The key's name.
    #[arg(long)]
    name: String,
    /// live, test or restricted.
    #[arg(long)]
    kind: String,
    /// Of a restricted key: live or test messages.
    #[arg(long, default_value = "")]
    mode: String,
    /// Of a restricted key: what it may do. May be repeated.
    #[arg(long)]
    scope: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Allowlist {
    /// Lets everybody in from everywhere again: the way back in for whoever is shut out.
    Disable(AllowlistDisable),
}

#[derive(Debug, Args)]
struct AllowlistDisable {
    #[command(flatten)]
    data: Data,
    /// The workspace's name in URLs.
    #[arg(long)]
    workspace: String,
}

impl Command {
    /// Carries it out.
    pub fn run(self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&error.into()),
        };
        match runtime.block_on(self.what.run()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        }
    }
}

fn failed(error: &Failure) -> ExitCode {
    eprintln!("send0: {error}");
    ExitCode::from(1)
}

impl What {
    async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(Serve { data, listen }) => serve::serve(Config::read(data.data, listen)?).await,
            Self::Demo(data) => make_demo(data.read()?).await,
            Self::Migrate(data) => migrate(data.read()?).await,
            Self::Check(data) => check(data.read()).await,
            Self::Openapi => print(&serde_json::to_value(rest::openapi())?),
            Self::BootstrapSql => {
                print!("{}", crate::postgres::bootstrap_sql());
                Ok(())
            }
            Self::Owner(Owner::Create(create)) => create_owner(create).await,
            Self::Operator(Operator::Create(create)) => create_operator(create).await,
            Self::Operator(Operator::Remove(remove)) => remove_operator(remove).await,
            Self::Account(change) => change_account(change).await,
            Self::Document(DocumentCommand::Add(add)) => add_document(add).await,
            Self::Audit(Audit::Check(data)) => check_logs(data.read()?).await,
            Self::Audit(Audit::RotateKey(data)) => rotate_audit_key(&data.read()?),
            Self::Keys(Keys::Issue(issue)) => issue_key(issue).await,
            Self::Allowlist(Allowlist::Disable(disable)) => disable_allowlists(disable).await,
        }
    }
}

impl Data {
    fn read(&self) -> Result<Config, ConfigError> {
        Config::read(self.data.clone(), None)
    }
}

fn print(value: &serde_json::Value) -> Result<(), Failure> {
    println!("{value}");
    Ok(())
}

async fn migrate(config: Config) -> Result<(), Failure> {
    let installation = Installation::join(&config).await?;
    installation.migrate().await?;
    installation.leave().await
}

async fn check(config: Result<Config, ConfigError>) -> Result<(), Failure> {
    let config = config?;
    config.address()?;
    if let Some(relay) = &config.relay {
        Relay::new(relay).answers().await.map_err(|error| format!("SEND0_SMTP_URL: the relay: {error}."))?;
    }
    let installation = Installation::join(&config).await?;
    let ready = match installation.open() {
        Ok(ctx) => ctx.db.refuse_excess_rights().await.map_err(Failure::from),
        Err(error) => Err(error),
    };
    installation.leave().await?;
    ready?;
    eprintln!("Nothing is wrong with the configuration.");
    Ok(())
}

async fn check_logs(config: Config) -> Result<(), Failure> {
    let installation = Installation::join(&config).await?;
    let done = async { sealing::operations::check_everything(&installation.open()?).await.map_err(plain) };
    let done = done.await;
    installation.leave().await?;
    let verdicts = done?;
    for verdict in &verdicts {
        print(&json!({ "workspace": verdict.workspace, "sealed_to": verdict.size, "problem": verdict.problem }))?;
    }
    match verdicts.iter().filter(|verdict| verdict.problem.is_some()).count() {
        0 => Ok(()),
        bad => Err(format!("{bad} of {} logs are not as they were signed", verdicts.len()).into()),
    }
}

fn rotate_audit_key(config: &Config) -> Result<(), Failure> {
    let key = SigningKeys::rotate(&config.data.join("audit-keys"))?;
    eprintln!(
        "send0: The new key signs from the next checkpoint on. Back up the file {}.",
        config.data.join("audit-keys").display()
    );
    print(&json!({ "public_key": key.to_string() }))
}

async fn make_demo(config: Config) -> Result<(), Failure> {
    let installation = Installation::join(&config).await?;
    let done = async {
        installation.migrate().await?;
        demo::fill(&installation).await
    };
    finish(done.await, installation).await
}

fn password_from_stdin() -> Result<SecretString, Failure> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password)?;
    Ok(password.trim_end_matches(['\r', '\n']).into())
}

/// What stands before the @ when nothing is said.
fn name_of(name: Option<String>, email: &str) -> String {
    name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned())
}

async fn create_operator(create: OperatorCreate) -> Result<(), Failure> {
    let (name, password) = (name_of(create.name, &create.email), password_from_stdin()?);
    let new = NewOperator { name, email: create.email.clone(), password };
    let installation = Installation::join(&create.data.read()?).await?;
    let done = async {
        installation.migrate().await?;
        let ctx = installation.open()?;
        let made = operators::operations::create(&ctx, &Request::command("operator create"), new).await;
        Ok(json!({ "user_id": made.map_err(plain)?, "email": create.email }))
    };
    finish(done.await, installation).await
}

async fn create_owner(create: OwnerCreate) -> Result<(), Failure> {
    let (name, password) = (name_of(create.name, &create.email), password_from_stdin()?);
    let new = NewOwner { workspace: create.workspace, name, email: create.email, password };
    let installation = Installation::join(&create.data.read()?).await?;
    let done = async {
        installation.migrate().await?;
        let made = workspaces::create_owner(&installation.open()?, &Request::command("owner create"), new)
            .await
            .map_err(plain)?;
        Ok(json!({ "user_id": made.user, "workspace_id": made.workspace, "workspace": made.slug }))
    };
    finish(done.await, installation).await
}

async fn issue_key(issue: KeysIssue) -> Result<(), Failure> {
    let new = NewKeyText {
        name: issue.name,
        kind: issue.kind,
        mode: issue.mode,
        scopes: issue.scope,
        lifetime: String::new(),
    };
    let new = new.parse().map_err(plain)?;
    let installation = Installation::join(&issue.data.read()?).await?;
    let done = async {
        let ctx = installation.open()?;
        let workspace = workspace(&ctx, &issue.workspace).await?;
        let actor = Actor::cli(workspace, Request::command("keys issue"));
        let issued = api_keys::operations::issue(&ctx, &actor, new).await.map_err(plain)?;
        Ok(json!({ "id": issued.id, "key": issued.secret.expose() }))
    };
    finish(done.await, installation).await
}

async fn remove_operator(remove: OperatorRemove) -> Result<(), Failure> {
    let installation = Installation::join(&remove.data.read()?).await?;
    let done = async {
        let ctx = installation.open()?;
        let removed = operators::operations::remove(&ctx, &Request::command("operator remove"), &remove.email).await;
        removed.map_err(|error| match error {
            AppError::NotFound => format!("no operator has the address {}", remove.email).into(),
            error => plain(error),
        })?;
        Ok(json!({ "email": remove.email }))
    };
    finish(done.await, installation).await
}

async fn add_document(add: DocumentAdd) -> Result<(), Failure> {
    let read = |path: &PathBuf| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let new = NewDocument {
        title: add.title,
        file_name: add.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        terms: String::from_utf8(read(&add.terms)?)?,
        content: read(&add.file)?,
    };
    let installation = Installation::join(&add.data.read()?).await?;
    let done = async {
        let request = Request::command("document add");
        let id = documents::add(&installation.open()?, &request, new).await.map_err(plain)?;
        Ok(json!({ "id": id }))
    };
    finish(done.await, installation).await
}

async fn change_account(change: Account) -> Result<(), Failure> {
    let (Account::Unlock(OneAccount { data, email })
    | Account::Disable(OneAccount { data, email })
    | Account::Enable(OneAccount { data, email })
    | Account::Erase(EraseAccount { account: OneAccount { data, email }, .. })) = &change;
    let installation = Installation::join(&data.read()?).await?;
    let done = async {
        let ctx = installation.open()?;
        let request = |what: &str| Request::command(what);
        let mut erased = None;
        let done = match &change {
            Account::Erase(EraseAccount { for_good, .. }) => {
                let counted = erasing::erase(&ctx, &request("account erase"), email, *for_good).await;
                counted.map(|counted| erased = Some(json!({ "erased": for_good, "was": counted })))
            }
            Account::Unlock(_) => two_factor::operations::unlock(&ctx, &request("account unlock"), email).await,
            Account::Disable(_) => disabling::disable(&ctx, &request("account disable"), email).await,
            Account::Enable(_) => disabling::enable(&ctx, &request("account enable"), email).await,
        };
        done.map_err(|error| match error {
            AppError::NotFound => format!("nobody has the address {email}").into(),
            error => plain(error),
        })?;
        Ok(erased.unwrap_or_else(|| json!({ "email": email })))
    };
    finish(done.await, installation).await
}

async fn disable_allowlists(disable: AllowlistDisable) -> Result<(), Failure> {
    let installation = Installation::join(&disable.data.read()?).await?;
    let done = async {
        let ctx = installation.open()?;
        let actor = Actor::cli(workspace(&ctx, &disable.workspace).await?, Request::command("allowlist disable"));
        let disabled = allowlist::operations::disable(&ctx, &actor).await.map_err(plain)?;
        warn_of_open_doors(&disable.workspace, &disabled);
        Ok(json!({ "workspace": disable.workspace, "disabled": disabled }))
    };
    finish(done.await, installation).await
}

/// Loud, because whoever runs this is in a hurry and has to think of it again later.
fn warn_of_open_doors(workspace: &str, disabled: &[Door]) {
    if disabled.is_empty() {
        return eprintln!("send0: {workspace} has no allowlist in force. Nothing was changed.");
    }
    for door in disabled {
        eprintln!("send0: WARNING: THE ALLOWLIST OF {} IS OFF IN {workspace}.", door.name().to_uppercase());
    }
    eprintln!(
        "send0: Every address gets in, from the next request on. The audit log of the workspace says so, as system:cli. \
         The entries are kept as a draft: save it again at /w/{workspace}/allowlist."
    );
}

async fn workspace(ctx: &Ctx, slug: &str) -> Result<WorkspaceId, Failure> {
    workspaces::by_slug(ctx, slug).await.map_err(|error| match error {
        AppError::NotFound => format!("there is no workspace {slug}").into(),
        error => plain(error),
    })
}

async fn finish(done: Result<serde_json::Value, Failure>, installation: Installation) -> Result<(), Failure> {
    installation.leave().await?;
    print(&done?)
}

/// An error with its fields, as lines for a terminal.
fn plain(error: AppError) -> Failure {
    let (AppError::Invalid(errors) | AppError::Malformed(errors)) = &error else { return error.into() };
    let lines: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
    lines.join("\n").into()
}
