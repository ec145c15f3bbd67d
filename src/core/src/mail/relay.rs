//! The mail relay: somebody's SMTP server, reached over TLS, or in the clear on this machine only.

use super::Letter;
use crate::ids::MailId;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{self, AsyncSmtpTransportBuilder},
};
use std::{fmt, net::IpAddr, time::Duration};
use tokio::time::timeout;
use url::{Host, Url};

/// How long each step of a conversation may take, and the whole of it.
const STEP: Duration = Duration::from_secs(20);
const WHOLE: Duration = Duration::from_secs(60);

/// What is wrong with the relay's address. Never repeats it: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// No address of a relay at all.
    #[error(
        "not an address such as smtps://user:password@mail.example.com or smtp://mail.example.com:587?tls=required."
    )]
    Address,
    /// In the clear, to another machine.
    #[error(
        "a relay on another machine needs smtps://, or smtp:// with ?tls=required. Anything weaker can be read by whoever is between."
    )]
    Plain,
    /// The sender is no address.
    #[error("not a sender such as security@example.com or Acme security <security@example.com>.")]
    Sender,
}

/// Where the relay is and who sends, as configured.
#[derive(Clone)]
pub struct RelayAddress {
    builder: AsyncSmtpTransportBuilder,
    sender: Mailbox,
}

impl fmt::Debug for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayAddress").field("sender", &self.sender).finish_non_exhaustive()
    }
}

impl RelayAddress {
    /// Reads both.
    ///
    /// # Errors
    /// [`RelayError`], which says what would be right.
    pub fn parse(address: &str, sender: &str) -> Result<Self, RelayError> {
        let url = Url::parse(address).map_err(|_| RelayError::Address)?;
        let host = url.host().ok_or(RelayError::Address)?;
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        match (url.scheme(), tls.as_deref()) {
            ("smtps", _) | ("smtp", Some("required")) => {}
            ("smtp", None) if is_loopback(&host) => {}
            ("smtp", None | Some("opportunistic")) => return Err(RelayError::Plain),
            _ => return Err(RelayError::Address),
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(address).map_err(|_| RelayError::Address)?;
        let sender = sender.parse().map_err(|_| RelayError::Sender)?;
        Ok(Self { builder: builder.timeout(Some(STEP)), sender })
    }
}

/// No scheme of the web: the parser leaves an IP address as the text that it is.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// Why a letter was not taken. Holds nothing that the relay said: that may name people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The row does not open, or not now.
    #[error("does not open")]
    Sealed,
    /// It cannot be written as a mail.
    #[error("cannot be written as a mail")]
    Letter,
    /// The relay refused it with this code (RFC 5321 §4.2).
    #[error("refused with {0}")]
    Refused(u16),
    /// No encryption could be agreed on.
    #[error("no TLS")]
    Tls,
    /// No answer in good time.
    #[error("no answer in time")]
    Timeout,
    /// Nobody is there, or they went away.
    #[error("not reached")]
    Unreachable,
}

impl DeliveryError {
    /// Whether it would go the same way again: the letter itself was refused for good (RFC 5321 §4.2.1). That the relay does
    /// not let us in is no fault of the letter.
    pub(super) fn is_final(self) -> bool {
        match self {
            Self::Refused(code) => code >= 500 && ![530, 534, 535, 538].contains(&code),
            Self::Letter => true,
            _ => false,
        }
    }
}

impl From<smtp::Error> for DeliveryError {
    fn from(error: smtp::Error) -> Self {
        match error.status() {
            Some(code) => Self::Refused(code.into()),
            None if error.is_timeout() => Self::Timeout,
            None if error.is_tls() => Self::Tls,
            None => Self::Unreachable,
        }
    }
}

/// The relay, with the connections that are open to it.
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
}

impl Relay {
    /// Connects when there is something to send. Needs a Tokio runtime.
    pub fn new(address: &RelayAddress) -> Self {
        Self { transport: address.builder.clone().build(), sender: address.sender.clone() }
    }

    /// Whether it answers, and lets us in.
    ///
    /// # Errors
    /// [`DeliveryError`], as when a letter is sent.
    pub async fn answers(&self) -> Result<(), DeliveryError> {
        let answered = timeout(WHOLE, self.transport.test_connection()).await;
        if answered.map_err(|_| DeliveryError::Timeout)?? { Ok(()) } else { Err(DeliveryError::Unreachable) }
    }

    /// Returns when the relay has taken the letter.
    pub(super) async fn send(
        &self,
        id: MailId,
        letter: &Letter,
        unsubscribe: Option<&str>,
    ) -> Result<(), DeliveryError> {
        let message = self.message(id, letter, unsubscribe)?;
        let sent = timeout(WHOLE, self.transport.send(message)).await;
        sent.map_err(|_| DeliveryError::Timeout)??;
        Ok(())
    }

    fn message(&self, id: MailId, letter: &Letter, unsubscribe: Option<&str>) -> Result<Message, DeliveryError> {
        letter.check().map_err(|_| DeliveryError::Letter)?;
        let to = letter.to.parse().map_err(|_| DeliveryError::Letter)?;
        // Sent twice, it is the same mail: a relay that took it may have gone away before it said so.
        let message_id = format!("<{id}@{}>", self.sender.email.domain());
        let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        let mut message = Message::builder();
        if let Some(address) = unsubscribe {
            message = message
                .raw_header(header("List-Unsubscribe", &format!("<{address}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        message
            .from(self.sender.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .message_id(Some(message_id))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .multipart(MultiPart::alternative_plain_html(letter.as_text(), letter.as_html()))
            .map_err(|_| DeliveryError::Letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: &str = "security@send0.dev";

    #[test]
    fn nothing_leaves_the_machine_in_the_clear() {
        for accepted in [
            "smtps://mail.example.com",
            "smtps://user:p%40ss@mail.example.com:465",
            "smtp://mail.example.com:587?tls=required",
            "smtp://localhost:1025",
            "smtp://127.0.0.1:1025",
            "smtp://[::1]:1025",
        ] {
            assert!(RelayAddress::parse(accepted, SENDER).is_ok(), "{accepted}");
        }
        for plain in [
            "smtp://mail.example.com",
            "smtp://mail.example.com?tls=opportunistic",
            "smtp://localhost?tls=opportunistic",
            "smtp://localhost.evil.example",
            "smtp://localhost@evil.example",
            "smtp://127.0.0.1.evil.example",
            "smtp://10.0.0.1",
        ] {
            assert_eq!(RelayAddress::parse(plain, SENDER).err(), Some(RelayError::Plain), "{plain}");
        }
        for wrong in ["mail.example.com", "https://mail.example.com", "smtp://", "smtp://a?tls=maybe", ""] {
            assert_eq!(RelayAddress::parse(wrong, SENDER).err(), Some(RelayError::Address), "{wrong}");
        }
        assert!(RelayAddress::parse("smtps://a.example", "Acme security <security@acme.example>").is_ok());
        for sender in ["nobody", "a@b.example\r\nBcc: c@d.example", ""] {
            assert_eq!(RelayAddress::parse("smtps://a.example", sender).err(), Some(RelayError::Sender), "{sender:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let address = RelayAddress::parse("smtps://user:hunter2@mail.example.com", SENDER).expect("an address");
        assert!(!format!("{address:?}").contains("hunter2"));
        let refused = RelayAddress::parse("smtp://user:hunter2@mail.example.com", SENDER).expect_err("plain");
        assert!(!refused.to_string().contains("hunter2"));
    }
}
