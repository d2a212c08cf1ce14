//! `ip -j addr` of iproute2.

use std::net::IpAddr;

use serde::Deserialize;

/// The command.
pub const IP_ADDR: [&str; 3] = ["ip", "-j", "addr"];

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Interface {
    /// `eth0`.
    #[serde(rename = "ifname")]
    pub name: String,
    /// `UP`, `LOOPBACK`…
    #[serde(default)]
    pub flags: Vec<String>,
    /// Its addresses.
    #[serde(default, rename = "addr_info")]
    pub addresses: Vec<Address>,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Address {
    /// The address.
    pub local: IpAddr,
}

impl Interface {
    /// All interfaces of a host; none where this is no output of `ip`.
    pub fn parse(text: &str) -> Option<Vec<Self>> {
        // With some options it prints empty objects for what it leaves out.
        let values: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
        let values = values.into_iter().filter(|value| value.as_object().is_none_or(|object| !object.is_empty()));
        let interfaces: Option<Vec<Self>> = values.map(|value| serde_json::from_value(value).ok()).collect();
        interfaces.filter(|interfaces| !interfaces.is_empty())
    }

    /// Whether it has an address.
    pub fn has(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.local == address)
    }

    /// Whether it only reaches the host itself.
    pub fn is_loopback(&self) -> bool {
        self.flags.iter().any(|flag| flag == "LOOPBACK")
    }

    /// Whether it is switched on.
    pub fn is_up(&self) -> bool {
        self.flags.iter().any(|flag| flag == "UP")
    }
}

/// Whether an address is of a private network: RFC 1918, RFC 6598 (shared by carriers), RFC 4193.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            address.is_private() || address.is_loopback() || address.is_link_local() || shared
        }
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIXTURES: [&str; 2] = [
        include_str!("../../tests/fixtures/ip/container.txt"),
        include_str!("../../tests/fixtures/ip/two-networks.txt"),
    ];

    #[test]
    fn interfaces_have_their_addresses() {
        let all = Interface::parse(FIXTURES[1]).unwrap();
        let names: Vec<_> = all.iter().map(|interface| (interface.name.as_str(), interface.is_up())).collect();
        assert_eq!(names, [("lo", true), ("eth0", true), ("eth1", false)]);
        assert!(all[0].is_loopback() && !all[1].is_loopback());
        assert!(all[1].has("203.0.113.10".parse().unwrap()) && !all[2].has("203.0.113.10".parse().unwrap()));
        assert!(Interface::parse(FIXTURES[0]).unwrap().len() > 1);
    }

    #[test]
    fn private_networks_are_known() {
        for (address, private) in [
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("100.64.0.1", true),
            ("203.0.113.1", false),
            ("fd00::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), private, "{address}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), place in any::<prop::sample::Index>(), byte in any::<char>()) {
            prop_assert!(text.trim_start().starts_with('[') || Interface::parse(&text).is_none());
            for fixture in FIXTURES {
                let place = (0..=place.index(fixture.len())).rev().find(|place| fixture.is_char_boundary(*place)).unwrap();
                let _ = Interface::parse(&format!("{}{byte}{}", &fixture[..place], &fixture[place..]));
                prop_assert_eq!(Interface::parse(&fixture[..place.min(fixture.trim_end().len() - 1)]), None);
            }
        }
    }
}
