use std::fmt;
use std::net::Ipv4Addr;

use sha2::{Digest, Sha256};

/// An IPv4 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    base: u32,
    bits: u8,
}

impl Subnet {
    /// Where an environment's network is put: a /24 of 10.213.0.0/16 that follows from the environment's name, so that its
    /// hosts have the same addresses after `down` and `up`; the next free one if something else is there.
    #[must_use]
    pub fn choose(environment: &str, taken: &[Self]) -> Option<Self> {
        let first = Sha256::digest(environment)[0];
        (0..=u8::MAX)
            .map(|step| Self::new(Ipv4Addr::new(10, 213, first.wrapping_add(step), 0), 24))
            .find(|candidate| taken.iter().all(|other| !candidate.overlaps(*other)))
    }

    /// The network of `bits` (0 to 32) leading bits that contains `address`.
    #[must_use]
    pub fn new(address: Ipv4Addr, bits: u8) -> Self {
        let bits = bits.min(32);
        Self { base: u32::from(address) & mask(bits), bits }
    }

    /// Reads `10.213.7.0/24`; nothing for IPv6 and anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let bits = bits.parse().ok().filter(|bits| *bits <= 32)?;
        Some(Self::new(address.parse().ok()?, bits))
    }

    /// Whether the two share an address.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let bits = self.bits.min(other.bits);
        self.base & mask(bits) == other.base & mask(bits)
    }

    /// The first address that a host may have and that is not `taken`. The first ten are left to Docker's gateway and to
    /// whatever a person adds by hand.
    #[must_use]
    pub fn free_address(self, taken: &[Ipv4Addr]) -> Option<Ipv4Addr> {
        let last = self.base | !mask(self.bits);
        (self.base + 11..last).map(Ipv4Addr::from).find(|address| !taken.contains(address))
    }

    /// The networks that this machine has routes to, from the text of `/proc/net/route`.
    #[must_use]
    pub fn from_routes(table: &str) -> Vec<Self> {
        table
            .lines()
            .skip(1)
            .filter_map(|line| {
                let mut fields = line.split_whitespace();
                let destination = u32::from_str_radix(fields.nth(1)?, 16).ok()?.swap_bytes();
                let netmask = u32::from_str_radix(fields.nth(5)?, 16).ok()?.swap_bytes();
                let bits = u8::try_from(netmask.leading_ones()).ok()?;
                // The default route leads everywhere; it takes nothing.
                (bits > 0).then(|| Self::new(destination.into(), bits))
            })
            .collect()
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.bits)
    }
}

fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_keeps_its_subnet() {
        let first = Subnet::choose("local", &[]).unwrap();
        assert_eq!(Subnet::choose("local", &[]), Some(first));
        assert_ne!(Subnet::choose("staging", &[]), Some(first));
    }

    #[test]
    fn a_taken_subnet_is_stepped_over() {
        let first = Subnet::choose("local", &[]).unwrap();
        let second = Subnet::choose("local", &[first]).unwrap();
        assert!(!first.overlaps(second));
    }

    #[test]
    fn a_wide_route_takes_everything() {
        assert_eq!(Subnet::choose("local", &[Subnet::parse("10.0.0.0/8").unwrap()]), None);
    }

    #[test]
    fn addresses_start_at_eleven_and_skip_the_taken() {
        let subnet = Subnet::parse("10.213.7.0/24").unwrap();
        let eleven = Ipv4Addr::new(10, 213, 7, 11);
        assert_eq!(subnet.free_address(&[]), Some(eleven));
        assert_eq!(subnet.free_address(&[eleven]), Some(Ipv4Addr::new(10, 213, 7, 12)));
    }

    #[test]
    fn a_full_subnet_has_no_address() {
        let subnet = Subnet::parse("10.213.7.0/24").unwrap();
        let all: Vec<_> = (0..=255).map(|n| Ipv4Addr::new(10, 213, 7, n)).collect();
        assert_eq!(subnet.free_address(&all), None);
    }

    #[test]
    fn routes_are_read_without_the_default() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     br-1\t0007D50A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        assert_eq!(Subnet::from_routes(table), [Subnet::parse("10.213.7.0/24").unwrap()]);
    }

    #[test]
    fn nonsense_is_no_subnet() {
        for text in ["", "10.0.0.0", "10.0.0.0/33", "fd00::/64", "a/8"] {
            assert_eq!(Subnet::parse(text), None, "{text}");
        }
    }
}
