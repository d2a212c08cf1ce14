//! One known_hosts file.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::{HostPatterns, Marker};

use super::entry::Entry;
use super::{HostName, KnownHostsError};

/// The lines of a file, ready to be asked for many hosts: a line that names its hosts plainly is found by their names, so that
/// only lines with patterns or hashes are compared with every host.
pub(super) struct File {
    path: PathBuf,
    lines: Vec<Line>,
    /// Lines by the names on them.
    plain: HashMap<String, Vec<usize>>,
    /// Lines that have to be compared.
    others: Vec<usize>,
    /// The first line that cannot be read.
    broken: Option<String>,
}

/// A line up to its key. The key is looked at only when the line means a host: known_hosts files can be long, and a key is the
/// costly part.
struct Line {
    number: usize,
    marker: Option<Marker>,
    hosts: HostPatterns,
    /// Type and key, when both are there.
    key: Option<String>,
}

impl File {
    /// Reads a file; one that does not exist has no lines.
    ///
    /// # Errors
    /// When it cannot be read: it may hold a revocation, so it is not passed over.
    pub fn read(path: &Path) -> Result<Self, KnownHostsError> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(|error| KnownHostsError { path: path.to_owned(), detail: error.to_string() })?,
        };
        let mut file =
            Self { path: path.to_owned(), lines: Vec::new(), plain: HashMap::new(), others: Vec::new(), broken: None };
        for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            match Line::parse(line, index + 1) {
                Ok(line) => file.lines.extend(line),
                Err(why) => drop(file.broken.get_or_insert_with(|| format!("line {}: {why}", index + 1))),
            }
        }
        for (index, line) in file.lines.iter().enumerate() {
            match line.plain_names() {
                Some(names) => names.for_each(|name| file.plain.entry(name).or_default().push(index)),
                None => file.others.push(index),
            }
        }
        Ok(file)
    }

    /// The lines that mean this host, in their order.
    ///
    /// ssh leaves out lines that it cannot read, and so do we in the user's and the system's files, which may have key types
    /// that are not ours to understand. The environment's file is written by us: there a broken line is an error.
    ///
    /// # Errors
    /// A broken line of the environment's file.
    pub fn entries(&self, name: &HostName, pinned: bool) -> Result<Vec<Entry>, KnownHostsError> {
        let error = |detail: String| KnownHostsError { path: self.path.clone(), detail };
        if let (true, Some(broken)) = (pinned, &self.broken) {
            return Err(error(broken.clone()));
        }
        let named = self.plain.get(&name.to_string()).into_iter().flatten();
        let fitting = self.others.iter().filter(|&&index| name.fits(&self.lines[index].hosts));
        let mut found: Vec<usize> = named.chain(fitting).copied().collect();
        found.sort_unstable();
        found.dedup();
        let mut entries = Vec::with_capacity(found.len());
        for line in found.into_iter().map(|index| &self.lines[index]) {
            match line.key() {
                Ok(key) => entries.push(Entry::new(line.marker, key, pinned, &self.path, line.number)),
                Err(_) if !pinned => {}
                Err(why) => return Err(error(format!("line {}: {why}", line.number))),
            }
        }
        Ok(entries)
    }
}

impl Line {
    /// Reads a line; `None` when it is empty or a comment.
    fn parse(line: &str, number: usize) -> Result<Option<Self>, String> {
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
        let key = words.next().zip(words.next()).map(|(kind, key)| format!("{kind} {key}"));
        Ok(Some(Self { number, marker, hosts, key }))
    }

    /// Its names in lower case; `None` when it means more than these, or others.
    fn plain_names(&self) -> Option<impl Iterator<Item = String>> {
        let HostPatterns::Patterns(names) = &self.hosts else { return None };
        let plain = names.iter().all(|name| !name.contains(['*', '?', '!']));
        plain.then(|| names.iter().map(|name| name.to_lowercase()))
    }

    fn key(&self) -> Result<PublicKey, String> {
        let key = self.key.as_ref().ok_or("no key")?;
        PublicKey::from_openssh(key).map_err(|why| format!("cannot read the key: {why}"))
    }
}
