//! The time zone.

use serde::{Deserialize, Serialize};

/// The time zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Timezone {
    /// `Etc/UTC`, `Africa/Maseru`.
    pub name: String,
}

super::not_yet!(Timezone);
