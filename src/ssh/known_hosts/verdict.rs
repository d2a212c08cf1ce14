//! The outcome of a look at a key.

/// What the known_hosts files say of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the host's key.
    Trusted,
    /// Nobody knows a key of this host.
    Unknown,
    /// The host is known by another key.
    Changed {
        /// Type and fingerprint of the known key, of the same type if there is one.
        known: String,
        /// `file:line` of it.
        place: String,
    },
    /// The key, or the authority that signed it, is revoked.
    Revoked {
        /// `file:line` of the revocation.
        place: String,
    },
    /// A known authority signed the certificate, but it is not good for this host now.
    Invalid {
        /// Why.
        detail: String,
    },
}
