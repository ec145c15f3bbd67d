//! What every operation is given: the database, the vault, the log, the clock.

use crate::{
    Actor, AppError,
    accounts::{self, Passwords},
    actor::Who,
    api_keys::Recogniser,
    audit_log::{Action, Event, Outcome, Recent, Writer},
    clock::Clock,
    database::{Database, Logins},
    egress::Egress,
    envelope::KeyProvider,
    intent::Intent,
    mail::{Relay, RelayAddress},
    permissions::Permission,
    sealing::Register,
    two_factor::RelyingParty,
    vault::Vault,
};
use std::{ops::Deref, path::Path, sync::Arc};

/// The means of the running server, cheap to clone: every call does so several times.
#[derive(Clone)]
pub struct Ctx(Arc<Means>);

/// What a [`Ctx`] leads to.
#[derive(Clone)]
pub struct Means {
    /// The doors to PostgreSQL.
    pub db: Database,
    /// The data keys.
    pub vault: Vault,
    /// The time.
    pub clock: Clock,
    /// Hashes and checks passwords.
    pub(crate) passwords: Passwords,
    /// Writes events of calls that change nothing.
    pub(crate) log: Writer,
    /// Finds the keys of calls.
    pub(crate) keys: Recogniser,
    /// Where people find the console: what links in mails begin with. Configured, never taken from a request.
    pub origin: Arc<str>,
    /// Who passkeys are made for: the host of the origin.
    pub relying_party: RelyingParty,
    /// When keys were last used, on its way to the database.
    pub last_uses: crate::api_keys::LastUses,
    /// Where files lie that are no database: signing keys, the register of checkpoints.
    pub(crate) folder: Option<Arc<Path>>,
    /// Newest events of the filters that were counted of late.
    pub(crate) recent: Recent,
    /// What was read of the register.
    pub(crate) register: Register,
    /// Who takes our mail. Without one it ends up in the local mailbox.
    pub(crate) relay: Option<Arc<Relay>>,
    /// How far what we send by ourselves may go.
    pub(crate) egress: Egress,
}

impl Ctx {
    /// Connects lazily: nothing fails here that could recover later. Needs a Tokio runtime.
    pub fn new(logins: Logins, keys: Arc<dyn KeyProvider>, clock: Clock) -> Self {
        let db = Database::new(logins);
        Self(Arc::new(Means {
            vault: Vault::new(db.clone(), keys),
            log: db.writer(),
            keys: db.recogniser(),
            db,
            clock,
            passwords: Passwords::default(),
            origin: "http://localhost:3000".into(),
            relying_party: RelyingParty::at("http://localhost:3000"),
            last_uses: Default::default(),
            folder: None,
            recent: Recent::default(),
            register: Register::default(),
            relay: None,
            egress: Egress::to_public(),
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Means)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The same, found by people at another origin.
    pub fn at(self, origin: &str) -> Self {
        self.with(|means| (means.origin, means.relying_party) = (origin.into(), RelyingParty::at(origin)))
    }

    /// The same, with its files in this folder, which is there. Without one nothing is sealed.
    pub fn keeping(self, folder: &Path) -> Self {
        self.with(|means| (means.folder, means.register) = (Some(folder.into()), Register::default()))
    }

    /// The same, with mail that leaves through this relay, or through none. Needs a Tokio runtime.
    pub fn relaying(self, address: Option<&RelayAddress>) -> Self {
        self.with(|means| means.relay = address.map(|address| Arc::new(Relay::new(address))))
    }

    /// The same, sending to wherever this reaches.
    pub fn reaching(self, egress: Egress) -> Self {
        self.with(|means| means.egress = egress)
    }

    /// Whether calls come so fast that what has time should wait.
    pub fn is_crowded(&self) -> bool {
        self.log.is_crowded()
    }

    /// Lets the actor pass or writes the refused attempt down and refuses. Called first in every operation.
    pub(crate) async fn authorise(
        &self,
        actor: &Actor,
        permission: Permission,
        attempted: Action,
    ) -> Result<(), AppError> {
        let Err(refusal) = actor.require(permission) else { return Ok(()) };
        let event = Event::new(attempted).because(Outcome::Denied, "missing_permission").under(permission);
        self.log_call(actor, event).await?;
        Err(refusal)
    }

    /// Lets an operator pass, and whoever runs the server. For everybody else what is only for operators is not there; the
    /// attempt is written down.
    pub(crate) async fn authorise_operator(&self, actor: &Actor, attempted: Action) -> Result<(), AppError> {
        match actor.who {
            Who::Operator { .. } | Who::System(_) => Ok(()),
            _ => self.refuse(actor, Event::new(attempted), "no_operator", AppError::NotFound).await,
        }
    }

    /// Lets pass whoever showed a moment ago that it is them, for everything or for exactly this, and whoever is no person: a
    /// key is its own proof. Called after `authorise`, before anything that an open session alone must not be enough for.
    pub(crate) async fn demand_proof(&self, actor: &Actor, attempted: Event, intent: Intent) -> Result<(), AppError> {
        let (proof, session) = match &actor.who {
            Who::User { proof, session: Some(session), .. } | Who::Operator { proof, session, .. } => {
                (*proof, *session)
            }
            // While a workspace is made there is no session yet.
            _ => return Ok(()),
        };
        if accounts::sessions::is_proved(self, session, proof, &intent).await? {
            return Ok(());
        }
        accounts::sessions::ask(self, session, &intent).await?;
        self.refuse(actor, attempted, "proof_needed", AppError::ProofNeeded).await
    }

    /// Writes down that the actor was refused for a reason of the rules, and gives the refusal.
    pub(crate) async fn refuse<T>(
        &self,
        actor: &Actor,
        attempted: Event,
        reason: &str,
        refusal: AppError,
    ) -> Result<T, AppError> {
        self.log_call(actor, attempted.because(Outcome::Denied, reason)).await?;
        Err(refusal)
    }

    /// Writes down a call that changed nothing. Returns when the event is committed.
    pub async fn log_call(&self, actor: &Actor, event: Event) -> Result<(), AppError> {
        self.log.write(actor, event, self.clock.now()).await
    }
}

impl Deref for Ctx {
    type Target = Means;

    fn deref(&self) -> &Means {
        &self.0
    }
}
