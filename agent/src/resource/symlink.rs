//! A symbolic link.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    /// Absolute path of the link.
    pub path: String,
    /// What it points to, as written.
    #[serde(default)]
    pub target: String,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(Symlink);
