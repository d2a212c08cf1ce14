//! An address in `/etc/hosts`.

use serde::{Deserialize, Serialize};

use super::Presence;

/// An address in `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostsEntry {
    /// Canonical name.
    pub name: String,
    /// IP address.
    #[serde(default)]
    pub address: String,
    /// Further names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(HostsEntry);
