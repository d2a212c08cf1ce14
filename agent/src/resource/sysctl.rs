//! A kernel parameter, now and at boot.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A kernel parameter, now and at boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sysctl {
    /// Key with dots: `net.core.somaxconn`.
    pub name: String,
    /// Value.
    #[serde(default)]
    pub value: String,
    /// Whether it should be set at boot; absent leaves the running value.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(Sysctl);
