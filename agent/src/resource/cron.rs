//! A job in `/etc/cron.d`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Presence;

/// A job in `/etc/cron.d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// File name.
    pub name: String,
    /// Five fields or `@daily` and such.
    #[serde(default)]
    pub schedule: String,
    /// Command line for `sh`; `%` is escaped.
    #[serde(default)]
    pub command: String,
    /// User that runs it.
    #[serde(default = "root")]
    pub user: String,
    /// Environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn root() -> String {
    "root".to_owned()
}

super::not_yet!(Cron);
