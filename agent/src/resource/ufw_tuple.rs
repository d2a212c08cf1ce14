//! A rule as ufw keeps it in `/etc/ufw/user.rules` and `user6.rules`.

use std::net::IpAddr;

/// Any source or destination of one family, as ufw writes it.
const ANY: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// One `### tuple ###` line: a rule of one address family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UfwTuple {
    /// `allow`, `deny`, `reject`, `limit`, perhaps with `route:` before or `_log` behind.
    pub(super) action: String,
    /// `tcp`, `udp`, `any` …
    pub(super) protocol: String,
    /// Ports of the destination, `any` for all.
    pub(super) dport: String,
    /// Destination with prefix length, canonical.
    pub(super) dst: String,
    /// Ports of the source.
    pub(super) sport: String,
    /// Source with prefix length, canonical.
    pub(super) src: String,
    /// `in`, `out`, `in_eth0` …
    pub(super) direction: String,
    /// The comment, decoded; what we know our rules by.
    pub(super) comment: String,
    /// Made from an application profile, which we never do.
    pub(super) application: bool,
}

impl UfwTuple {
    /// Every rule in the text of a rules file.
    pub(super) fn parse_all(text: &str) -> Vec<Self> {
        text.lines().filter_map(Self::parse).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let line = line.strip_prefix("### tuple ###")?.trim();
        let (line, comment) = line.split_once(" comment=").unwrap_or((line, ""));
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (fields, direction) = match fields.len() {
            6 | 8 => (&fields[..], "in"),
            7 | 9 => (&fields[..], fields[fields.len() - 1]),
            _ => return None,
        };
        Some(Self {
            action: fields[0].to_owned(),
            protocol: fields[1].to_owned(),
            dport: fields[2].to_owned(),
            dst: fields[3].to_owned(),
            sport: fields[4].to_owned(),
            src: fields[5].to_owned(),
            direction: direction.to_owned(),
            comment: decode_hex(comment.trim())?,
            application: fields.len() > 7,
        })
    }

    /// The arguments of `ufw` that name this rule: what stands after `ufw` or `ufw delete`. `None` for kinds of rules that
    /// we never write (application profiles, routes, interfaces).
    pub(super) fn arguments(&self) -> Option<Vec<String>> {
        if self.application || self.action.contains([':', '_']) || !matches!(self.direction.as_str(), "in" | "out") {
            return None;
        }
        let mut words = vec![self.action.as_str(), self.direction.as_str()];
        if self.protocol != "any" {
            words.extend(["proto", &self.protocol]);
        }
        for (word, address, port) in [("from", &self.src, &self.sport), ("to", &self.dst, &self.dport)] {
            words.extend([word, address]);
            if port != "any" {
                words.extend(["port", port]);
            }
        }
        Some(words.into_iter().map(str::to_owned).collect())
    }

    /// The rule for a person, in the words of a role: `allow tcp port 22 from 10.0.0.0/8`.
    pub(super) fn describe(&self) -> String {
        let mut text = self.action.clone();
        if self.direction != "in" {
            text.push_str(&format!(" {}", self.direction));
        }
        if self.protocol != "any" {
            text.push_str(&format!(" {}", self.protocol));
        }
        if self.dport != "any" {
            text.push_str(&format!(" port {}", self.dport));
        }
        if !ANY.contains(&self.src.as_str()) {
            text.push_str(&format!(" from {}", self.src));
        }
        if self.sport != "any" {
            text.push_str(&format!(" source port {}", self.sport));
        }
        if !ANY.contains(&self.dst.as_str()) {
            text.push_str(&format!(" to {}", self.dst));
        }
        text
    }

    /// Whether the rule decides on a connection to this local port, from this address. The destination's address is not looked
    /// at: a host may have many.
    pub(super) fn decides(&self, protocol: &str, port: u16, from: IpAddr) -> bool {
        self.direction.split('_').next() == Some("in")
            && !self.action.starts_with("route:")
            && (self.protocol == "any" || self.protocol == protocol)
            && self.sport == "any"
            && (self.dport == "any" || self.dport.split(',').any(|range| in_range(range, port)))
            && Network::parse(&self.src).is_some_and(|network| network.contains(from))
    }

    /// Whether the rule lets in what it decides on.
    pub(super) fn admits(&self) -> bool {
        matches!(self.action.split('_').next(), Some("allow" | "limit"))
    }
}

fn in_range(range: &str, port: u16) -> bool {
    let (first, last) = range.split_once(':').unwrap_or((range, range));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) => (first..=last).contains(&port),
        _ => false,
    }
}

/// An address and the number of its leading bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Any address of a family.
    pub(super) fn any(v6: bool) -> Self {
        let address = if v6 { IpAddr::from([0_u8; 16]) } else { IpAddr::from([0_u8; 4]) };
        Self { address, bits: 0 }
    }

    /// Parses `10.0.0.0/8`, `10.1.2.3`, `fd00::/8`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), str::parse).ok().filter(|bits| *bits <= all)?;
        Some(Self { address, bits })
    }

    pub(super) fn is_v6(self) -> bool {
        self.address.is_ipv6()
    }

    fn contains(self, other: IpAddr) -> bool {
        let number = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
            IpAddr::V6(v6) => v6.to_bits(),
        };
        self.address.is_ipv4() == other.is_ipv4()
            && (self.bits == 0 || (number(self.address) ^ number(other)) >> (128 - u32::from(self.bits)) == 0)
    }

    /// As ufw writes it: no length for one address; IPv4 networks with the host's bits cleared, IPv6 ones as given.
    pub(super) fn canonical(self) -> String {
        match self.address {
            IpAddr::V4(v4) if self.bits < 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                format!("{}/{}", std::net::Ipv4Addr::from_bits(v4.to_bits() & mask), self.bits)
            }
            IpAddr::V6(v6) if self.bits < 128 => format!("{v6}/{}", self.bits),
            address => address.to_string(),
        }
    }
}

fn decode_hex(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let decoded: Option<Vec<u8>> = bytes.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
    Some(String::from_utf8_lossy(&decoded?).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: &str = "*filter\n### RULES ###\n\n\
        ### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=737368\n\
        -A ufw-user-input -p tcp --dport 22 -j ACCEPT\n\n\
        ### tuple ### limit any any 10.0.0.1 any 10.0.0.0/8 out\n\n\
        ### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in\n\n\
        ### tuple ### route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_eth0!out_eth1\n";

    #[test]
    fn every_kind_of_rule_is_read() {
        let rules = UfwTuple::parse_all(RULES);
        assert_eq!(rules.len(), 4);
        assert_eq!((rules[0].comment.as_str(), rules[0].describe().as_str()), ("ssh", "allow tcp port 22"));
        assert_eq!(rules[1].describe(), "limit out from 10.0.0.0/8 to 10.0.0.1");
        assert!(rules[2].application);
        assert_eq!(rules[3].direction, "in_eth0!out_eth1");
    }

    #[test]
    fn arguments_name_the_rule_and_its_family() {
        let rules = UfwTuple::parse_all(RULES);
        assert_eq!(rules[0].arguments().unwrap().join(" "), "allow in proto tcp from 0.0.0.0/0 to 0.0.0.0/0 port 22");
        assert_eq!(rules[1].arguments().unwrap().join(" "), "limit out from 10.0.0.0/8 to 10.0.0.1");
        assert_eq!((rules[2].arguments(), rules[3].arguments()), (None, None));
    }

    #[test]
    fn a_rule_decides_on_its_own_ports_and_sources() {
        let rules = UfwTuple::parse_all(RULES);
        let from: IpAddr = "192.0.2.7".parse().unwrap();
        assert!(rules[0].decides("tcp", 22, from) && rules[0].admits());
        assert!(!rules[0].decides("tcp", 2222, from));
        assert!(!rules[0].decides("udp", 22, from));
        assert!(!rules[0].decides("tcp", 22, "2001:db8::1".parse().unwrap()));
        assert!(!rules[1].decides("tcp", 22, "10.1.1.1".parse().unwrap()), "an outgoing rule");
        assert!(rules[2].decides("tcp", 443, from));
        assert!(!rules[3].decides("tcp", 443, from), "a rule for what is routed");
        let ranged = UfwTuple { dport: "6000:6100".into(), src: "192.0.2.0/24".into(), ..rules[0].clone() };
        assert!(ranged.decides("tcp", 6100, from));
        assert!(!ranged.decides("tcp", 6101, from));
        assert!(!ranged.decides("tcp", 6100, "192.0.3.7".parse().unwrap()));
        assert!(!UfwTuple { action: "deny_log".into(), ..ranged }.admits());
    }

    #[test]
    fn networks_are_written_as_ufw_writes_them() {
        for (given, canonical) in [
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("FD00::1/8", "fd00::1/8"),
            ("2001:db8:0:0::1/128", "2001:db8::1"),
        ] {
            assert_eq!(Network::parse(given).unwrap().canonical(), canonical, "{given}");
        }
        for bad in ["10.0.0.0/33", "fd00::/129", "10.0.0", "any", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_network_holds_its_own_address(address: [u8; 4], bits in 0_u8..=32) {
            let network = Network { address: IpAddr::from(address), bits };
            prop_assert!(network.contains(IpAddr::from(address)));
            let canonical = Network::parse(&network.canonical()).unwrap();
            prop_assert!(canonical.contains(IpAddr::from(address)));
            prop_assert_eq!(canonical.bits, bits);
        }

        #[test]
        fn parsing_never_panics(line in "### tuple ### [ -~é]{0,60}") {
            let _ = UfwTuple::parse(&line).map(|rule| (rule.arguments(), rule.describe()));
        }
    }
}
