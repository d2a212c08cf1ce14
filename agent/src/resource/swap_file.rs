//! A swap file, on now and at boot.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A swap file, on now and at boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SwapFile {
    /// Absolute path.
    pub path: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(SwapFile);
