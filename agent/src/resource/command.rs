//! A command that runs when its guard says so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Always;

/// A command that runs when its guard says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What it does, for the plan.
    pub name: String,
    /// Program and arguments, without a shell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// A line for `sh -eu -c` instead of `argv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// Runs only while this path does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creates: Option<String>,
    /// Runs only while this `sh` line fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<String>,
    /// `always`: runs in every deploy and says so in every plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Always>,
    /// Working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// User to run as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment; may hold secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Standard input; may hold secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// Seconds until it is killed.
    #[serde(default = "ten_minutes")]
    pub timeout: u64,
}

fn ten_minutes() -> u64 {
    600
}

super::not_yet!(Command);
