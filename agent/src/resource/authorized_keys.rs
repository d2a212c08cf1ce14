//! SSH keys that may log in as a user.

use serde::{Deserialize, Serialize};

use super::Presence;

/// SSH keys that may log in as a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorizedKeys {
    /// Login name.
    pub user: String,
    /// Public keys, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Remove every other key.
    #[serde(default)]
    pub exclusive: bool,
    /// Whether the keys should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(AuthorizedKeys);
