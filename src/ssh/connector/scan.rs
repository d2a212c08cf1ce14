//! What a first look at hosts finds out.

use super::super::{SshError, UnknownKey};

/// What a [`Connector::scan`] found out.
#[derive(Debug, Default)]
pub struct Scan {
    /// Keys to accept or refuse, each once, in the order of the targets.
    pub unknown: Vec<UnknownKey>,
    /// Targets whose key could not be had, or must not be trusted.
    pub failed: Vec<SshError>,
}
