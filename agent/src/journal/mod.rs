//! What runs did on this host: one JSON object a line, written before and after each step that changes something.

mod record;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub use record::{Entry, Record};
use serde_json::Value;

use crate::step::StepId;
use crate::step_error::StepError;

/// A journal of more bytes than this is put aside when the next run begins; one that was put aside is kept.
const LARGE: u64 = 4 << 20;

/// The journal of one environment on this host, open for a run.
pub struct Journal {
    path: PathBuf,
    file: File,
    run: String,
}

impl Journal {
    /// Opens the journal in this folder for a run, and creates it where needed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(folder: &Path, run: &str) -> Result<Self, StepError> {
        let path = folder.join("journal");
        let rotate = fs::metadata(&path).is_ok_and(|meta| meta.len() > LARGE);
        let pending = if rotate { pending(folder)? } else { Vec::new() };
        if rotate {
            fs::rename(&path, folder.join("journal.1")).map_err(|error| StepError::io("rotate", &path, &error))?;
        }
        let io = |error| StepError::io("write", &path, &error);
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path).map_err(io)?;
        if !ends_a_line(&mut file).map_err(io)? {
            file.write_all(b"\n").map_err(io)?;
        }
        let mut journal = Self { path, file, run: run.to_owned() };
        if !pending.is_empty() {
            journal.append(Entry::Pending { handlers: pending })?;
        }
        Ok(journal)
    }

    /// Adds a record; it survives the agent at once and the host after the next [`Journal::sync`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&mut self, entry: Entry) -> Result<(), StepError> {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis());
        let record = Record { run: self.run.clone(), at: u64::try_from(at).unwrap_or(u64::MAX), entry };
        let line = serde_json::to_value(&record).and_then(|value| serde_json::to_vec(&value)).map(|mut line| {
            line.push(b'\n');
            line
        });
        let written = line.map_err(io::Error::from).and_then(|line| self.file.write_all(&line));
        written.map_err(|error| StepError::io("write", &self.path, &error))
    }

    /// Waits until all records are on the disk.
    ///
    /// # Errors
    /// When the disk says so.
    pub fn sync(&mut self) -> Result<(), StepError> {
        self.file.sync_data().map_err(|error| StepError::io("write", &self.path, &error))
    }
}

/// Handlers that were notified and did not end well since, in the order in which they were first notified.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn pending(folder: &Path) -> Result<Vec<StepId>, StepError> {
    let mut pending: Vec<StepId> = Vec::new();
    for line in lines(folder)? {
        // Field by field: what derives a record from a line is a hundredth of the agent.
        let record: Value = serde_json::from_slice(line.as_bytes()).unwrap_or_default();
        let notified = match record["record"].as_str() {
            Some("begin") => &record["notify"],
            Some("pending") => &record["handlers"],
            Some("end") if record["error"].is_null() => {
                pending.retain(|handler| record["id"] != *handler);
                continue;
            }
            _ => continue,
        };
        for handler in notified.as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !pending.iter().any(|known| known == handler) {
                pending.push(handler.to_owned());
            }
        }
    }
    Ok(pending)
}

/// The records of the newest runs, oldest first.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn newest(folder: &Path, runs: usize) -> Result<Vec<Value>, StepError> {
    let lines = lines(folder)?;
    let records: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_slice(line.as_bytes()).ok()).collect();
    let mut names: Vec<&str> = Vec::new();
    for run in records.iter().rev().filter_map(|record| record["run"].as_str()) {
        if !names.contains(&run) {
            if names.len() == runs {
                break;
            }
            names.push(run);
        }
    }
    let kept = |record: &&Value| record["run"].as_str().is_some_and(|run| names.contains(&run));
    Ok(records.iter().filter(kept).cloned().collect())
}

/// All lines, the older file's first. What is torn at the end of one is passed on and is no JSON.
fn lines(folder: &Path) -> Result<Vec<String>, StepError> {
    let mut lines = Vec::new();
    for name in ["journal.1", "journal"] {
        let path = folder.join(name);
        match fs::read(&path) {
            Ok(bytes) => lines.extend(String::from_utf8_lossy(&bytes).lines().map(str::to_owned)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StepError::io("read", &path, &error)),
        }
    }
    Ok(lines)
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::change::ChangeKind;

    fn begin(id: &str, notify: &[&str]) -> Entry {
        let notify = notify.iter().map(|&name| name.to_owned()).collect();
        Entry::Begin { id: id.to_owned(), change: ChangeKind::Update, notify }
    }

    fn end(id: &str, error: Option<StepError>) -> Entry {
        Entry::End { id: id.to_owned(), millis: 1, error }
    }

    #[test]
    fn a_handler_is_pending_from_the_begin_of_its_step_until_it_ended_well() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "r1").unwrap();
        assert!(pending(folder.path()).unwrap().is_empty());
        journal.append(begin("a/file:/x", &["a/handler:restart", "a/handler:reload"])).unwrap();
        assert_eq!(pending(folder.path()).unwrap(), ["a/handler:restart", "a/handler:reload"]);
        journal.append(end("a/handler:reload", Some(StepError::new("no")))).unwrap();
        journal.append(end("a/handler:restart", None)).unwrap();
        assert_eq!(pending(folder.path()).unwrap(), ["a/handler:reload"]);
    }

    #[test]
    fn a_torn_line_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "r1").unwrap();
        journal.append(begin("a", &["h1"])).unwrap();
        journal.file.write_all(b"{\"run\":\"r1\",\"at\":1,\"rec").unwrap();
        let mut journal = Journal::open(folder.path(), "r2").unwrap();
        journal.append(begin("b", &["h2"])).unwrap();
        assert_eq!(pending(folder.path()).unwrap(), ["h1", "h2"]);
        assert_eq!(newest(folder.path(), 1).unwrap().len(), 1);
        assert_eq!(newest(folder.path(), 5).unwrap().len(), 2);
    }

    #[test]
    fn a_large_journal_is_rotated_and_forgets_no_handler() {
        let folder = tempfile::tempdir().unwrap();
        for run in 0..6 {
            let mut journal = Journal::open(folder.path(), &format!("r{run}")).unwrap();
            if run == 0 {
                journal.append(begin("a", &["h1"])).unwrap();
            }
            let long = StepError::new("x".repeat(3 << 20));
            journal.append(end("a", Some(long))).unwrap();
        }
        let size: u64 =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert!(size < 16 << 20, "{size}");
        assert_eq!(pending(folder.path()).unwrap(), ["h1"]);
    }
}
