use serde::Serialize;

/// Where doubts, reports and questions go.
pub const CONTACT: &str = "security@send0.dev";

/// One of the eight practices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Practice {
    /// How programs and links name it.
    pub id: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What is promised.
    pub promise: &'static str,
    /// What the console does today.
    pub today: &'static str,
    /// What of the promise it does not do yet. `null`: nothing is missing.
    pub not_yet: Option<&'static str>,
}

/// All eight, in the order in which they are promised. What is not built yet says so.
pub const PRACTICES: [Practice; 8] = [
    Practice {
        id: "encryption",
        title: "Encryption everywhere",
        promise: "TLS 1.3 in transit and AES-256 at rest, on every API request, every webhook and every database connection.",
        today: "Secrets that have to be read again (seeds of authenticator apps, mail on its way, what is shown once) are sealed with \
            AES-256-GCM under a key of each workspace or account, bound to their row, and that key is wrapped by one outside the database. The \
            database is reached over a local socket, or with TLS and a verified name. Nothing is served in the clear to another machine.",
        not_yet: Some(
            "The console does not terminate TLS itself yet: it answers this machine only, behind a proxy that does.",
        ),
    },
    Practice {
        id: "api-keys",
        title: "API keys are hashes",
        promise: "A key is hashed with SHA-256 the moment it is made. It can be authenticated and never recovered. Rotation is free and unlimited.",
        today: "Keys have 256 random bits, are shown once, and only their SHA-256 is kept. Revoking one counts from the next request on. Any number can \
            be issued, with scopes and an expiry.",
        not_yet: Some("Rotation with an overlap in which both keys work."),
    },
    Practice {
        id: "access",
        title: "Role-based access",
        promise: "Workspace roles, scoped API keys (sk_live_, sk_test_, sk_restr_), IP allowlists, and two-factor authentication for every user on every plan.",
        today: "Six roles from one table of permissions; keys with scopes; allowlists for dashboard and API that are tried out before they count; passkeys, \
            authenticator apps and recovery codes, demanded of everybody in a new workspace within seven days unless its owners decide otherwise.",
        not_yet: None,
    },
    Practice {
        id: "isolation",
        title: "Isolated infrastructure",
        promise: "Network segmentation per tenant, automated patching, continuous dependency scanning, least privilege for every service account.",
        today: "Tenants are kept apart by the database itself: row-level security is forced on every table, and the logins of the software own nothing and \
            cannot go around it. Dependencies are checked against published advisories with every change.",
        not_yet: Some("Network segmentation and patching are the hosting's; the console does not show them."),
    },
    Practice {
        id: "audit-log",
        title: "Audit log on every action",
        promise: "Every API call, every dashboard change and every team change is logged, and can be exported through the API into a SIEM.",
        today: "A change and its event are one transaction, and a call that changes nothing is answered when its event is committed. Events are numbered without \
            gaps; no login of the software can change or delete one. They are read page by page over the API.",
        not_yet: Some(
            "Signed checkpoints that prove the log complete, export in one stream, and delivery into a SIEM.",
        ),
    },
    Practice {
        id: "webhooks",
        title: "Signed webhooks",
        promise: "Every payload is signed with HMAC-SHA256 under a secret of that endpoint's own. Timestamps prevent replay. The SDK verifies it.",
        today: "Not yet part of this console.",
        not_yet: Some("All of it."),
    },
    Practice {
        id: "minimisation",
        title: "Data minimisation",
        promise: "Message content is kept for delivery and telemetry, then aged out. Hard caps, and retention controls per workspace, on every plan.",
        today: "The console holds no message content. What identifies people in the audit log stands beside the events, so that it can be erased without breaking them.",
        not_yet: Some("Retention controls, for messages and for the log."),
    },
    Practice {
        id: "disclosure",
        title: "Responsible disclosure",
        promise: "A running bug bounty: a reply within 48 hours, a fix within the agreed time, and public credit when the researcher permits it.",
        today: "Reports by mail.",
        not_yet: Some("A form, a status page for researchers, and security.txt."),
    },
];

#[cfg(test)]
mod model_tests {
    use super::*;

    #[test]
    fn each_has_its_own_id_and_says_what_it_does() {
        let ids: std::collections::BTreeSet<&str> = PRACTICES.iter().map(|practice| practice.id).collect();
        assert_eq!(ids.len(), PRACTICES.len());
        for practice in PRACTICES {
            assert!(practice.promise.ends_with('.') && practice.today.ends_with('.'), "{}", practice.id);
        }
    }
}
