//! A Python virtual environment that holds exactly what a requirements or lock file says.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A Python virtual environment that holds exactly what a requirements or lock file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PythonVenv {
    /// Absolute path.
    pub path: String,
    /// Interpreter.
    #[serde(default = "python3")]
    pub python: String,
    /// Content of the requirements file; hashes are enforced when it has any.
    #[serde(default)]
    pub requirements: String,
    /// User who owns it; root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn python3() -> String {
    "python3".to_owned()
}

super::not_yet!(PythonVenv);
