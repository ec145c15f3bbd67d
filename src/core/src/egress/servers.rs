//! Servers that tests send to: on this machine, with certificates of an authority made for the test.

use super::{Egress, Resolve, Trust};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::{
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};
use time::OffsetDateTime;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// The name that test servers have.
pub const NAME: &str = "siem.example.com";

/// An authority that only the test knows.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, uuid::Uuid::new_v4().to_string());
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub fn trust(&self) -> Trust {
        Trust::of_pem(&self.pem).expect("an authority")
    }

    /// Speaks TLS under this name.
    pub fn acceptor(&self, name: &str) -> TlsAcceptor {
        self.acceptor_until(name, OffsetDateTime::now_utc() + time::Duration::DAY)
    }

    pub fn acceptor_until(&self, name: &str, until: OffsetDateTime) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        (params.not_before, params.not_after) = (until - time::Duration::days(30), until);
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.issuer).expect("signed").into();
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a configuration");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// What a server was sent.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// What a server answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status and a body.
    With(u16, String),
    /// A status, a header and no body.
    Header(u16, &'static str, &'static str),
    /// Nothing, ever.
    Never,
}

/// A server on this machine.
pub struct Server {
    pub port: u16,
    received: watch::Receiver<Vec<Received>>,
    answering: Answering,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    /// Answers every request so; over TLS, if there is an acceptor.
    pub async fn start(tls: Option<TlsAcceptor>, reply: impl Fn(&Received) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (told, received) = watch::channel(vec![]);
        let answering: Answering = Arc::new(Mutex::new(Box::new(reply)));
        let serving = tokio::spawn(serve(listener, tls, Arc::new(told), answering.clone()));
        Self { port, received, answering, serving }
    }

    /// Accepts everything.
    pub async fn accepting(tls: Option<TlsAcceptor>) -> Self {
        Self::start(tls, |_| Reply::With(200, "ok".into())).await
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, reply: impl Fn(&Received) -> Reply + Send + 'static) {
        *self.answering.lock().expect("not poisoned") = Box::new(reply);
    }

    /// All that was received.
    pub fn received(&self) -> Vec<Received> {
        self.received.borrow().clone()
    }

    /// Waits until so many requests were received.
    pub async fn has(&self, count: usize) -> Vec<Received> {
        let mut received = self.received.clone();
        received.wait_for(|all| all.len() >= count).await.expect("the server goes on").clone()
    }

    /// Its address, under a name or an address.
    pub fn url(&self, scheme: &str, host: &str, path: &str) -> String {
        format!("{scheme}://{host}:{}{path}", self.port)
    }
}

type Answering = Arc<Mutex<Box<dyn Fn(&Received) -> Reply + Send>>>;
type Told = Arc<watch::Sender<Vec<Received>>>;

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, told: Told, answering: Answering) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, told, answering) = (tls.clone(), told.clone(), answering.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, told, answering).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, told, answering).await;
                    }
                }
            }
        });
    }
}

async fn converse(stream: impl super::Wire + 'static, told: Told, answering: Answering) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (told, answering) = (told.clone(), answering.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let received =
                Received { method: head.method.to_string(), path: head.uri.to_string(), headers: head.headers, body };
            let reply = answering.lock().expect("not poisoned")(&received);
            told.send_modify(|all| all.push(received));
            let answer = match reply {
                Reply::With(status, body) => Response::builder().status(status).body(Full::new(Bytes::from(body))),
                Reply::Header(status, name, value) => {
                    Response::builder().status(status).header(name, value).body(Full::default())
                }
                Reply::Never => std::future::pending().await,
            };
            Ok::<_, Infallible>(answer.expect("an answer"))
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Names that lead where a test wants: each question takes the next answer, the last one stays.
pub struct Names(Mutex<Vec<Vec<IpAddr>>>);

impl Names {
    pub fn leading(answers: &[&[&str]]) -> Arc<Self> {
        let parsed = |answer: &&[&str]| answer.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(Self(Mutex::new(answers.iter().rev().map(parsed).collect())))
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().expect("not poisoned");
        let next = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        next.ok_or_else(|| io::Error::other("no such name"))
    }
}

/// Reaches test servers: every name leads to this machine.
pub fn to_here() -> Egress {
    Egress::to_public().to_loopback_too().resolving(Names::leading(&[&["127.0.0.1"]]))
}

/// Somebody who takes connections and counts the bytes that come in; nothing must arrive here.
pub struct Canary {
    pub port: u16,
    seen: Arc<Mutex<usize>>,
    serving: JoinHandle<()>,
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Canary {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(0));
        let connections = seen.clone();
        let serving = tokio::spawn(async move {
            while let Ok((_stream, _)) = listener.accept().await {
                *connections.lock().expect("not poisoned") += 1;
            }
        });
        Self { port, seen, serving }
    }

    /// How many connections it took, after one of our own that shows it is awake.
    pub async fn connections(&self) -> usize {
        let before = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.expect("the canary listens");
        drop(before);
        loop {
            let seen = *self.seen.lock().expect("not poisoned");
            if seen > 0 {
                return seen - 1;
            }
            tokio::task::yield_now().await;
        }
    }
}
