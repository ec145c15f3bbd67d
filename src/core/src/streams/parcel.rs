//! A batch as each kind of target wants it, and what its answer means.

use super::{
    Target, Way,
    batch::{Batch, Item},
    signing::{self, ToS3},
    syslog,
};
use crate::{
    AppError, Ctx,
    audit_log::visible_json,
    egress::{Answer, Destination, DestinationError, EgressError, Outgoing, Trust, WebAddress},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;
use url::Url;
use zeroize::Zeroizing;

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// Who gets it, with the secret in the clear.
pub(super) struct Recipient {
    pub target: Target,
    pub authorities: String,
    pub secret: Option<Zeroizing<String>>,
}

/// Why a batch was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The address may not be sent to any more, or never might.
    #[error("{0}")]
    Address(#[from] DestinationError),
    /// No answer.
    #[error("{0}.")]
    Egress(#[from] EgressError),
    /// An answer that is no yes: the status, and what was said, escaped.
    #[error("It answered {status}{}", quoted(.said))]
    Refused { status: u16, said: String, wait: Option<Duration> },
    /// Some of it was not taken: what came of the first, and how many they are.
    #[error("It did not take {count} of {of} documents, the first with {status}{}", quoted(.said))]
    Partly { count: usize, of: usize, status: u16, said: String },
    /// Ours.
    #[error("It could not be put together: look at the secret and the authorities.")]
    Ours,
    /// The stored secret does not open, with the key at hand: another one can be sealed.
    #[error("The secret of this stream cannot be opened here. Make a new one, or type it again where the stream goes.")]
    Unopened,
    /// The key that opens the secret cannot be had, and none other can be sealed. It may come back, so it is no lasting failure.
    #[error("The key of this stream's secret cannot be had. Whoever runs this server finds in its log why.")]
    KeyAway,
}

fn quoted(said: &str) -> String {
    if said.is_empty() { ".".into() } else { format!(": {said}") }
}

impl From<AppError> for Failure {
    fn from(_: AppError) -> Self {
        Self::Ours
    }
}

impl Failure {
    /// Whether it will not heal by itself: somebody has to look.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Refused { status, .. } => [401, 403, 404, 410].contains(status),
            Self::Address(_) | Self::Ours | Self::Unopened => true,
            Self::Egress(_) | Self::Partly { .. } | Self::KeyAway => false,
        }
    }

    /// As the log has it, a word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unopened | Self::KeyAway => "not_opened",
            _ => "not_taken",
        }
    }

    /// How long the target wants to be left alone.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Refused { wait, .. } => *wait,
            _ => None,
        }
    }
}

enum Parcel {
    Request(Box<Outgoing>),
    Bytes { to: Destination, trust: Trust, bytes: Vec<u8> },
}

impl Recipient {
    /// Sends a batch. What the target said, escaped, once it has all of it.
    pub async fn take(&self, ctx: &Ctx, batch: &Batch) -> Result<String, Failure> {
        match self.parcel(ctx, batch)? {
            Parcel::Request(request) => self.judge(&ctx.egress.send(&request).await?, batch),
            Parcel::Bytes { to, trust, bytes } => {
                ctx.egress.pour(&to, &trust, &bytes).await?;
                Ok("It has read all of it.".into())
            }
        }
    }

    fn parcel(&self, ctx: &Ctx, batch: &Batch) -> Result<Parcel, Failure> {
        let trust = Trust::of_pem(&self.authorities).map_err(|_| Failure::Ours)?;
        let now = ctx.clock.now();
        let web = match self.target.way(&ctx.egress)? {
            Way::Web(web) => web,
            Way::Host(to) => {
                return Ok(Parcel::Bytes { to, trust, bytes: syslog::frames(&host_of(&ctx.origin), &batch.items) });
            }
        };
        let (method, to, headers, body) = match &self.target {
            Target::Https { .. } => self.signed(web, batch, now)?,
            Target::Splunk { index, .. } => self.to_splunk(web, index, batch)?,
            Target::Elastic { index, .. } => self.to_elastic(&web, index, batch)?,
            Target::Datadog { .. } => self.to_datadog(web, batch)?,
            Target::S3 { bucket, region, prefix, access_key, .. } => {
                self.to_s3(&web, bucket, region, (prefix, access_key), batch, now)?
            }
            Target::Syslog { .. } => return Err(Failure::Ours),
        };
        Ok(Parcel::Request(Box::new(Outgoing { to, method, headers, body, trust })))
    }

    fn secret(&self) -> Result<&str, Failure> {
        self.secret.as_ref().map(|secret| secret.as_str()).ok_or(Failure::Ours)
    }

    /// Lines of JSON, signed.
    fn signed(&self, to: WebAddress, batch: &Batch, now: OffsetDateTime) -> Result<Made, Failure> {
        let body = batch.lines();
        let mut headers = headers(NDJSON);
        put(&mut headers, "webhook-id", &batch.id)?;
        put(&mut headers, "webhook-timestamp", &now.unix_timestamp().to_string())?;
        put(&mut headers, "webhook-signature", &signing::webhook(self.secret()?, &batch.id, now, body.as_bytes())?)?;
        Ok((Method::POST, to, headers, body.into()))
    }

    /// https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector
    fn to_splunk(&self, to: WebAddress, index: &str, batch: &Batch) -> Result<Made, Failure> {
        let one = |item: &Item| {
            let mut event = json!({
                "time": seconds(item.at), "source": "send0", "sourcetype": "send0:audit", "event": item.json,
            });
            if !index.is_empty() {
                event["index"] = index.into();
            }
            visible_json(&event)
        };
        let body: String = batch.items.iter().map(one).collect();
        let mut headers = headers(JSON);
        secretly(&mut headers, "authorization", &format!("Splunk {}", self.secret()?))?;
        Ok((Method::POST, or_default(to, "/services/collector/event"), headers, body.into()))
    }

    /// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk: what is there already is not written again.
    fn to_elastic(&self, to: &WebAddress, index: &str, batch: &Batch) -> Result<Made, Failure> {
        let mut body = String::new();
        for item in &batch.items {
            let mut document = item.json.clone();
            document["@timestamp"] = document["time"].clone();
            body.push_str(&format!("{}\n{}\n", json!({ "create": { "_id": item.id } }), visible_json(&document)));
        }
        let path = format!("{}/{index}/_bulk", to.url().path().trim_end_matches('/'));
        // No more of the answer than what is looked at.
        let to = to.at(&path, Some("filter_path=errors,items.create.status,items.create.error.type"));
        let mut headers = headers(NDJSON);
        secretly(&mut headers, "authorization", &format!("ApiKey {}", self.secret()?))?;
        Ok((Method::POST, to, headers, body.into()))
    }

    /// https://docs.datadoghq.com/api/latest/logs/#send-logs
    fn to_datadog(&self, to: WebAddress, batch: &Batch) -> Result<Made, Failure> {
        let one = |item: &Item| json!({ "ddsource": "send0", "service": "send0", "message": item.text });
        let body = Value::Array(batch.items.iter().map(one).collect()).to_string();
        let mut headers = headers(JSON);
        secretly(&mut headers, "dd-api-key", self.secret()?)?;
        Ok((Method::POST, or_default(to, "/api/v2/logs"), headers, body.into()))
    }

    /// The same batch is the same object: written twice, it is there once.
    fn to_s3(
        &self,
        to: &WebAddress,
        bucket: &str,
        region: &str,
        (prefix, access_key): (&str, &str),
        batch: &Batch,
        at: OffsetDateTime,
    ) -> Result<Made, Failure> {
        let body = batch.lines();
        let path = format!("/{bucket}/{prefix}{}/{}", batch.workspace, batch.name);
        let to = to.at(&path, None);
        let host = authority(to.url());
        let secret = self.secret()?;
        let signed = ToS3 { host: &host, path: &path, region, access_key, secret, body: body.as_bytes(), at };
        let mut headers = headers(NDJSON);
        for (name, value) in signing::put_to_s3(&signed) {
            put(&mut headers, name, &value)?;
        }
        Ok((Method::PUT, to, headers, body.into()))
    }

    /// Whether the answer says that the target has all of it.
    fn judge(&self, answer: &Answer, batch: &Batch) -> Result<String, Failure> {
        let secret: Vec<&str> = self.secret.iter().map(|secret| secret.as_str()).collect();
        let said = answer.excerpt(&secret);
        if !answer.is_success() {
            return Err(Failure::Refused { status: answer.status, said, wait: answer.retry_after });
        }
        if let Target::Elastic { .. } = self.target {
            all_created(answer, batch)?;
        }
        let status = answer.status;
        Ok(if said.is_empty() { format!("It answered {status}.") } else { format!("It answered {status}: {said}") })
    }
}

type Made = (Method, WebAddress, HeaderMap, Bytes);

fn headers(content: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("send0-streams/1"));
    headers
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), Failure> {
    let value = HeaderValue::from_str(value).map_err(|_| Failure::Ours)?;
    headers.insert(HeaderName::from_static(name), value);
    Ok(())
}

fn secretly(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| Failure::Ours)?;
    value.set_sensitive(true);
    headers.insert(HeaderName::from_static(name), value);
    Ok(())
}

/// Whoever typed only a host means where this is usually found.
fn or_default(to: WebAddress, path: &str) -> WebAddress {
    if to.url().path() == "/" { to.at(path, to.url().query()) } else { to }
}

/// Seconds since 1970 with microseconds, as an exact number.
fn seconds(at: OffsetDateTime) -> Value {
    let text = format!("{}.{:06}", at.unix_timestamp(), at.microsecond());
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// Host, and port where it is not the usual one, as the `host` header has them.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn host_of(origin: &str) -> String {
    Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "-".into())
}

#[derive(Deserialize)]
struct Bulk {
    errors: bool,
    #[serde(default)]
    items: Vec<BulkItem>,
}

#[derive(Deserialize)]
struct BulkItem {
    create: BulkResult,
}

#[derive(Deserialize)]
struct BulkResult {
    status: u16,
    #[serde(default)]
    error: Option<BulkError>,
}

#[derive(Deserialize)]
struct BulkError {
    #[serde(rename = "type")]
    kind: String,
}

/// A bulk request is answered with 200 whatever became of it. What was there before (409) is what was wanted.
fn all_created(answer: &Answer, batch: &Batch) -> Result<(), Failure> {
    let no_answer =
        || Failure::Refused { status: answer.status, said: "no answer of a bulk request".into(), wait: None };
    let bulk: Bulk = serde_json::from_slice(&answer.body).map_err(|_| no_answer())?;
    if !bulk.errors {
        return Ok(());
    }
    let refused: Vec<BulkResult> = bulk
        .items
        .into_iter()
        .map(|item| item.create)
        .filter(|created| !(200..300).contains(&created.status) && created.status != 409)
        .collect();
    let Some(first) = refused.first() else { return Ok(()) };
    let kind = first.error.as_ref().map(|error| error.kind.clone()).unwrap_or_default();
    let said = Answer { status: 200, retry_after: None, body: kind.into_bytes() }.excerpt(&[]);
    Err(Failure::Partly { count: refused.len(), of: batch.items.len(), status: first.status, said })
}
