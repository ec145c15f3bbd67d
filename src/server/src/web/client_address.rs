//! Where a request comes from: the one answer that limits, the log and allowlists all go by.

use axum::http::HeaderMap;
use send0_core::allowlist::{Network, parse_address};
use std::net::IpAddr;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose word is taken. Nobody's, unless somebody says so.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Networks, separated by commas.
    ///
    /// # Errors
    /// A sentence that says what is wrong with which of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let networks = text.split(',').map(|network| Network::parse(network).map_err(|error| error.message));
        networks.collect::<Result<_, _>>().map(Self)
    }

    fn include(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whether the peer says that it passes on what others asked, without being trusted to say so: a proxy that somebody has
    /// forgotten to name makes everybody come from one address.
    pub fn is_unnamed(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED_FOR) && !self.include(peer.to_canonical())
    }

    /// The client behind the peer. Each proxy adds whom it heard from at the end of `X-Forwarded-For`, so it is read from
    /// there, and only as far as proxies go that are trusted: whatever stands before that, anybody could have written.
    /// What cannot be read ends it at the last address that is known. No other header is looked at.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        for value in headers.get_all(FORWARDED_FOR).into_iter().rev() {
            // By entry and not by header: what somebody put at its beginning must not spoil what proxies added.
            for entry in value.as_bytes().rsplit(|byte| *byte == b',') {
                if !self.include(client) {
                    return client;
                }
                let Some(before) = std::str::from_utf8(entry).ok().and_then(parse_address) else { return client };
                client = before;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::{collection::vec, prelude::*};
    use std::sync::LazyLock;

    const CASES: u32 = 25_000;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    /// Read once: in each of many thousand cases it takes longer than all the rest.
    fn trusted() -> &'static TrustedProxies {
        static TRUSTED: LazyLock<TrustedProxies> =
            LazyLock::new(|| TrustedProxies::parse("10.0.0.0/8, 127.0.0.1, 2001:db8:ffff::/48").expect("networks"));
        &TRUSTED
    }

    fn client(peer: &str, forwarded: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(value).expect("value"));
        }
        trusted().client(address(peer), &headers).to_string()
    }

    #[test]
    fn the_client_is_the_first_from_the_right_that_is_no_trusted_proxy() {
        for (peer, forwarded, found) in [
            ("203.0.113.7", &[][..], "203.0.113.7"),
            ("::ffff:203.0.113.7", &[][..], "203.0.113.7"),
            // A stranger says whatever they like.
            ("203.0.113.7", &[&b"198.51.100.1"[..]][..], "203.0.113.7"),
            ("10.0.0.1", &[b"198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &[b"198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[b"1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[b"1.1.1.1, 198.51.100.1, 10.0.0.2,127.0.0.1"], "198.51.100.1"),
            // Several headers are one list, in their order.
            ("10.0.0.1", &[b"198.51.100.1", b"10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &[b"1.1.1.1", b"198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &[b"198.51.100.1:4242"], "198.51.100.1"),
            ("10.0.0.1", &[b"[2001:db8::1]:443, [2001:db8:ffff::2]"], "2001:db8::1"),
            ("2001:db8:ffff::1", &[b"::ffff:198.51.100.1"], "198.51.100.1"),
            // What cannot be read ends it at the last that is known.
            ("10.0.0.1", &[b"a"], "10.0.0.1"),
            ("10.0.0.1", &[b""], "10.0.0.1"),
            ("10.0.0.1", &[b"198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &[b"198.51.100.1, , 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[b"198.51.100.1", b"\xff"], "10.0.0.1"),
            // Nobody but proxies: the outermost of them.
            ("10.0.0.1", &[b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            assert_eq!(client(peer, forwarded), found, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_proxy_that_nobody_named_is_noticed() {
        let mut headers = HeaderMap::new();
        assert!(!trusted().is_unnamed(address("203.0.113.7"), &headers));
        headers.insert(FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"));
        assert!(trusted().is_unnamed(address("203.0.113.7"), &headers));
        assert!(!trusted().is_unnamed(address("::ffff:10.0.0.1"), &headers));
    }

    #[test]
    fn other_headers_say_nothing() {
        let mut headers = HeaderMap::new();
        for name in ["x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip", "x-client-ip"] {
            headers.insert(name, HeaderValue::from_static("198.51.100.1"));
        }
        assert_eq!(trusted().client(address("10.0.0.1"), &headers), address("10.0.0.1"));
    }

    #[test]
    fn proxies_are_networks() {
        assert!(TrustedProxies::parse("10.0.0.1/8").is_err_and(|why| why.contains("Did you mean 10.0.0.0/8?")));
        for wrong in ["", "10.0.0.0/8,", "proxy.example.com", "0.0.0.0/0"] {
            assert!(TrustedProxies::parse(wrong).is_err(), "{wrong}");
        }
    }

    fn any_address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(IpAddr::from),
            any::<[u8; 16]>().prop_map(|bytes| IpAddr::from(bytes).to_canonical()),
            any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([10, a, b, c])),
        ]
    }

    fn stranger() -> impl Strategy<Value = IpAddr> {
        let stranger = |address| if trusted().include(address) { IpAddr::from([203, 0, 113, 7]) } else { address };
        any_address().prop_map(stranger)
    }

    fn proxy() -> impl Strategy<Value = IpAddr> {
        any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([10, a, b, c]))
    }

    /// What somebody who wants to be taken for somebody else puts into a header.
    fn forged() -> impl Strategy<Value = Vec<u8>> {
        let entry = prop_oneof![
            any_address().prop_map(|address| address.to_string()),
            any_address().prop_map(|address| format!("[{address}]:443")),
            any_address().prop_map(|address| format!("::ffff:{address}")),
            "[ -~]{0,12}",
            Just(String::new()),
        ];
        prop_oneof![
            4 => vec(entry, 0..5).prop_map(|entries| entries.join(",").into_bytes()),
            1 => vec(prop_oneof![32u8..127, 128u8..=255], 0..20),
        ]
    }

    fn with(forged: &[Vec<u8>], name: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in forged {
            headers.append(name, HeaderValue::from_bytes(value).expect("value"));
        }
        headers
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_stranger_is_never_taken_for_anybody_else(peer in stranger(), forged in vec(forged(), 0..4)) {
            prop_assert_eq!(trusted().client(peer, &with(&forged, FORWARDED_FOR)), peer.to_canonical());
        }

        #[test]
        fn nothing_before_what_proxies_add_changes_the_answer(
            client in stranger(), hops in vec(proxy(), 1..4), forged in vec(forged(), 0..4), apart: bool,
        ) {
            let (peer, between) = hops.split_last().expect("a hop");
            let added: Vec<String> = std::iter::once(&client).chain(between).map(IpAddr::to_string).collect();
            let mut headers = with(&forged, FORWARDED_FOR);
            if apart {
                for address in added {
                    headers.append(FORWARDED_FOR, address.parse().expect("value"));
                }
            } else {
                // As most proxies do: added to the end of the last header.
                let mut all = forged.clone();
                let last = all.pop().map(|mut last| { last.extend(b", "); last }).unwrap_or_default();
                headers = with(&all, FORWARDED_FOR);
                let value = [last, added.join(", ").into_bytes()].concat();
                headers.append(FORWARDED_FOR, HeaderValue::from_bytes(&value).expect("value"));
            }
            prop_assert_eq!(trusted().client(*peer, &headers), client.to_canonical());
        }

        #[test]
        fn no_other_header_counts(peer in any_address(), forged in vec(forged(), 1..3)) {
            for name in ["x-real-ip", "forwarded"] {
                prop_assert_eq!(trusted().client(peer, &with(&forged, name)), peer.to_canonical());
            }
        }

        #[test]
        fn without_trust_nobody_is_believed(peer in any_address(), forged in vec(forged(), 0..4)) {
            prop_assert_eq!(TrustedProxies::default().client(peer, &with(&forged, FORWARDED_FOR)), peer.to_canonical());
        }
    }
}
