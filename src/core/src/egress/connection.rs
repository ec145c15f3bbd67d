//! From a destination to a connection: resolved, looked at, connected to exactly there, over TLS.

use super::Destination;
use async_trait::async_trait;
use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Host;

/// How long all of it may take: resolving, connecting, sending, and the answer.
const WHOLE: Duration = Duration::from_secs(10);
/// How long one address may take to say that somebody is there.
const CONNECT: Duration = Duration::from_secs(3);
/// The most addresses of a name that are tried.
const TRIED: usize = 4;
/// The largest list of certificates, in bytes.
const PEM_MAX: usize = 16 * 1024;

/// Why nothing was sent, or no answer came. Says nothing of what lies in private networks: that a name leads there, and that
/// it leads nowhere, is one and the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The name leads nowhere, or to an address that nothing is sent to.
    #[error("the name leads to no address on the public internet")]
    NotPublic,
    /// Nobody took the connection.
    #[error("nobody takes the connection")]
    Unreachable,
    /// No encryption could be agreed on.
    #[error("{0}")]
    Tls(TlsFault),
    /// Not in good time.
    #[error("no answer within 10 seconds")]
    Timeout,
    /// They went away before all was said, or said what is no answer.
    #[error("the connection ended before the answer did")]
    Broken,
}

/// What was wrong with TLS, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// Its time is over, or has not come.
    #[error("the certificate has expired, or is not valid yet")]
    Expired,
    /// For another host.
    #[error("the certificate is for another name")]
    Name,
    /// From nobody that is trusted.
    #[error("the certificate comes from no authority that is trusted here")]
    Issuer,
    /// Called back by its issuer.
    #[error("the certificate was revoked")]
    Revoked,
    /// Wrong in another way.
    #[error("the certificate cannot be accepted")]
    Certificate,
    /// No version, no cipher in common; or no TLS at all.
    #[error("no TLS 1.2 or 1.3 could be agreed on")]
    Handshake,
}

impl From<&rustls::Error> for TlsFault {
    fn from(error: &rustls::Error) -> Self {
        let rustls::Error::InvalidCertificate(error) = error else { return Self::Handshake };
        match error {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Expired,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::Name,
            CertificateError::UnknownIssuer => Self::Issuer,
            CertificateError::Revoked => Self::Revoked,
            _ => Self::Certificate,
        }
    }
}

/// Where names lead. The system's resolver, but for tests.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// Every address of the name.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

struct System;

#[async_trait]
impl Resolve for System {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Whose certificates are accepted.
#[derive(Clone, Default)]
pub enum Trust {
    /// Those that browsers accept (Mozilla's list).
    #[default]
    Public,
    /// Those of the authorities given, and no others.
    Only(Arc<RootCertStore>),
}

/// What is wrong with a list of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is no list of certificates in PEM, each between BEGIN CERTIFICATE and END CERTIFICATE.")]
pub struct TrustError;

impl Trust {
    /// The authorities of a list in PEM (RFC 7468); of an empty text, the public ones.
    ///
    /// # Errors
    /// [`TrustError`] for what is no list of certificates.
    pub fn of_pem(text: &str) -> Result<Self, TrustError> {
        if text.trim().is_empty() {
            return Ok(Self::Public);
        }
        let mut roots = RootCertStore::empty();
        if text.len() > PEM_MAX {
            return Err(TrustError);
        }
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            roots.add(certificate.map_err(|_| TrustError)?).map_err(|_| TrustError)?;
        }
        if roots.is_empty() { Err(TrustError) } else { Ok(Self::Only(Arc::new(roots))) }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "Public",
            Self::Only(_) => "Only",
        })
    }
}

/// A connection, in the clear or not.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// The means to send something out. Cheap to clone.
#[derive(Clone)]
pub struct Egress {
    loopback: bool,
    resolver: Arc<dyn Resolve>,
    public: Arc<RootCertStore>,
    pub(super) whole: Duration,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("loopback", &self.loopback).finish_non_exhaustive()
    }
}

impl Egress {
    /// To the public internet only.
    pub fn to_public() -> Self {
        let public = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self { loopback: false, resolver: Arc::new(System), public: Arc::new(public), whole: WHOLE }
    }

    /// To this machine as well: for a server in its default mode, which is somebody's own.
    pub fn to_loopback_too(self) -> Self {
        Self { loopback: true, ..self }
    }

    /// The same, with names that lead where a test wants.
    #[cfg(test)]
    pub(crate) fn resolving(self, resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, ..self }
    }

    /// The same, in less time.
    #[cfg(test)]
    pub(crate) fn within(self, whole: Duration) -> Self {
        Self { whole, ..self }
    }

    pub(super) fn reaches_loopback(&self) -> bool {
        self.loopback
    }

    /// A connection to the destination, over TLS. `protocol` is what it is for (RFC 7301), if that has a name.
    ///
    /// # Errors
    /// [`EgressError`]. No limit of time is kept here but that of each address: whoever calls has one for the whole.
    pub(super) async fn connect(
        &self,
        to: &Destination,
        trust: &Trust,
        protocol: Option<&[u8]>,
    ) -> Result<Box<dyn Wire>, EgressError> {
        let stream = self.reach(to).await?;
        if to.is_plain {
            return Ok(Box::new(stream));
        }
        let name = match &to.host {
            Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| EgressError::NotPublic)?,
            Host::Ipv4(address) => ServerName::from(IpAddr::from(*address)),
            Host::Ipv6(address) => ServerName::from(IpAddr::from(*address)),
        };
        let connector = TlsConnector::from(Arc::new(self.tls(trust, protocol)?));
        let wire = connector.connect(name, stream).await.map_err(|error| EgressError::Tls(fault(&error)))?;
        Ok(Box::new(wire))
    }

    fn tls(&self, trust: &Trust, protocol: Option<&[u8]>) -> Result<ClientConfig, EgressError> {
        let roots = match trust {
            Trust::Public => self.public.clone(),
            Trust::Only(roots) => roots.clone(),
        };
        let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| EgressError::Tls(TlsFault::Handshake))?;
        let mut config = versions.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocol.map(<[u8]>::to_vec).into_iter().collect();
        Ok(config)
    }

    /// To one of the addresses that were looked at, and to no other.
    async fn reach(&self, to: &Destination) -> Result<TcpStream, EgressError> {
        for address in self.addresses(to).await?.into_iter().take(TRIED) {
            let Ok(Ok(stream)) = timeout(CONNECT, TcpStream::connect(address)).await else { continue };
            if stream.peer_addr().is_ok_and(|peer| peer == address) && stream.set_nodelay(true).is_ok() {
                return Ok(stream);
            }
        }
        Err(EgressError::Unreachable)
    }

    /// Where the destination is. One address that is not allowed is enough to refuse all of them.
    pub(super) async fn addresses(&self, to: &Destination) -> Result<Vec<SocketAddr>, EgressError> {
        let found = match &to.host {
            Host::Ipv4(address) => vec![IpAddr::from(*address)],
            Host::Ipv6(address) => vec![IpAddr::from(*address)],
            Host::Domain(name) => self.resolver.resolve(name).await.map_err(|_| EgressError::NotPublic)?,
        };
        let allowed = |address: &IpAddr| self.allows(*address) && (!to.is_plain || address.is_loopback());
        if found.is_empty() || !found.iter().all(allowed) {
            return Err(EgressError::NotPublic);
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, to.port)).collect())
    }
}

/// What rustls says lies inside of what tokio-rustls says.
fn fault(error: &io::Error) -> TlsFault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    inner.map_or(TlsFault::Handshake, TlsFault::from)
}
