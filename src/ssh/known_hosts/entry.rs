//! One line of a known_hosts file.

use std::path::{Path, PathBuf};

use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::Marker;

/// A line that means the host that was looked up.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub marker: Option<Marker>,
    pub key: PublicKey,
    /// From the environment's own file, which goes before the user's.
    pub pinned: bool,
    file: PathBuf,
    line: usize,
}

impl Entry {
    pub fn new(marker: Option<Marker>, key: PublicKey, pinned: bool, file: &Path, line: usize) -> Self {
        Self { marker, key, pinned, file: file.to_owned(), line }
    }

    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}
