//! One line of a known_hosts file.

use std::path::{Path, PathBuf};

use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::{HostPatterns, Marker};

use super::{HostName, KnownHostsError};

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
    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

/// The lines of a file that mean this host; none when there is no such file.
///
/// ssh leaves out lines that it cannot read, and so do we in the user's and the system's files, which may have key types
/// that are not ours to understand. The environment's file is written by us: there a broken line is an error.
pub(super) fn read(file: &Path, pinned: bool, name: &HostName) -> Result<Vec<Entry>, KnownHostsError> {
    let error = |detail: String| KnownHostsError { path: file.to_owned(), detail };
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        // An unreadable file may hold a revocation, so it is not passed over.
        Err(why) => return Err(error(why.to_string())),
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let found = parse(line, name);
        match found {
            Ok(Some((marker, key))) => {
                entries.push(Entry { marker, key, pinned, file: file.to_owned(), line: index + 1 });
            }
            Ok(None) => {}
            Err(_) if !pinned => {}
            Err(why) => return Err(error(format!("line {}: {why}", index + 1))),
        }
    }
    Ok(entries)
}

/// Marker and key of a line that means this host. The key of any other line is not looked at: known_hosts files can be
/// long, and a key is the costly part.
fn parse(line: &str, name: &HostName) -> Result<Option<(Option<Marker>, PublicKey)>, String> {
    let mut words = line.split_ascii_whitespace().peekable();
    let marker = match words.peek() {
        None => return Ok(None),
        Some(word) if word.starts_with('#') => return Ok(None),
        Some(word) if word.starts_with('@') => {
            let marker = word.parse::<Marker>().map_err(|_| format!("unknown marker `{word}`"))?;
            words.next();
            Some(marker)
        }
        Some(_) => None,
    };
    let hosts = words.next().ok_or("no host names")?;
    let hosts = hosts.parse::<HostPatterns>().map_err(|_| format!("cannot read the host names `{hosts}`"))?;
    if !name.fits(&hosts) {
        return Ok(None);
    }
    let (Some(kind), Some(key)) = (words.next(), words.next()) else {
        return Err("no key".to_owned());
    };
    let key = PublicKey::from_openssh(&format!("{kind} {key}")).map_err(|why| format!("cannot read the key: {why}"))?;
    Ok(Some((marker, key)))
}
