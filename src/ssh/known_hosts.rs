//! Which host keys are trusted.

mod entry;
mod error;
mod file;
mod files;
mod host_name;
mod pin;
mod unknown_key;
mod verdict;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::known_hosts::Marker;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use entry::Entry;
pub use error::KnownHostsError;
pub use files::KnownHostsFiles;
pub use host_name::HostName;
pub use unknown_key::UnknownKey;
pub(super) use unknown_key::fingerprint;
pub use verdict::Verdict;

/// What all known_hosts files together say of one host.
///
/// The environment's file goes first: when it has a key of the host, keys of the user's files count no more for that host.
/// Revocations count wherever they stand.
#[derive(Clone, Debug)]
pub struct KnownHosts {
    name: HostName,
    entries: Vec<Entry>,
    /// Lines for the same host without its port.
    portless: Vec<Entry>,
}

impl KnownHosts {
    /// Adds accepted keys to the environment's file, all or none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn pin(path: &Path, keys: &[UnknownKey]) -> Result<(), KnownHostsError> {
        pin::pin(path, keys).map_err(|why| KnownHostsError { path: path.to_owned(), detail: why.to_string() })
    }

    /// Judges a plain host key.
    pub fn judge(&self, key: &PublicKey) -> Verdict {
        if let Some(revoked) = self.revoked(key) {
            return revoked;
        }
        let known = self.host_keys(&self.entries);
        if known.iter().any(|entry| same(&entry.key, key)) {
            return Verdict::Trusted;
        }
        let kind = key.algorithm();
        let nearest = known.iter().find(|entry| entry.key.algorithm() == kind).or(known.first());
        match nearest {
            Some(entry) => Verdict::Changed { known: fingerprint(&entry.key), place: entry.place() },
            None if self.host_keys(&self.portless).iter().any(|entry| same(&entry.key, key)) => Verdict::Trusted,
            None => Verdict::Unknown,
        }
    }

    /// Judges a host certificate. One that no known authority signed counts as the plain key in it.
    pub fn judge_certificate(&self, certificate: &Certificate, now: SystemTime) -> Verdict {
        let key = PublicKey::new(certificate.public_key().clone(), "");
        let authority = PublicKey::new(certificate.signature_key().clone(), "");
        if let Some(revoked) = self.revoked(&key).or_else(|| self.revoked(&authority)) {
            return revoked;
        }
        if !self.authorities().any(|entry| same(&entry.key, &authority)) {
            return self.judge(&key);
        }
        match self.check_certificate(certificate, &authority, now) {
            Ok(()) => Verdict::Trusted,
            Err(detail) => Verdict::Invalid { detail },
        }
    }

    fn check_certificate(
        &self,
        certificate: &Certificate,
        authority: &PublicKey,
        now: SystemTime,
    ) -> Result<(), String> {
        if certificate.cert_type() != CertType::Host {
            return Err("it is a user's certificate".to_owned());
        }
        if let Some((option, _)) = certificate.critical_options().iter().next() {
            return Err(format!("its critical option `{option}` is not known"));
        }
        let principals = certificate.valid_principals();
        if !principals.is_empty()
            && !principals.iter().any(|name| host_name::glob(&name.to_lowercase(), self.name.host()))
        {
            return Err(format!("it is for {}", principals.join(", ")));
        }
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if seconds < certificate.valid_after() {
            return Err("it is not valid yet; is the clock right?".to_owned());
        }
        if seconds >= certificate.valid_before() {
            return Err("it has expired".to_owned());
        }
        certificate
            .validate_at(seconds, [&authority.fingerprint(HashAlg::Sha256)])
            .map_err(|_| "its signature is wrong".to_owned())
    }

    /// Whether any file has a key or an authority for this host, so that a connection will not have to ask. What is known without
    /// the port may be that of another host behind the same address.
    pub fn is_known(&self) -> bool {
        self.entries.iter().any(|entry| entry.marker != Some(Marker::Revoked))
    }

    /// Types of the known keys: the host should show one of these rather than another that it has too.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let known = self.host_keys(&self.entries);
        let known = if known.is_empty() { self.host_keys(&self.portless) } else { known };
        known.iter().map(|entry| entry.key.algorithm()).collect()
    }

    /// Whether the host may prove itself by a certificate.
    pub(super) fn has_authority(&self) -> bool {
        self.authorities().next().is_some()
    }

    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().chain(&self.portless)
    }

    fn authorities(&self) -> impl Iterator<Item = &Entry> {
        self.all().filter(|entry| entry.marker == Some(Marker::CertAuthority))
    }

    fn revoked(&self, key: &PublicKey) -> Option<Verdict> {
        self.all()
            .find(|entry| entry.marker == Some(Marker::Revoked) && same(&entry.key, key))
            .map(|entry| Verdict::Revoked { place: entry.place() })
    }

    /// Host keys that count: the environment's, or all when it has none.
    fn host_keys<'a>(&self, entries: &'a [Entry]) -> Vec<&'a Entry> {
        let plain = || entries.iter().filter(|entry| entry.marker.is_none());
        let pinned: Vec<_> = plain().filter(|entry| entry.pinned).collect();
        if pinned.is_empty() { plain().collect() } else { pinned }
    }
}

fn same(one: &PublicKey, other: &PublicKey) -> bool {
    one.key_data() == other.key_data()
}

#[cfg(test)]
mod tests;
