//! An archive unpacked into a directory.

use serde::{Deserialize, Serialize};

use super::Presence;

/// An archive unpacked into a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Directory that it is unpacked into.
    pub path: String,
    /// Where the host downloads it from; absent when the controller sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// SHA-256 of the archive, lower-case hex.
    pub sha256: String,
    /// Bytes of an archive that the controller sends; 0 for one with `url`.
    #[serde(default)]
    pub length: u64,
    /// Leading path components to drop.
    #[serde(default)]
    pub strip_components: u32,
    /// Owner of everything in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group of everything in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(Archive);
