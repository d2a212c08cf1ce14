//! Files that cannot be used.

use std::path::PathBuf;

/// A known_hosts file that cannot be read or written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("known hosts file {}: {detail}", .path.display())]
pub struct KnownHostsError {
    /// The file.
    pub path: PathBuf,
    /// Why, with the line when there is one.
    pub detail: String,
}
