//! One request and its answer, on a connection of its own.

use super::{Destination, Egress, EgressError, Trust, WebAddress};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
    time::timeout,
};

/// The most that is read of an answer, in bytes. What comes after it is not waited for.
const ANSWER_MAX: usize = 64 * 1024;
/// The most that is kept of an answer, in characters.
pub const EXCERPT_MAX: usize = 1024;
/// The most headers of an answer, and the largest of them together in bytes.
const HEADERS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// A request on its way out.
#[derive(Clone)]
pub struct Outgoing {
    /// To where.
    pub to: WebAddress,
    /// `POST` or `PUT`.
    pub method: Method,
    /// Its headers, without `host` and `content-length`.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Whose certificates are accepted.
    pub trust: Trust,
}

/// What was answered. Comes from a stranger: nothing in it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status (RFC 9110).
    pub status: u16,
    /// How long to wait before the next attempt, if that was said in seconds (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
    /// The beginning of the body, at most 64 KiB.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether it was accepted.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The beginning of the body as one line that can be shown: without these secrets, which a target may send back, and with
    /// everything escaped that does not print, or would turn the line around.
    pub fn excerpt(&self, secrets: &[&str]) -> String {
        let mut text = String::from_utf8_lossy(&self.body).trim().to_owned();
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, "…");
        }
        let mut excerpt = String::new();
        for letter in text.chars() {
            let shown = match letter {
                '"' | '\'' => letter.to_string(),
                letter => letter.escape_debug().to_string(),
            };
            if excerpt.chars().count() + shown.chars().count() > EXCERPT_MAX {
                break;
            }
            excerpt.push_str(&shown);
        }
        excerpt
    }
}

impl Egress {
    /// Sends a request and reads the answer, whatever its status. Redirects are answers like any other.
    ///
    /// # Errors
    /// [`EgressError`] when there is no answer within 10 seconds, for whatever reason.
    pub async fn send(&self, request: &Outgoing) -> Result<Answer, EgressError> {
        timeout(self.whole, self.exchange(request)).await.map_err(|_| EgressError::Timeout)?
    }

    async fn exchange(&self, outgoing: &Outgoing) -> Result<Answer, EgressError> {
        let request = request(outgoing)?;
        let wire = self.connect(outgoing.to.destination(), &outgoing.trust, Some(b"http/1.1")).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_buf_size(HEADER_BYTES_MAX)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|_| EgressError::Broken)?;
        // Ends with this function, whatever else happens.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let response = sender.send_request(request).await.map_err(|_| EgressError::Broken)?;
        answer(response).await
    }

    /// Sends bytes to whoever gives no answer, and waits until they have read all of it: their side ends after ours.
    ///
    /// # Errors
    /// [`EgressError`], also when their side does not end within 10 seconds: then it is not known what they have.
    pub async fn pour(&self, to: &Destination, trust: &Trust, bytes: &[u8]) -> Result<(), EgressError> {
        let poured = async {
            let mut wire = self.connect(to, trust, None).await?;
            wire.write_all(bytes).await.map_err(|_| EgressError::Broken)?;
            wire.shutdown().await.map_err(|_| EgressError::Broken)?;
            let mut rest = wire.take(ANSWER_MAX as u64);
            match tokio::io::copy(&mut rest, &mut tokio::io::sink()).await {
                // Some leave without the goodbye of TLS. They were not cut off: a reset would be another error.
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(EgressError::Broken),
                _ => Ok(()),
            }
        };
        timeout(self.whole, poured).await.map_err(|_| EgressError::Timeout)?
    }
}

fn request(outgoing: &Outgoing) -> Result<Request<Full<Bytes>>, EgressError> {
    let url = outgoing.to.url();
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match url.port() {
        Some(port) => format!("{}:{port}", outgoing.to.destination().host),
        None => outgoing.to.destination().host.to_string(),
    };
    let mut request = Request::builder()
        .method(outgoing.method.clone())
        .uri(path)
        .body(Full::new(outgoing.body.clone()))
        .map_err(|_| EgressError::Broken)?;
    *request.headers_mut() = outgoing.headers.clone();
    let host = HeaderValue::from_str(&host).map_err(|_| EgressError::Broken)?;
    request.headers_mut().insert(header::HOST, host);
    Ok(request)
}

async fn answer(response: Response<Incoming>) -> Result<Answer, EgressError> {
    let (head, mut rest) = response.into_parts();
    let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = vec![];
    while body.len() < ANSWER_MAX {
        let Some(frame) = rest.frame().await else { break };
        let Ok(data) = frame.map_err(|_| EgressError::Broken)?.into_data() else { break };
        let left = ANSWER_MAX - body.len();
        body.extend_from_slice(&data[..data.len().min(left)]);
    }
    Ok(Answer { status: head.status.as_u16(), retry_after: retry_after.map(Duration::from_secs), body })
}
