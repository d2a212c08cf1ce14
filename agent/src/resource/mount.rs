//! A file system in `/etc/fstab` and mounted.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A file system in `/etc/fstab` and mounted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Mount point; created when missing.
    pub path: String,
    /// Device, `UUID=…` or remote.
    #[serde(default)]
    pub device: String,
    /// Type: `ext4`, `xfs`, `nfs`, `tmpfs`.
    #[serde(default)]
    pub fstype: String,
    /// Mount options.
    #[serde(default = "mount_defaults")]
    pub options: String,
    /// Mounted now, not only at boot.
    #[serde(default = "yes")]
    pub mounted: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn mount_defaults() -> String {
    "defaults".to_owned()
}

fn yes() -> bool {
    true
}

super::not_yet!(Mount);
