//! Where something is to be sent, as somebody typed it. What is wrong with it without asking anybody is said here.

use super::{Egress, is_public};
use std::{fmt, net::IpAddr};
use url::{Host, Url};

/// The longest address, in bytes.
const LONGEST: usize = 512;

/// What is wrong with a typed address, and what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// No address of the web.
    #[error("This is no address such as https://siem.example.com/path.")]
    NoAddress,
    /// No host with a port.
    #[error("This is no host with a port, such as logs.example.com:6514.")]
    NoHostAndPort,
    /// In the clear.
    #[error("The address has to begin with https://. What is sent in the clear can be read by whoever is between.")]
    Plain,
    /// A name and a password in it, or a fragment.
    #[error("An address has no name, no password and no # in it. Secrets have a field of their own.")]
    Extras,
    /// A host that is not a whole name.
    #[error("The host has to be a whole name such as siem.example.com, without a dot at its end.")]
    Name,
    /// A port of something else.
    #[error("The port has to be 443, or 1024 and above.")]
    Port,
    /// Not on the public internet.
    #[error("This address is not on the public internet. Nothing is sent into private networks, or to this machine.")]
    NotPublic,
}

/// A host and a port.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    pub(super) host: Host<String>,
    pub(super) port: u16,
    /// Without TLS: to this machine only.
    pub(super) is_plain: bool,
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// An address of the web, with where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress {
    url: Url,
    destination: Destination,
}

impl WebAddress {
    /// The address, as the parser has it.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where it leads.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The same host, with another path and query.
    pub fn at(&self, path: &str, query: Option<&str>) -> Self {
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(query);
        Self { url, destination: self.destination.clone() }
    }
}

impl Egress {
    /// Reads an address of the web (WHATWG URL). Nobody is asked yet where its name leads.
    ///
    /// # Errors
    /// [`DestinationError`], a sentence for whoever typed it.
    pub fn web(&self, text: &str) -> Result<WebAddress, DestinationError> {
        let text = text.trim();
        // Parsers do not agree on what these mean, so they mean nothing.
        if text.len() > LONGEST || text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\') {
            return Err(DestinationError::NoAddress);
        }
        let url = Url::parse(text).map_err(|_| DestinationError::NoAddress)?;
        let host = url.host().ok_or(DestinationError::NoAddress)?.to_owned();
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() || text.contains('@') {
            return Err(DestinationError::Extras);
        }
        let is_plain = match url.scheme() {
            "https" => false,
            "http" if self.reaches_loopback() && is_this_machine(&host) => true,
            "http" => return Err(DestinationError::Plain),
            _ => return Err(DestinationError::NoAddress),
        };
        let port = url.port_or_known_default().ok_or(DestinationError::NoAddress)?;
        let destination = self.checked(Destination { host, port, is_plain })?;
        Ok(WebAddress { url, destination })
    }

    /// Reads a host with a port, which speaks TLS.
    ///
    /// # Errors
    /// [`DestinationError`], a sentence for whoever typed it.
    pub fn host(&self, text: &str) -> Result<Destination, DestinationError> {
        let (host, port) = text.trim().rsplit_once(':').ok_or(DestinationError::NoHostAndPort)?;
        let port: u16 = port.parse().map_err(|_| DestinationError::NoHostAndPort)?;
        if host.is_empty() || host.len() > LONGEST || host.contains(['/', '?', '#', '@', '\\']) {
            return Err(DestinationError::NoHostAndPort);
        }
        // The same rules for the same hosts, in whatever way they are typed.
        let web = self.web(&format!("https://{host}:{port}/")).map_err(|error| match error {
            DestinationError::NoAddress | DestinationError::Extras => DestinationError::NoHostAndPort,
            error => error,
        })?;
        Ok(web.destination)
    }

    fn checked(&self, destination: Destination) -> Result<Destination, DestinationError> {
        match &destination.host {
            Host::Ipv4(address) if !self.allows((*address).into()) => return Err(DestinationError::NotPublic),
            Host::Ipv6(address) if !self.allows((*address).into()) => return Err(DestinationError::NotPublic),
            Host::Domain(name) if is_local_name(name) && !self.reaches_loopback() => {
                return Err(DestinationError::NotPublic);
            }
            Host::Domain(name) if !is_local_name(name) && !is_whole(name) => return Err(DestinationError::Name),
            _ => {}
        }
        if destination.port != 443 && destination.port < 1024 {
            return Err(DestinationError::Port);
        }
        Ok(destination)
    }

    /// Whether something may be sent to this address.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || (self.reaches_loopback() && address.is_loopback())
    }
}

fn is_this_machine(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// RFC 6761 §6.3: these names lead to the machine itself, whatever a name server says.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// A name that means the same to every resolver: with a dot inside, and none at its end.
fn is_whole(name: &str) -> bool {
    name.contains('.') && !name.ends_with('.') && name.split('.').all(|label| !label.is_empty() && label.len() <= 63)
}
