//! The state of a systemd unit.

use serde::{Deserialize, Serialize};

/// The state of a systemd unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Unit name with or without `.service`.
    pub name: String,
    /// Start at boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Active now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// Masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<bool>,
    /// Handlers only: restart it.
    #[serde(default)]
    pub restart: bool,
    /// Handlers only: reload it, or restart it when it cannot reload.
    #[serde(default)]
    pub reload: bool,
}

super::not_yet!(Service);
