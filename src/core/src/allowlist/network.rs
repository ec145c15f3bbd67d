//! Networks as people write them, and addresses as proxies do.

use crate::FieldError;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

/// A network of either version, without host bits; never an IPv4 network in the clothes of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    /// A CIDR, or one address.
    ///
    /// # Errors
    /// What is wrong with the field `cidr`, with the corrected form where there is one.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(wrong("required", "An address or a network is needed.".into()));
        }
        let written = match text.split_once('/') {
            None => text.parse::<IpAddr>().ok().map(IpNet::from),
            Some(_) => text.parse().ok(),
        };
        let written = written.ok_or_else(|| {
            wrong("not_a_network", format!("{text} is neither an address nor a network such as 203.0.113.0/24."))
        })?;
        let network = unmapped(written)
            .ok_or_else(|| wrong("mapped", format!("{text} holds IPv4 addresses and others. Write them apart.")))?;
        if network.prefix_len() == 0 {
            let text = format!("{text} is every address there is. To let everybody in, leave the list empty.");
            return Err(wrong("everybody", text));
        }
        if network.trunc() != network {
            let right = network.trunc();
            let text = format!("CIDR {text} has host bits set. Did you mean {right}?");
            return Err(wrong("host_bits", text));
        }
        Ok(Self(network))
    }

    /// Whether the address lies in it.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Its first address.
    pub fn first(self) -> IpAddr {
        self.0.network()
    }

    /// Its last address.
    pub fn last(self) -> IpAddr {
        self.0.broadcast()
    }

    /// How many addresses it has, where that is a number for people.
    pub fn size(self) -> Option<u64> {
        let bits = self.0.max_prefix_len() - self.0.prefix_len();
        (bits <= 32).then(|| 1 << bits)
    }
}

fn wrong(code: &str, message: String) -> FieldError {
    FieldError::new("cidr", code, message)
}

/// An IPv4 network that is written as one of IPv6 (`::ffff:0:0/96` and below); `None` for what holds more than that.
fn unmapped(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(v6) = network else { return Some(network) };
    match v6.addr().to_ipv4_mapped() {
        Some(v4) if v6.prefix_len() >= 96 => IpNet::new(v4.into(), v6.prefix_len() - 96).ok(),
        Some(_) => None,
        None => Some(network),
    }
}

impl fmt::Display for Network {
    /// One address by itself, as people write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl Serialize for Network {
    /// Always with its prefix, so that programs need not guess.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(|error| serde::de::Error::custom(error.message))
    }
}

impl PartialSchema for Network {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).examples([serde_json::json!("203.0.113.0/24")]).into()
    }
}

impl ToSchema for Network {}

/// An address as proxies write it: by itself, in brackets, with a port. An IPv4 address in the clothes of IPv6 is one of
/// IPv4.
pub fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(v6) => v6.parse().ok().filter(IpAddr::is_ipv6),
        None => text.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip())),
    };
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> String {
        Network::parse(text).expect_err(text).code
    }

    #[test]
    fn host_bits_are_refused_with_the_corrected_form() {
        for (typed, meant) in [
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::ffff:10.1.2.3/104", "10.0.0.0/8"),
        ] {
            let refused = Network::parse(typed).expect_err(typed);
            assert_eq!(refused.code, "host_bits");
            assert_eq!(refused.message, format!("CIDR {typed} has host bits set. Did you mean {meant}?"));
            assert!(Network::parse(meant).is_ok());
        }
    }

    #[test]
    fn networks_are_written_in_one_way() {
        for (typed, shown) in [
            (" 203.0.113.7 ", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("2001:DB8:0::/48", "2001:db8::/48"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ] {
            assert_eq!(Network::parse(typed).expect(typed).to_string(), shown);
        }
        for wrong in ["nonsense", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "fe80::1%eth0", "1.2.3.4:80"] {
            assert_eq!(code(wrong), "not_a_network", "{wrong}");
        }
        assert_eq!(code(""), "required");
        assert_eq!((code("0.0.0.0/0"), code("::/0"), code("::ffff:0:0/96")), everybody());
        assert_eq!(code("::ffff:0:0/90"), "mapped");
    }

    fn everybody() -> (String, String, String) {
        ("everybody".into(), "everybody".into(), "everybody".into())
    }

    #[test]
    fn networks_have_a_first_and_a_last_address() {
        let of = |text: &str| {
            let network = Network::parse(text).expect(text);
            (network.first().to_string(), network.last().to_string(), network.size())
        };
        assert_eq!(of("10.0.0.0/8"), ("10.0.0.0".into(), "10.255.255.255".into(), Some(16_777_216)));
        assert_eq!(of("203.0.113.7"), ("203.0.113.7".into(), "203.0.113.7".into(), Some(1)));
        assert_eq!(of("2001:db8::/64"), ("2001:db8::".into(), "2001:db8::ffff:ffff:ffff:ffff".into(), None));
    }

    #[test]
    fn addresses_lose_ports_brackets_and_clothes() {
        for (written, address) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7\t", "203.0.113.7"),
            ("203.0.113.7:4242", "203.0.113.7"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ] {
            assert_eq!(parse_address(written), Some(address.parse().expect("address")), "{written}");
        }
        for malformed in [
            "",
            " ",
            "unknown",
            "_hidden",
            "1.2.3",
            "[1.2.3.4]",
            "1.2.3.4:",
            "fe80::1%eth0",
            "\"1.2.3.4\"",
            "1.2.3.4 5.6.7.8",
        ] {
            assert_eq!(parse_address(malformed), None, "{malformed}");
        }
    }

    proptest! {
        #[test]
        fn a_corrected_form_holds_what_was_typed(v4: u32, v6: u128, is_v4: bool, prefix in 1u8..=128) {
            let address = if is_v4 { IpAddr::from(v4.to_be_bytes()) } else { IpAddr::from(v6.to_be_bytes()) };
            prop_assume!(address.to_canonical() == address);
            let prefix = if is_v4 { prefix.min(32) } else { prefix };
            let network = match Network::parse(&format!("{address}/{prefix}")) {
                Ok(network) => network,
                Err(error) => {
                    prop_assert_eq!(&error.code, "host_bits");
                    let meant = error.message.split("Did you mean ").nth(1).expect("a correction").trim_end_matches('?');
                    Network::parse(meant).expect("the correction is right")
                }
            };
            prop_assert!(network.contains(address));
            prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
        }

        #[test]
        fn any_text_is_a_network_or_refused(text in ".{0,40}") {
            if let Ok(network) = Network::parse(&text) {
                prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
            }
        }
    }
}
