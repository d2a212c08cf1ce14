//! One line in a file that others own too.

use serde::{Deserialize, Serialize};

use super::Presence;

/// One line in a file that others own too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Absolute path of the file.
    pub path: String,
    /// The line, without line end.
    pub text: String,
    /// Replaces the last line that starts with this text (leading white space ignored) instead of appending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<String>,
    /// Create the file when it does not exist.
    #[serde(default)]
    pub create: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(Line);
