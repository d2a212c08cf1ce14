//! A git checkout at a revision.

use serde::{Deserialize, Serialize};

/// A git checkout at a revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// Absolute path of the work tree.
    pub path: String,
    /// Address to clone from.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// User who owns it and runs git; root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

super::not_yet!(Git);
