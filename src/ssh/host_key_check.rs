//! The check of a server's key while the connection is made.

use std::borrow::Cow;
use std::time::SystemTime;

use russh::client::Handler;
use russh::keys::{Algorithm, HashAlg, PublicKeyOrCertificate};
use russh::{Preferred, client};

use super::known_hosts::{HostName, KnownHosts, UnknownKey, Verdict, fingerprint};
use super::{Reason, SshError};

/// russh's handler of one connection: trusts a server or ends the handshake.
pub(super) struct HostKeyCheck {
    host: String,
    name: HostName,
    known: KnownHosts,
}

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error(transparent)]
    HostKey(SshError),
    #[error(transparent)]
    Ssh(#[from] russh::Error),
}

impl HostKeyCheck {
    pub fn new(host: &str, name: HostName, known: KnownHosts) -> Self {
        Self { host: host.to_owned(), name, known }
    }

    /// Algorithms in which the server should prove itself: those of its known keys first, so that a server with several
    /// keys shows the one that can be checked.
    pub fn preferred(&self) -> Preferred {
        let known = self.known.algorithms();
        let kind = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { .. });
        let is_known = |algorithm: &&Algorithm| known.iter().any(|k| k == *algorithm || (kind(k) && kind(algorithm)));
        // SHA-1 signatures can be forged.
        let usable = || Preferred::DEFAULT.key.iter().filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None });
        let first = usable().filter(is_known);
        let rest = usable().filter(|algorithm| !is_known(algorithm));
        let key: Vec<Algorithm> = first.chain(rest).cloned().collect();
        let certificates = if self.known.has_authority() { key.clone() } else { Vec::new() };
        Preferred { key: Cow::Owned(key), host_key_certificates: Cow::Owned(certificates), ..Preferred::DEFAULT }
    }

    fn judge(&self, shown: &PublicKeyOrCertificate) -> Result<(), SshError> {
        let key = shown.public_key();
        let verdict = match shown.certificate() {
            Some(certificate) => self.known.judge_certificate(certificate, SystemTime::now()),
            None => self.known.judge(&key),
        };
        let name = self.name.to_string();
        let shown = fingerprint(&key);
        let reason = match verdict {
            Verdict::Trusted => return Ok(()),
            Verdict::Unknown => {
                let unknown = UnknownKey { host: self.host.clone(), name: self.name.clone(), key };
                Reason::HostKeyUnknown(Box::new(unknown))
            }
            Verdict::Changed { known, place } => Reason::HostKeyChanged { name, shown, known, place },
            Verdict::Revoked { place } => Reason::HostKeyRevoked { name, shown, place },
            Verdict::Invalid { detail } => Reason::HostCertificate { name, detail },
        };
        Err(SshError::new(&self.host, reason))
    }
}

impl Handler for HostKeyCheck {
    type Error = HandshakeError;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        self.judge(shown).map(|()| true).map_err(HandshakeError::HostKey)
    }
}

/// A connection whose server is trusted.
pub(super) type Connection = client::Handle<HostKeyCheck>;

/// The hash to ask of an RSA key when the server names none: every server of the last ten years has it.
pub(super) const RSA_HASH: HashAlg = HashAlg::Sha512;
