//! A host key that nobody has accepted yet.

use russh::keys::{HashAlg, PublicKey};

use super::HostName;

/// A host key that no known_hosts file has, for a person to accept or refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    /// The host's name in the inventory, or the address of a jump host.
    pub host: String,
    /// The name to pin it under.
    pub name: HostName,
    /// The key.
    pub key: PublicKey,
}

impl UnknownKey {
    /// Type and SHA-256 fingerprint: `ssh-ed25519 SHA256:…`.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.key)
    }

    /// `ed25519`, `ecdsa` or `rsa`, as in the file names under `/etc/ssh`.
    pub fn kind(&self) -> &'static str {
        let algorithm = self.key.algorithm();
        ["ed25519", "ecdsa", "rsa"].into_iter().find(|kind| algorithm.as_str().contains(kind)).unwrap_or("*")
    }
}

pub(in crate::ssh) fn fingerprint(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}
