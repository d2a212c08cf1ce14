//! A generated locale.

use serde::{Deserialize, Serialize};

/// A generated locale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Locale {
    /// `en_US.UTF-8`.
    pub name: String,
    /// Make it the default (`LANG`).
    #[serde(default)]
    pub default: bool,
}

super::not_yet!(Locale);
