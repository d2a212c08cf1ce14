//! The record of a run's events on this host: one reply a line as the controller gets it, so that nobody has to be there when
//! something happens. The number of a line is the number of its event.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::step_error::StepError;

/// A record of more bytes than this keeps of each further change only its kind.
const LARGE: usize = 4 << 20;
/// Bytes that are read at once.
const PIECE: u64 = 1 << 16;
/// Records that are kept, the newest ones.
const KEPT: usize = 5;

/// The record of one run, open for more.
pub(crate) struct EventLog {
    file: File,
    size: usize,
    /// The number of the next event.
    next: u64,
}

impl EventLog {
    /// Opens the record of a run, and makes it and room for it where it is not there. What an agent that was killed has left
    /// of a line goes.
    ///
    /// # Errors
    /// When it cannot be written, or the run's name cannot be that of a file.
    pub(crate) fn open(state: &Path, run: &str) -> Result<Self, StepError> {
        let path = path(state, run)?;
        let write = |error| StepError::io("write", &path, &error);
        if !path.exists() {
            make_room(&folder(state))?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path).map_err(write)?;
        let bytes = fs::read(&path).map_err(write)?;
        let size = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(size as u64).map_err(write)?;
        let next = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(Self { file, size, next })
    }

    /// The number of the next event.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Adds a reply. The last one of an apply is on the disk afterwards; the others survive the agent.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn append(&mut self, reply: &[u8]) -> io::Result<()> {
        let mut line = reply.to_vec();
        if self.size > LARGE {
            let mut value = serde_json::from_slice(reply)?;
            shorten(&mut value);
            line = serde_json::to_vec(&value)?;
        }
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.size += line.len();
        self.next += 1;
        if is_event(reply) { Ok(()) } else { self.file.sync_data() }
    }
}

/// The record of one run, as somebody reads it who may be faster than what happens.
pub(crate) struct EventLines {
    file: File,
    /// What was read and not yet given.
    read: Vec<u8>,
    /// Whether the last line was an event, so that its apply has not ended.
    pub(crate) under_way: bool,
}

impl EventLines {
    /// Opens the record of a run before the event with this number; `None` when there is no record.
    ///
    /// # Errors
    /// When it cannot be read, or has fewer events.
    pub(crate) fn open(state: &Path, run: &str, from: u64) -> Result<Option<Self>, StepError> {
        let path = path(state, run)?;
        let read = |error| StepError::io("read", &path, &error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && from == 0 => return Ok(None),
            Err(error) => return Err(read(error)),
        };
        let mut lines = Self { file, read: Vec::new(), under_way: false };
        for number in 0..from {
            if lines.next().map_err(read)?.is_none() {
                let text = format!("{} has only {number} of the {from} events that were seen", path.display());
                return Err(StepError::new(text).hint("the host was restored from an older state: deploy again"));
            }
        }
        Ok(Some(lines))
    }

    /// The next whole line; `None` when there is none yet.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let end = loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                break end;
            }
            if (&self.file).take(PIECE).read_to_end(&mut self.read)? == 0 {
                return Ok(None);
            }
        };
        let rest = self.read.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.read, rest);
        line.pop();
        self.under_way = is_event(&line);
        Ok(Some(line))
    }
}

/// Whether a reply is an event: then its apply goes on.
pub(crate) fn is_event(reply: &[u8]) -> bool {
    reply.starts_with(br#"{"reply":"event""#)
}

/// Removes the oldest records, so that with a new one there are no more than are kept.
fn make_room(folder: &Path) -> Result<(), StepError> {
    let failed = |error| StepError::io("make room in", folder, &error);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        let error = StepError::io("create the folder", folder, &error);
        error.hint("the agent keeps its journal and ledger there: without it nothing is changed")
    })?;
    let mut records = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        records.push((entry.metadata().and_then(|meta| meta.modified()).map_err(failed)?, entry.path()));
    }
    while records.len() >= KEPT {
        let oldest = (0..records.len()).min_by_key(|at| records[*at].0).unwrap_or_default();
        fs::remove_file(records.swap_remove(oldest).1).map_err(failed)?;
    }
    Ok(())
}

/// Leaves of every change only its kind.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "change" => *value = json!({"kind": value["kind"]}),
                    _ => shorten(value),
                }
            }
        }
        _ => {}
    }
}

fn folder(state: &Path) -> PathBuf {
    state.join("runs")
}

fn path(state: &Path, run: &str) -> Result<PathBuf, StepError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if run.is_empty() || !run.chars().all(plain) {
        return Err(StepError::new(format!("`{run}` cannot be the name of a run: it is the name of a file too")));
    }
    Ok(folder(state).join(run))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EVENT: &[u8] = br#"{"reply":"event","event":"started","id":"a"}"#;
    const END: &[u8] = br#"{"reply":"applied","outcomes":[]}"#;

    fn rest(lines: &mut EventLines) -> usize {
        std::iter::from_fn(|| lines.next().unwrap()).count()
    }

    #[test]
    fn what_is_written_later_is_read_later_and_a_torn_line_never() {
        let state = tempfile::tempdir().unwrap();
        assert!(EventLines::open(state.path(), "r1", 0).unwrap().is_none());
        let mut log = EventLog::open(state.path(), "r1").unwrap();
        let mut lines = EventLines::open(state.path(), "r1", 0).unwrap().unwrap();
        log.append(EVENT).unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), EVENT);
        assert!(lines.next().unwrap().is_none() && lines.under_way);
        log.file.write_all(b"{\"reply\":\"app").unwrap();
        assert!(lines.next().unwrap().is_none());
        log.file.write_all(b"lied\"}\n").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), br#"{"reply":"applied"}"#);
        assert!(!lines.under_way);
        log.file.write_all(b"{\"reply\":\"ev").unwrap();

        let mut log = EventLog::open(state.path(), "r1").unwrap();
        assert_eq!(log.next(), 2);
        log.append(END).unwrap();
        assert_eq!(rest(&mut EventLines::open(state.path(), "r1", 0).unwrap().unwrap()), 3);
        assert_eq!(rest(&mut EventLines::open(state.path(), "r1", 2).unwrap().unwrap()), 1);
        let error = EventLines::open(state.path(), "r1", 4).err().unwrap();
        assert!(error.message.contains("only 3 of the 4 events"), "{error}");
    }

    #[test]
    fn records_are_few_and_of_bounded_size() {
        let state = tempfile::tempdir().unwrap();
        for run in 0..9 {
            EventLog::open(state.path(), &format!("r{run}")).unwrap();
        }
        assert_eq!(fs::read_dir(folder(state.path())).unwrap().count(), KEPT);
        let mut log = EventLog::open(state.path(), "r9").unwrap();
        let change = json!({"kind": "create", "details": [{"kind": "note", "text": "x".repeat(1 << 20)}]});
        let finished = json!({"reply": "event", "event": "finished", "id": "a", "change": change, "millis": 1});
        for _ in 0..100 {
            log.append(&serde_json::to_vec(&finished).unwrap()).unwrap();
        }
        let size = fs::metadata(path(state.path(), "r9").unwrap()).unwrap().len();
        assert!(size < 6 << 20, "{size}");
        let mut lines = EventLines::open(state.path(), "r9", 99).unwrap().unwrap();
        let last: crate::protocol::Reply = serde_json::from_slice(&lines.next().unwrap().unwrap()).unwrap();
        assert!(matches!(last, crate::protocol::Reply::Event(crate::protocol::Event::Finished(_))));
    }

    #[test]
    fn a_run_is_no_path() {
        for run in ["", "../x", "a/b", ".", "a\nb"] {
            assert!(EventLog::open(Path::new("/nonexistent"), run).is_err());
        }
    }
}
