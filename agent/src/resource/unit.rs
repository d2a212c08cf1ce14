//! A systemd unit file: service, timer, socket, drop-in.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A systemd unit file: service, timer, socket, drop-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// File name under `/etc/systemd/system`: `web.service`, `redis-server.service.d/limits.conf`.
    pub name: String,
    /// The unit file.
    #[serde(default)]
    pub content: String,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(Unit);
