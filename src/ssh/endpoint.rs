//! Where an SSH server listens and who logs in there.

use std::path::PathBuf;
use std::str::FromStr;

/// An SSH server: what the inventory says of it. What is `None` or empty comes from the user's ssh settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// IP address, DNS name, or an alias of the user's ssh_config.
    pub address: String,
    /// Port.
    pub port: Option<u16>,
    /// User.
    pub user: Option<String>,
    /// Private key files, tried before all others.
    pub identity_files: Vec<PathBuf>,
}

impl Endpoint {
    /// An endpoint of which only the address is known.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), port: None, user: None, identity_files: Vec::new() }
    }
}

/// Not of the form `[user@]host[:port]` or `ssh://[user@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form [user@]host[:port], with IPv6 addresses in brackets when a port follows")]
pub struct EndpointError(String);

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || EndpointError(text.to_owned());
        let rest = text.strip_prefix("ssh://").unwrap_or(text);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let (address, port) = if let Some(inner) = rest.strip_prefix('[') {
            let (address, after) = inner.split_once(']').ok_or_else(error)?;
            (address, if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or_else(error)?) })
        } else {
            match rest.split_once(':') {
                Some((_, port)) if port.contains(':') => (rest, None),
                Some((address, port)) => (address, Some(port)),
                None => (rest, None),
            }
        };
        let port = port.map(str::parse).transpose().map_err(|_| error())?;
        let strange = |text: &str| text.is_empty() || text.starts_with('-') || text.contains(char::is_whitespace);
        if strange(address) || user.is_some_and(strange) || port == Some(0) {
            return Err(error());
        }
        Ok(Self { port, user: user.map(str::to_owned), ..Self::new(address) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(Option<String>, String, Option<u16>)> {
        text.parse::<Endpoint>().ok().map(|found| (found.user, found.address, found.port))
    }

    #[test]
    fn reads_users_ports_and_ipv6() {
        let some = |user: Option<&str>, address: &str, port| Some((user.map(str::to_owned), address.to_owned(), port));
        assert_eq!(parts("bastion"), some(None, "bastion", None));
        assert_eq!(parts("ops@bastion:2222"), some(Some("ops"), "bastion", Some(2222)));
        assert_eq!(parts("ssh://ops@bastion:2222/"), some(Some("ops"), "bastion", Some(2222)));
        assert_eq!(parts("a@corp@bastion"), some(Some("a@corp"), "bastion", None));
        assert_eq!(parts("fe80::1"), some(None, "fe80::1", None));
        assert_eq!(parts("ops@[fe80::1]:22"), some(Some("ops"), "fe80::1", Some(22)));
    }

    #[test]
    fn refuses_what_ssh_could_misread() {
        for text in
            ["", "@host", "host:", "host:x", "host:0", "host:70000", "-oProxyCommand=x", "[::1", "[::1]x", "a b"]
        {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
