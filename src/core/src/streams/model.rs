use crate::{
    AppError, FieldError,
    api_keys::line,
    egress::{Destination, DestinationError, Egress, Trust, WebAddress},
    error::Checks,
    ids::StreamId,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;

/// The most streams of a workspace.
pub const STREAMS_MAX: i64 = 10;
/// The longest name of a stream, in characters.
pub const NAME_MAX: usize = 64;
/// Seconds between two samples of one stream.
pub const TEST_SECONDS: i64 = 10;
/// The longest secret, in bytes.
const SECRET_MAX: usize = 2048;

/// What a stream can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any address of the web, with a signature (Standard Webhooks).
    Https,
    /// Splunk's HTTP Event Collector.
    Splunk,
    /// Elasticsearch's bulk API.
    Elastic,
    /// Datadog's logs API.
    Datadog,
    /// Syslog over TLS (RFC 5424, RFC 5425).
    Syslog,
    /// Objects in S3, or in whatever speaks its protocol.
    S3,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Https, Self::Splunk, Self::Elastic, Self::Datadog, Self::Syslog, Self::S3];

    /// As stored and as forms send it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Splunk => "splunk",
            Self::Elastic => "elastic",
            Self::Datadog => "datadog",
            Self::Syslog => "syslog",
            Self::S3 => "s3",
        }
    }

    /// As people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Https => "HTTPS, signed",
            Self::Splunk => "Splunk",
            Self::Elastic => "Elastic",
            Self::Datadog => "Datadog",
            Self::Syslog => "Syslog over TLS",
            Self::S3 => "S3 objects",
        }
    }

    /// What arrives, and what is needed.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Https => {
                "Lines of JSON, posted to an address of yours and signed as Standard Webhooks says. The secret is made here."
            }
            Self::Splunk => "Events for the HTTP Event Collector. Needs its token.",
            Self::Elastic => {
                "Documents created through the bulk API, once each. Needs an API key that may create in the index."
            }
            Self::Datadog => "Logs for the intake of your site. Needs an API key.",
            Self::Syslog => "Messages after RFC 5424 over TLS, for collectors that take RFC 5425.",
            Self::S3 => {
                "An object of JSON lines for each batch, in S3 or what speaks its protocol. Needs an access key."
            }
        }
    }

    /// What the secret is called; nothing where there is none, or where it is made here.
    pub fn secret_label(self) -> Option<&'static str> {
        match self {
            Self::Https | Self::Syslog => None,
            Self::Splunk => Some("HEC token"),
            Self::Elastic => Some("API key (encoded)"),
            Self::Datadog => Some("API key"),
            Self::S3 => Some("Secret access key"),
        }
    }

    /// Whether whoever takes the stream is given the secret itself.
    fn gives_secret_away(self) -> bool {
        matches!(self, Self::Splunk | Self::Elastic | Self::Datadog)
    }
}

impl FromStr for Kind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a stream goes, without any secret. Stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// See [`Kind::Https`].
    Https {
        /// Where it is posted to.
        url: String,
    },
    /// See [`Kind::Splunk`].
    Splunk {
        /// The collector.
        url: String,
        /// The index; empty: the token's own.
        index: String,
    },
    /// See [`Kind::Elastic`].
    Elastic {
        /// The cluster.
        url: String,
        /// The index, alias or data stream.
        index: String,
    },
    /// See [`Kind::Datadog`].
    Datadog {
        /// The intake.
        url: String,
    },
    /// See [`Kind::Syslog`].
    Syslog {
        /// Host and port.
        host: String,
    },
    /// See [`Kind::S3`].
    S3 {
        /// The service.
        url: String,
        /// The bucket.
        bucket: String,
        /// The region that requests are signed for.
        region: String,
        /// What the names of objects begin with.
        prefix: String,
        /// The public half of the access key.
        access_key: String,
    },
}

/// A target whose address was looked at.
pub(super) enum Way {
    Web(WebAddress),
    Host(Destination),
}

impl Target {
    /// Of which kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Https { .. } => Kind::Https,
            Self::Splunk { .. } => Kind::Splunk,
            Self::Elastic { .. } => Kind::Elastic,
            Self::Datadog { .. } => Kind::Datadog,
            Self::Syslog { .. } => Kind::Syslog,
            Self::S3 { .. } => Kind::S3,
        }
    }

    /// The address, as it was typed.
    pub fn address(&self) -> &str {
        match self {
            Self::Https { url }
            | Self::Splunk { url, .. }
            | Self::Elastic { url, .. }
            | Self::Datadog { url }
            | Self::S3 { url, .. } => url,
            Self::Syslog { host } => host,
        }
    }

    /// All of it as one line, for pages and events.
    pub fn line(&self) -> String {
        match self {
            Self::Splunk { url, index } | Self::Elastic { url, index } if !index.is_empty() => {
                format!("{url}, index {index}")
            }
            Self::S3 { url, bucket, region, prefix, access_key } => {
                format!("{url}, {region}, {bucket}/{prefix}, as {access_key}")
            }
            other => other.address().to_owned(),
        }
    }

    /// Looks at the address again: what may be sent to depends on how the server runs.
    pub(super) fn way(&self, egress: &Egress) -> Result<Way, DestinationError> {
        match self {
            Self::Syslog { host } => egress.host(host).map(Way::Host),
            other => egress.web(other.address()).map(Way::Web),
        }
    }
}

impl Way {
    pub(super) fn destination(&self) -> &Destination {
        match self {
            Self::Web(web) => web.destination(),
            Self::Host(destination) => destination,
        }
    }
}

/// A stream as a form has it. Which fields count depends on the kind.
#[derive(Clone, Debug, Default)]
pub struct StreamText {
    /// One of [`Kind`].
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// The address; of syslog, host and port.
    pub url: String,
    /// The index, of Splunk and Elastic.
    pub index: String,
    /// The bucket, of S3.
    pub bucket: String,
    /// The region, of S3.
    pub region: String,
    /// What the names of objects begin with, of S3.
    pub prefix: String,
    /// The id of the access key, of S3.
    pub access_key: String,
    /// The secret, of the kinds that are given one.
    pub secret: String,
    /// Authorities in PEM, where the public ones are not meant.
    pub authorities: String,
    /// The first event; empty: the next one.
    pub from: String,
}

/// A stream that can be made.
pub(super) struct NewStream {
    pub name: String,
    pub target: Target,
    pub authorities: String,
    /// As typed, if any was.
    pub secret: Option<SecretString>,
    /// The first event; nothing: the next one.
    pub from: Option<i64>,
}

impl StreamText {
    /// All of it, or everything that is wrong with it.
    pub(super) fn parse(&self, kind: Kind, egress: &Egress) -> Result<NewStream, AppError> {
        let mut checks = Checks::default();
        let name = checks.keep(line("name", &self.name, NAME_MAX));
        let target = self.target(kind, &mut checks);
        checks.keep(address_is_allowed(&target, egress));
        let authorities = checks.keep(parse_authorities(&self.authorities));
        let secret = checks.keep(parse_secret(kind, &self.secret));
        let from = checks.keep(parse_from(&self.from));
        checks.finish()?;
        match (name, authorities, secret, from) {
            (Some(name), Some(authorities), Some(secret), Some(from)) => {
                Ok(NewStream { name, target, authorities, secret, from })
            }
            _ => Err(AppError::Internal),
        }
    }

    /// What cannot be read is kept with its refusal.
    fn target(&self, kind: Kind, checks: &mut Checks) -> Target {
        let url = self.url.trim().to_owned();
        let mut word = |field, text: &str, rule: &Rule| checks.keep(rule.read(field, text)).unwrap_or_default();
        match kind {
            Kind::Https => Target::Https { url },
            Kind::Splunk => Target::Splunk { url, index: word("index", &self.index, &SPLUNK_INDEX) },
            Kind::Elastic => Target::Elastic { url, index: word("index", &self.index, &ELASTIC_INDEX) },
            Kind::Datadog => Target::Datadog { url },
            Kind::Syslog => Target::Syslog { host: url },
            Kind::S3 => Target::S3 {
                url,
                bucket: word("bucket", &self.bucket, &BUCKET),
                region: word("region", &self.region, &REGION),
                prefix: word("prefix", &self.prefix, &PREFIX),
                access_key: word("access_key", &self.access_key, &ACCESS_KEY),
            },
        }
    }
}

/// What a word of a target may consist of.
struct Rule {
    shortest: usize,
    longest: usize,
    /// Besides letters and digits.
    others: &'static str,
    upper_case: bool,
    message: &'static str,
}

const SPLUNK_INDEX: Rule = Rule {
    shortest: 0,
    longest: 80,
    others: "_-",
    upper_case: false,
    message: "An index has lower-case letters, digits, _ and -. Leave it empty for the token's own.",
};
const ELASTIC_INDEX: Rule = Rule {
    shortest: 1,
    longest: 200,
    others: "_-.",
    upper_case: false,
    message: "The index, alias or data stream: lower-case letters, digits, _, - and dots.",
};
const BUCKET: Rule = Rule {
    shortest: 3,
    longest: 63,
    others: "-.",
    upper_case: false,
    message: "A bucket has 3 to 63 lower-case letters, digits, - and dots.",
};
const REGION: Rule = Rule {
    shortest: 2,
    longest: 32,
    others: "-",
    upper_case: false,
    message: "The region that the bucket is in, such as eu-central-1.",
};
const PREFIX: Rule = Rule {
    shortest: 0,
    longest: 200,
    others: "_-./",
    upper_case: true,
    message: "What the names of objects begin with: letters, digits, _, -, dots and /, not at its beginning.",
};
const ACCESS_KEY: Rule = Rule {
    shortest: 3,
    longest: 128,
    others: "_-",
    upper_case: true,
    message: "The id of the access key: letters and digits.",
};

impl Rule {
    fn read(&self, field: &str, text: &str) -> Result<String, FieldError> {
        let text = text.trim();
        let allowed = |c: char| {
            c.is_ascii_lowercase()
                || c.is_ascii_digit()
                || self.others.contains(c)
                || (self.upper_case && c.is_ascii_uppercase())
        };
        let fits = (self.shortest..=self.longest).contains(&text.len());
        // No path that climbs, and none that begins where the bucket ends.
        let climbs = text.starts_with(['/', '.']) || text.contains("..") || text.contains("//");
        if fits && !climbs && text.chars().all(allowed) {
            return Ok(text.to_owned());
        }
        Err(FieldError::new(field, "malformed", self.message))
    }
}

fn address_is_allowed(target: &Target, egress: &Egress) -> Result<(), FieldError> {
    let refused = |error: DestinationError| FieldError::new("url", "not_allowed", error.to_string());
    let way = target.way(egress).map_err(refused)?;
    match (target, way) {
        (Target::S3 { .. }, Way::Web(web)) if web.url().path() != "/" || web.url().query().is_some() => {
            Err(FieldError::new("url", "path", "The address of the service only: the bucket has a field of its own."))
        }
        _ => Ok(()),
    }
}

fn parse_authorities(text: &str) -> Result<String, FieldError> {
    let text = text.trim().replace("\r\n", "\n");
    Trust::of_pem(&text).map_err(|error| FieldError::new("authorities", "malformed", error.to_string()))?;
    Ok(text)
}

/// A secret that can stand in a header. Nothing typed is nothing given.
fn parse_secret(kind: Kind, text: &str) -> Result<Option<SecretString>, FieldError> {
    let text = text.trim();
    if kind.secret_label().is_none() || text.is_empty() {
        return Ok(None);
    }
    if text.len() > SECRET_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(FieldError::new("secret", "malformed", "One word without spaces, as the target shows it."));
    }
    Ok(Some(text.into()))
}

fn parse_from(text: &str) -> Result<Option<i64>, FieldError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let number = text.trim().parse().ok().filter(|seq: &i64| *seq >= 1);
    let wrong = || FieldError::new("from", "not_a_number", "The number of an event: 1 is the first.");
    number.map(Some).ok_or_else(wrong)
}

/// Whether a stream that is led elsewhere needs its secret typed again: nobody gets a token that was given for somebody else.
pub(super) fn needs_secret_again(before: &Target, after: &Target, egress: &Egress) -> bool {
    if let (Target::S3 { access_key: before, .. }, Target::S3 { access_key: after, .. }) = (before, after) {
        return before != after;
    }
    let place = |target: &Target| target.way(egress).map(|way| way.destination().clone());
    after.kind().gives_secret_away() && place(before) != place(after)
}

/// Whether a stream sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Whenever there is something to send.
    Active,
    /// Not until somebody lets it go on. Nothing is lost meanwhile.
    Paused,
}

impl State {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
        }
    }
}

/// How a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The target has everything.
    UpToDate,
    /// There is something to send, and nothing is wrong.
    Sending,
    /// The target does not take it, since then.
    Failing(OffsetDateTime),
    /// Somebody has paused it.
    Paused,
}

/// A stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamView {
    /// The id.
    pub id: StreamId,
    /// What it is called.
    pub name: String,
    /// Where it goes.
    pub target: Target,
    /// The authorities whose certificates are accepted, in PEM; empty: the public ones.
    pub authorities: String,
    /// Whether it sends.
    pub state: State,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// The first event it was to send.
    pub from_seq: i64,
    /// The first event that the target has not said it has.
    pub next_seq: i64,
    /// The newest event of the log.
    pub last_seq: i64,
    /// The oldest event of the log that is kept.
    pub first_kept: i64,
    /// When the first event was that still has to be sent.
    pub waiting_since: Option<OffsetDateTime>,
    /// When the target last took something.
    pub last_ok_at: Option<OffsetDateTime>,
    /// Since when it has taken nothing.
    pub failing_since: Option<OffsetDateTime>,
    /// Why not.
    pub last_error: Option<String>,
    /// Failed attempts since it last took something.
    pub attempts: i32,
    /// When it is tried next.
    pub due_at: OffsetDateTime,
    /// When somebody last sent a sample.
    pub tested_at: Option<OffsetDateTime>,
}

impl StreamView {
    /// How it is.
    pub fn health(&self) -> Health {
        match (self.state, self.failing_since) {
            (State::Paused, _) => Health::Paused,
            (State::Active, Some(since)) => Health::Failing(since),
            (State::Active, None) if self.waiting() > 0 => Health::Sending,
            (State::Active, None) => Health::UpToDate,
        }
    }

    /// How many events still have to be sent.
    pub fn waiting(&self) -> i64 {
        (self.last_seq + 1 - self.next_seq.max(self.first_kept)).max(0)
    }

    /// How many of the events that are kept the target was to have by now.
    pub fn due(&self) -> i64 {
        (self.last_seq + 1 - self.begin()).max(0)
    }

    /// How many of them it has. Of those that are not kept any more nobody knows: it may have got them while they were.
    pub fn delivered(&self) -> i64 {
        (self.next_seq - self.begin()).max(0)
    }

    /// Whether some of what it was to send is not kept any more.
    pub fn is_cut(&self) -> bool {
        self.first_kept > self.from_seq
    }

    /// The first and the last event that were removed from the log before the target had them, until it has those behind them.
    pub fn gone(&self) -> Option<(i64, i64)> {
        (self.next_seq < self.first_kept).then(|| (self.next_seq, self.first_kept - 1))
    }

    fn begin(&self) -> i64 {
        self.from_seq.max(self.first_kept)
    }
}

/// What a target said to a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Whether it took it.
    pub accepted: bool,
    /// What it said, escaped.
    pub said: String,
}
