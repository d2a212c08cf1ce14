//! A block of lines between two marker comments in a file that others own too.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A block of lines between two marker comments in a file that others own too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Absolute path of the file.
    pub path: String,
    /// Name of the block, part of its markers.
    pub name: String,
    /// The lines.
    #[serde(default)]
    pub content: String,
    /// What starts a comment in this file.
    #[serde(default = "hash")]
    pub comment: String,
    /// Create the file when it does not exist.
    #[serde(default)]
    pub create: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn hash() -> String {
    "#".to_owned()
}

super::not_yet!(Block);
