//! A directory.

use serde::{Deserialize, Serialize};

use super::{Mode, Presence};

/// A directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Absolute path.
    pub path: String,
    /// Owner by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// With `state: absent`: remove it with everything in it; without, only when empty.
    #[serde(default)]
    pub force: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(Directory);
