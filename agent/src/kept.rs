//! Small named records that a team keeps on this host, such as who holds the environment's lock. Each is replaced only by one
//! who has seen the current one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::host::{Attributes, Host, create_folder, open_lock};
use crate::secret::hex;
use crate::step_error::StepError;

/// Bytes of the largest record.
pub const LARGEST: usize = 4 << 20;

/// Bytes of the longest key.
const LONGEST_KEY: usize = 200;

/// Tells one content of a record from another. Opaque: here the digest of the content, elsewhere what the place gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// A version as its keeper names it.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(content: &[u8]) -> Self {
        Self(hex(&Sha256::digest(content)))
    }
}

/// A record as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What it holds.
    pub content: Vec<u8>,
    /// What to show to replace or remove it.
    pub version: Version,
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is written, and has this version.
    Done(Version),
    /// Nothing was written: the record is not the one that was seen, but this one, or none.
    Moved(Option<Kept>),
}

/// How a removal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is no longer there.
    Done,
    /// Nothing was removed: the record is not the one that was seen, but this one, or none.
    Moved(Option<Kept>),
}

/// The records of one environment on a host: files in the folder `kept` of its state. What is read is never half written, and
/// one change is made at a time.
pub struct Records<'h> {
    host: &'h Host,
}

impl<'h> Records<'h> {
    /// The records in the state of this host; nothing is created before the first is written.
    pub fn of(host: &'h Host) -> Self {
        Self { host }
    }

    /// The record with this key. A key is one or more names between slashes; a name is made of letters, digits and `-`.
    ///
    /// # Errors
    /// When it is there and cannot be read, or the key is none.
    pub fn get(&self, key: &str) -> Result<Option<Kept>, StepError> {
        let content = self.host.read(&self.path(key)?)?;
        Ok(content.map(|content| Kept { version: Version::of(&content), content }))
    }

    /// Writes a record that is still as it was `seen`, where `None` means that there was none. It is on the disk when this
    /// returns.
    ///
    /// # Errors
    /// When it cannot be written or is larger than [`LARGEST`], or the key is none.
    pub fn put(&self, key: &str, content: &[u8], seen: Option<&Version>) -> Result<Put, StepError> {
        let path = self.path(key)?;
        if content.len() > LARGEST {
            let text = format!("the record {key} would have {} bytes, and {LARGEST} are the limit", content.len());
            return Err(StepError::new(text));
        }
        let _lock = self.lock()?;
        let current = self.get(key)?;
        if current.as_ref().map(|kept| &kept.version) != seen {
            return Ok(Put::Moved(current));
        }
        path.parent().map_or(Ok(()), create_folder)?;
        self.host.write(&path, content, Attributes::of_mode(0o600))?;
        Ok(Put::Done(Version::of(content)))
    }

    /// Removes a record that is still as it was `seen`.
    ///
    /// # Errors
    /// When it cannot be removed, or the key is none.
    pub fn remove(&self, key: &str, seen: &Version) -> Result<Removed, StepError> {
        let path = self.path(key)?;
        let _lock = self.lock()?;
        match self.get(key)? {
            Some(current) if current.version == *seen => self.host.remove(&path).map(|()| Removed::Done),
            current => Ok(Removed::Moved(current)),
        }
    }

    /// The keys of the records right below this one, in order.
    ///
    /// # Errors
    /// When the folder is there and cannot be read, or the key is none.
    pub fn list(&self, folder: &str) -> Result<Vec<String>, StepError> {
        let path = self.path(folder)?;
        let io = |error| StepError::io("list", &path, &error);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io)?,
        };
        let mut keys = BTreeSet::new();
        for entry in entries {
            let entry = entry.map_err(io)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // What was left of a write that was cut off has a name that no record has.
            if is_name(&name) && entry.file_type().map_err(io)?.is_file() {
                keys.insert(format!("{folder}/{name}"));
            }
        }
        Ok(keys.into_iter().collect())
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.host.state().join("kept")
    }

    fn path(&self, key: &str) -> Result<PathBuf, StepError> {
        if key.len() > LONGEST_KEY || !key.split('/').all(is_name) {
            let text = format!("`{key}` cannot be the key of a record: it is a path of letters, digits and `-`");
            return Err(StepError::new(text));
        }
        Ok(self.folder().join(key))
    }

    /// Waits for its turn: a change takes milliseconds. The lock is free again when its holder ends, however it ends.
    fn lock(&self) -> Result<File, StepError> {
        let folder = self.folder();
        create_folder(&folder)?;
        let path = folder.join(".lock");
        let file = open_lock(&path)?;
        rustix::io::retry_on_intr(|| flock(&file, FlockOperation::LockExclusive))
            .map_err(|error| StepError::io("lock", &path, &error.into()))?;
        Ok(file)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kept(content: &str) -> Kept {
        Kept { content: content.into(), version: Version::of(content.as_bytes()) }
    }

    #[test]
    fn a_record_is_replaced_only_by_who_has_seen_it() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(folder.path().join("e"));
        let records = Records::of(&host);
        let (one, two) = (kept("one"), kept("two"));
        assert_eq!(records.get("lock").unwrap(), None);
        assert_eq!(records.put("lock", b"one", Some(&two.version)).unwrap(), Put::Moved(None));
        assert_eq!(records.put("lock", b"one", None).unwrap(), Put::Done(one.version.clone()));
        assert_eq!(records.put("lock", b"two", None).unwrap(), Put::Moved(Some(one.clone())));
        assert_eq!(records.put("lock", b"two", Some(&one.version)).unwrap(), Put::Done(two.version.clone()));
        assert_eq!(records.get("lock").unwrap(), Some(two.clone()));
        assert_eq!(records.remove("lock", &one.version).unwrap(), Removed::Moved(Some(two.clone())));
        assert_eq!(records.remove("lock", &two.version).unwrap(), Removed::Done);
        assert_eq!(records.remove("lock", &two.version).unwrap(), Removed::Moved(None));
    }

    #[test]
    fn keys_are_listed_in_order_without_what_a_cut_off_write_left() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(folder.path().join("e"));
        let records = Records::of(&host);
        assert!(records.list("history").unwrap().is_empty());
        for key in ["history/2-b", "history/1-A", "lock"] {
            records.put(key, b"x", None).unwrap();
        }
        fs::write(folder.path().join("e/kept/history/.3-c.cc-cloud"), "ha").unwrap();
        assert_eq!(records.list("history").unwrap(), ["history/1-A", "history/2-b"]);
    }

    #[test]
    fn nothing_outside_of_the_folder_has_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(folder.path().join("e"));
        let records = Records::of(&host);
        let long = "x".repeat(LONGEST_KEY + 1);
        for key in ["", "/etc/passwd", "..", "a/../b", "a//b", "a/", "lock.1", ".lock", "a b", "a\0b", long.as_str()] {
            assert!(records.get(key).is_err(), "{key}");
            assert!(records.put(key, b"x", None).is_err(), "{key}");
            assert!(records.list(key).is_err(), "{key}");
        }
        assert!(!folder.path().join("e").exists());
    }

    #[test]
    fn a_record_that_is_too_large_leaves_the_current_one() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(folder.path());
        let records = Records::of(&host);
        records.put("a", b"x", None).unwrap();
        let seen = kept("x").version;
        assert!(records.put("a", &vec![0; LARGEST + 1], Some(&seen)).unwrap_err().message.contains("limit"));
        assert!(matches!(records.put("a", &vec![0; LARGEST], Some(&seen)).unwrap(), Put::Done(_)));
    }
}
