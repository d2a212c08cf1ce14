//! The name under which a host stands in known_hosts files.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::HostPatterns;
use sha1::Sha1;

/// A host as known_hosts files name it: lower case, with the port when it is not 22.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostName {
    host: String,
    port: u16,
}

impl HostName {
    /// The name of a server. Case does not matter.
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_lowercase(), port }
    }

    /// The same host without its port. A key that is known for a host is good at all its ports, as for ssh.
    pub(super) fn without_port(&self) -> Option<Self> {
        (self.port != 22).then(|| Self { host: self.host.clone(), port: 22 })
    }

    /// The name without the port, as certificates list it.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the patterns of a line mean this host. One negated pattern that fits overrules all others.
    pub(super) fn fits(&self, patterns: &HostPatterns) -> bool {
        let name = self.to_string();
        match patterns {
            HostPatterns::HashedName { salt, hash } => hashed(salt, &name).is_some_and(|found| found == *hash),
            HostPatterns::Patterns(patterns) => {
                let mut fits = false;
                for pattern in patterns {
                    match pattern.strip_prefix('!') {
                        Some(pattern) if glob(&pattern.to_lowercase(), &name) => return false,
                        Some(_) => {}
                        None => fits |= glob(&pattern.to_lowercase(), &name),
                    }
                }
                fits
            }
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            22 => f.write_str(&self.host),
            port => write!(f, "[{}]:{port}", self.host),
        }
    }
}

fn hashed(salt: &[u8], name: &str) -> Option<[u8; 20]> {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).ok()?;
    mac.update(name.as_bytes());
    Some(mac.finalize().into_bytes().into())
}

/// Shell-like matching with `*` and `?`, as ssh does it: brackets stand for themselves.
///
/// Only the last `*` is ever gone back to, so that no pattern takes more than pattern × text steps.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || Some(&c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&c| c == b'*')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(patterns: &str, host: &str, port: u16) -> bool {
        HostName::new(host, port).fits(&patterns.parse().unwrap())
    }

    #[test]
    fn exact_names_ports_and_lists() {
        assert!(fits("web1", "web1", 22));
        assert!(fits("web1", "WEB1", 22));
        assert!(fits("Web1.Example.org", "web1.example.org", 22));
        assert!(!fits("web1", "web1", 2222));
        assert!(fits("[web1]:2222", "web1", 2222));
        assert!(!fits("[web1]:2222", "web1", 22));
        assert!(fits("web1,10.0.0.1,[web1]:2222", "10.0.0.1", 22));
        assert!(!fits("web1", "web10", 22));
        assert!(fits("fe80::1", "FE80::1", 22));
    }

    #[test]
    fn wildcards_and_negation() {
        assert!(fits("*.example.org", "a.b.example.org", 22));
        assert!(!fits("*.example.org", "example.org", 22));
        assert!(fits("web?", "web1", 22));
        assert!(!fits("web?", "web", 22));
        assert!(!fits("*.example.org,!db.example.org", "db.example.org", 22));
        assert!(!fits("!db.example.org,*.example.org", "db.example.org", 22));
        assert!(!fits("!db.example.org", "web.example.org", 22), "a negation alone fits nothing");
        assert!(fits("[*.example.org]:2222", "web.example.org", 2222));
    }

    #[test]
    fn hashed_names() {
        // Made by `ssh-keygen -H`.
        let plain = "|1|gmyxYNibS19bcXoPoSD5p8YcC4U=|InYLPUJ+3WqP5s+XMc/3V2CU2h4=";
        let with_port = "|1|6y4nqd4lN3V9wJnvVR+Im5LVdws=|kF5GytEj5knXczsIFXNU5/x+IeI=";
        assert!(fits(plain, "Web1.example.org", 22));
        assert!(!fits(plain, "web2.example.org", 22));
        assert!(!fits(plain, "web1.example.org", 2222));
        assert!(fits(with_port, "web1.example.org", 2222));
    }

    /// The definition of a glob, without care for time.
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, rest) => rest.is_none(),
            (Some((b'*', after)), _) => (0..=text.len()).any(|skip| by_definition(after, &text[skip..])),
            (Some((b'?', after)), Some((_, rest))) => by_definition(after, rest),
            (Some((c, after)), Some((d, rest))) => c == d && by_definition(after, rest),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn globs_match_their_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(glob(&pattern, &text), by_definition(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn a_name_fits_itself_and_a_star(host in "[a-z0-9.-]{1,20}", port in 1u16..) {
            let name = HostName::new(&host, port);
            prop_assert!(name.fits(&name.to_string().parse().unwrap()));
            prop_assert!(name.fits(&"*".parse().unwrap()));
            let negated = format!("*,!{name}").parse().unwrap();
            prop_assert!(!name.fits(&negated));
        }
    }

    #[test]
    fn a_hostile_pattern_is_quick() {
        let began = std::time::Instant::now();
        assert!(!glob(&format!("{}b", "a*".repeat(1_000)), &"a".repeat(5_000)));
        assert!(began.elapsed().as_secs() < 5, "took {:?}", began.elapsed());
    }
}
