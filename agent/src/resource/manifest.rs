//! What was unpacked from an archive, to see cheaply whether it is all still there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::host::{Attributes, Host};
use crate::ordered::ordered;
use crate::secret::hex;
use crate::step_error::StepError;

/// What was unpacked, and from what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Digest of the archive.
    pub(super) sha256: String,
    /// Leading path components that were dropped.
    pub(super) strip_components: u32,
    /// Everything in the directory by its path in it.
    entries: BTreeMap<String, Entry>,
}

/// What tells that something was changed, without reading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    mode: u32,
    uid: u32,
    gid: u32,
    /// Bytes and time of modification in nanoseconds; only of files, because a directory changes with what is put into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<(u64, i64)>,
}

impl Manifest {
    /// What is in a directory.
    pub(super) fn of(folder: &Path, sha256: &str, strip_components: u32) -> Result<Self, StepError> {
        let mut manifest = Self { sha256: sha256.to_owned(), strip_components, entries: BTreeMap::new() };
        walk(folder, &mut |path, meta| {
            let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
            manifest.entries.insert(name, Entry::of(meta));
            Ok(())
        })?;
        Ok(manifest)
    }

    /// What was written down when this directory was unpacked.
    pub(super) fn read(host: &Host, folder: &str) -> Result<Option<Self>, StepError> {
        let text = host.read(&place(host, folder))?;
        // One that cannot be understood is as good as none: the archive is unpacked again.
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    /// Writes it down.
    pub(super) fn write(&self, host: &Host, folder: &str) -> Result<(), StepError> {
        let path = place(host, folder);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| StepError::io("create the folder", parent, &error))?;
        }
        let text = serde_json::to_vec(self).map_err(|error| StepError::io("write", &path, &error.into()))?;
        host.write(&path, &text, Attributes::of_mode(0o600))
    }

    /// Forgets what was written down.
    pub(super) fn forget(host: &Host, folder: &str) -> Result<(), StepError> {
        host.remove(&place(host, folder))
    }

    /// What of it is missing or changed, and how many other things are there.
    pub(super) fn compare(&self, folder: &Path) -> Result<(Vec<String>, usize), StepError> {
        let mut others = 0;
        let mut damaged: BTreeSet<&str> = ordered(self.entries.keys().map(String::as_str));
        walk(folder, &mut |path, meta| {
            let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
            match self.entries.get(name.as_ref()) {
                Some(entry) if *entry == Entry::of(meta) => {
                    damaged.remove(name.as_ref());
                }
                Some(_) => {}
                None => others += 1,
            }
            Ok(())
        })?;
        Ok((damaged.into_iter().map(str::to_owned).collect(), others))
    }

    /// Whether everything belongs to this owner and group.
    pub(super) fn belongs(&self, uid: Option<u32>, gid: Option<u32>) -> bool {
        let right = |entry: &Entry| uid.is_none_or(|uid| entry.uid == uid) && gid.is_none_or(|gid| entry.gid == gid);
        self.entries.values().all(right)
    }
}

impl Entry {
    fn of(meta: &fs::Metadata) -> Self {
        let file = meta.is_file().then(|| (meta.size(), meta.mtime() * 1_000_000_000 + meta.mtime_nsec()));
        Self { mode: meta.mode(), uid: meta.uid(), gid: meta.gid(), file }
    }
}

/// Where the manifest of a directory is.
fn place(host: &Host, folder: &str) -> PathBuf {
    use sha2::{Digest as _, Sha256};
    host.state().join("archives").join(format!("{}.json", hex(&Sha256::digest(folder.as_bytes()))))
}

/// Visits everything under a directory, and the directory itself, without following links.
pub(super) fn walk(
    folder: &Path,
    visit: &mut dyn FnMut(&Path, &fs::Metadata) -> Result<(), StepError>,
) -> Result<(), StepError> {
    let mut rest = vec![folder.to_owned()];
    while let Some(path) = rest.pop() {
        let meta = fs::symlink_metadata(&path).map_err(|error| StepError::io("look at", &path, &error))?;
        visit(&path, &meta)?;
        if meta.is_dir() {
            for entry in fs::read_dir(&path).map_err(|error| StepError::io("read", &path, &error))? {
                rest.push(entry.map_err(|error| StepError::io("read", &path, &error))?.path());
            }
        }
    }
    Ok(())
}
