//! A file with its content; `template` becomes one too.

use serde::{Deserialize, Serialize};

use super::{Content, Mode, Presence};

/// A file with its content; `template` becomes one too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Absolute path.
    pub path: String,
    /// What it holds; not managed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Owner by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Never show its content, even where no secret is known to be in it.
    #[serde(default)]
    pub secret: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(File);
