//! The known_hosts files of a run.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::entry::Entry;
use super::file::File;
use super::{HostName, KnownHosts, KnownHostsError};

/// Files that hosts are looked up in. Each is read once, and again when it has changed: with as many lines as hosts, reading it
/// for every host would take the square of their number.
#[derive(Default)]
pub struct KnownHostsFiles(Mutex<HashMap<PathBuf, Known>>);

/// A file as it was read.
struct Known {
    /// `None` when there was none.
    stamp: Option<Stamp>,
    file: Arc<File>,
}

/// What tells that a file is still the same.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: (u64, u64),
    length: u64,
    changed: (i64, i64),
}

impl KnownHostsFiles {
    /// Looks a host up in the environment's file and in others. A file that does not exist says nothing.
    ///
    /// # Errors
    /// When a file cannot be read, or the environment's has a broken line.
    pub fn look_up(
        &self,
        name: HostName,
        pinned: Option<&Path>,
        others: &[PathBuf],
    ) -> Result<KnownHosts, KnownHostsError> {
        let mut files = Vec::with_capacity(1 + others.len());
        for (path, pinned) in
            pinned.map(|path| (path, true)).into_iter().chain(others.iter().map(|path| (path.as_path(), false)))
        {
            files.push((self.file(path)?, pinned));
        }
        let all = |name: &HostName| -> Result<Vec<Entry>, KnownHostsError> {
            let mut entries = Vec::new();
            for (file, pinned) in &files {
                entries.extend(file.entries(name, *pinned)?);
            }
            Ok(entries)
        };
        let entries = all(&name)?;
        let portless = name.without_port().map(|name| all(&name)).transpose()?.unwrap_or_default();
        Ok(KnownHosts { name, entries, portless })
    }

    fn file(&self, path: &Path) -> Result<Arc<File>, KnownHostsError> {
        // The stamp is taken before the file is read: one that changes in between is read once more.
        let stamp = std::fs::metadata(path).ok().map(|found| Stamp {
            inode: (found.dev(), found.ino()),
            length: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
        });
        // The map is whole whenever the lock is free, so a panic elsewhere does not spoil it.
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = files.get(path).filter(|known| known.stamp == stamp) {
            return Ok(Arc::clone(&known.file));
        }
        let file = Arc::new(File::read(path)?);
        files.insert(path.to_owned(), Known { stamp, file: Arc::clone(&file) });
        Ok(file)
    }
}
