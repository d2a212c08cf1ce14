//! Traces of others on a host.

use serde::{Deserialize, Serialize};

/// Who was the last to touch something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trace {
    /// What the file says of itself.
    File {
        /// When it was modified, in seconds since 1970.
        modified: i64,
        /// Its owner.
        owner: String,
    },
    /// What apt has in its history.
    Package {
        /// When, in the host's own time.
        date: String,
        /// The command.
        command: Option<String>,
        /// The user behind sudo.
        by: Option<String>,
    },
}
