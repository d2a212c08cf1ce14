//! The host's name, now and at boot.

use serde::{Deserialize, Serialize};

/// The host's name, now and at boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hostname {
    /// Host name.
    pub name: String,
}

super::not_yet!(Hostname);
