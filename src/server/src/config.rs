//! What the environment and the command line say, and what is wrong with it, in plain words.

use crate::{postgres, web::TrustedProxies};
use send0_core::{
    database::Logins,
    mail::{RelayAddress, RelayError},
};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

/// Where PostgreSQL is.
#[derive(Clone, Debug)]
pub enum Where {
    /// Our own, in the data directory.
    Embedded,
    /// Somebody else's.
    Foreign(Box<Foreign>),
}

/// A server that we did not start.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// For the running server.
    pub logins: Logins,
    /// For migrations, if given.
    pub migrator: Option<PgConnectOptions>,
}

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// Key file, our own PostgreSQL.
    pub data: PathBuf,
    /// The key file, when it does not lie in the data directory.
    pub key_file: Option<PathBuf>,
    /// Where to listen.
    pub listen: String,
    /// The origin that people see, when it is not where we listen.
    pub origin: Option<String>,
    /// The proxies whose word is taken for where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// Where PostgreSQL is.
    pub database: Where,
    /// Who takes our mail; without one it ends up in the local mailbox.
    pub relay: Option<RelayAddress>,
}

/// What is wrong, and what would be right.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

const KNOWN: [&str; 14] = [
    "SEND0_DATABASE_URL",
    "SEND0_DATABASE_URL_AUDITOR",
    "SEND0_DATABASE_URL_AUTH",
    "SEND0_DATABASE_URL_MIGRATOR",
    "SEND0_DATABASE_URL_WORKER",
    "SEND0_DATA",
    "SEND0_KEY_FILE",
    "SEND0_LISTEN",
    "SEND0_MAIL_FROM",
    "SEND0_PUBLIC_ORIGIN",
    "SEND0_SMTP_URL",
    "SEND0_TRUSTED_PROXIES",
    // Read by the tests of this repository.
    "SEND0_TEST_POSTGRES",
    "SEND0_TEST_ROUNDS",
];

/// Where to listen when nothing is said: by name, because an IP address cannot hold a passkey.
pub const LISTEN: &str = "localhost:3000";

/// Who sends when nothing is said.
const SENDER: &str = "security@send0.dev";

impl Config {
    /// Reads the environment; what the command line says wins.
    pub fn read(data: Option<PathBuf>, listen: Option<String>) -> Result<Self, ConfigError> {
        refuse_unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
        let data = data.or_else(|| path("SEND0_DATA")).unwrap_or_else(postgres::default_data_dir);
        Ok(Self {
            data,
            key_file: path("SEND0_KEY_FILE"),
            listen: listen.or_else(|| var("SEND0_LISTEN")).unwrap_or_else(|| LISTEN.to_owned()),
            origin: var("SEND0_PUBLIC_ORIGIN").map(|text| parse_origin(&text)).transpose()?,
            trusted_proxies: trusted_proxies()?,
            database: database()?,
            relay: var("SEND0_SMTP_URL").map(|url| relay(&url, var("SEND0_MAIL_FROM").as_deref())).transpose()?,
        })
    }

    /// The address to listen on.
    ///
    /// # Errors
    /// When it is not on this machine: there is no TLS yet, and nothing is sent in the clear.
    pub fn address(&self) -> Result<SocketAddr, ConfigError> {
        let (host, port) = self.listen.rsplit_once(':').unwrap_or((&self.listen, "3000"));
        let port = port.parse().map_err(|_| ConfigError(format!("--listen {}: {port} is not a port.", self.listen)))?;
        let ip = match host.trim_matches(['[', ']']) {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip
                .parse()
                .map_err(|_| ConfigError(format!("--listen {}: give localhost or an IP address.", self.listen)))?,
        };
        if !ip.is_loopback() {
            let text = format!(
                "--listen {}: this server has no TLS yet and listens on this machine only. Listen on localhost and put a \
                 TLS proxy in front.",
                self.listen
            );
            return Err(ConfigError(text));
        }
        Ok(SocketAddr::new(ip, port))
    }

    /// The one origin that forms come from.
    pub fn origin_on(&self, port: u16) -> String {
        self.origin.clone().unwrap_or_else(|| format!("http://localhost:{port}"))
    }

    /// Where the key file lies.
    pub fn key_file(&self) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| self.data.join("keys"))
    }
}

fn refuse_unknown(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let unknown: Vec<String> =
        names.filter(|name| name.starts_with("SEND0_") && !KNOWN.contains(&name.as_str())).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(ConfigError(format!(
        "{} means nothing here. Known are {}.",
        unknown.join(", "),
        KNOWN[..KNOWN.len() - 1].join(", ")
    )))
}

fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn parse_origin(text: &str) -> Result<String, ConfigError> {
    let wrong = || {
        ConfigError(format!(
            "SEND0_PUBLIC_ORIGIN={text}: give scheme, host and port only, such as https://console.example.com."
        ))
    };
    let (scheme, host) = text.split_once("://").ok_or_else(wrong)?;
    let local = host == "localhost" || host.starts_with("localhost:");
    if host.is_empty() || host.contains(['/', '?', '#', '@']) || !(scheme == "https" || (scheme == "http" && local)) {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

fn trusted_proxies() -> Result<TrustedProxies, ConfigError> {
    let Some(text) = var("SEND0_TRUSTED_PROXIES") else { return Ok(TrustedProxies::default()) };
    TrustedProxies::parse(&text).map_err(|why| ConfigError(format!("SEND0_TRUSTED_PROXIES: {why}")))
}

fn relay(url: &str, sender: Option<&str>) -> Result<RelayAddress, ConfigError> {
    RelayAddress::parse(url, sender.unwrap_or(SENDER)).map_err(|error| {
        let name = if error == RelayError::Sender { "SEND0_MAIL_FROM" } else { "SEND0_SMTP_URL" };
        ConfigError(format!("{name}: {error}"))
    })
}

fn database() -> Result<Where, ConfigError> {
    let Some(app) = login("SEND0_DATABASE_URL")? else { return Ok(Where::Embedded) };
    let needed = |name: &str| {
        login(name)?.ok_or_else(|| {
            ConfigError(format!("SEND0_DATABASE_URL is set, so {name} is needed too: one login for each job."))
        })
    };
    let logins = Logins {
        app,
        auth: needed("SEND0_DATABASE_URL_AUTH")?,
        worker: needed("SEND0_DATABASE_URL_WORKER")?,
        auditor: needed("SEND0_DATABASE_URL_AUDITOR")?,
    };
    Ok(Where::Foreign(Box::new(Foreign { logins, migrator: login("SEND0_DATABASE_URL_MIGRATOR")? })))
}

fn login(name: &str) -> Result<Option<PgConnectOptions>, ConfigError> {
    let Some(url) = var(name) else { return Ok(None) };
    // The address may hold a password, so it is never repeated.
    let options = PgConnectOptions::from_str(&url).map_err(|_| {
        ConfigError(format!(
            "{name} is not an address such as postgres://user:password@host/send0?sslmode=verify-full."
        ))
    })?;
    let on_this_machine = options.get_socket().is_some() || is_loopback(options.get_host());
    if !on_this_machine && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        return Err(ConfigError(format!(
            "{name}: a database on another machine needs sslmode=verify-full. Anything weaker can be read or answered by whoever is between."
        )));
    }
    Ok(Some(options))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.starts_with('/') || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_variables_are_named() {
        let error = refuse_unknown(["SEND0_LISTEM".to_owned(), "PATH".to_owned()].into_iter()).expect_err("refused");
        assert!(error.0.contains("SEND0_LISTEM") && !error.0.contains("PATH means"), "{error}");
        assert!(refuse_unknown(KNOWN.iter().map(ToString::to_string)).is_ok());
    }

    #[test]
    fn nothing_listens_off_this_machine() {
        let address = |listen: &str| {
            let config = Config {
                data: PathBuf::new(),
                key_file: None,
                listen: listen.into(),
                origin: None,
                trusted_proxies: TrustedProxies::default(),
                database: Where::Embedded,
                relay: None,
            };
            config.address().map(|address| address.to_string()).map_err(|error| error.0)
        };
        assert_eq!(address("localhost:0").as_deref(), Ok("127.0.0.1:0"));
        assert_eq!(address("127.0.0.1:8080").as_deref(), Ok("127.0.0.1:8080"));
        assert_eq!(address("[::1]:8080").as_deref(), Ok("[::1]:8080"));
        for refused in ["0.0.0.0:3000", "[::]:3000", "192.168.1.1:3000", "example.com:3000", "localhost:x"] {
            assert!(address(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_relay_is_said_of_the_right_variable() {
        let wrong = |url: &str, sender| relay(url, sender).expect_err("refused").0;
        assert!(wrong("smtp://user:hunter2@mail.example.com", None).starts_with("SEND0_SMTP_URL: a relay on another"));
        assert!(!wrong("smtp://user:hunter2@mail.example.com", None).contains("hunter2"));
        assert!(wrong("smtps://mail.example.com", Some("nobody")).starts_with("SEND0_MAIL_FROM: not a sender"));
        assert!(relay("smtps://mail.example.com", None).is_ok());
    }

    #[test]
    fn origins_are_origins() {
        assert!(parse_origin("https://console.example.com").is_ok() && parse_origin("http://localhost:3000").is_ok());
        for wrong in [
            "console.example.com",
            "http://console.example.com",
            "https://a/b",
            "https://",
            "ftp://a",
            "https://u@a",
            "http://localhost.evil.example",
        ] {
            assert!(parse_origin(wrong).is_err(), "{wrong}");
        }
    }
}
