//! Files and folders.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};

use super::{MOST, Outcome, bounded, failed};
use crate::ordered::ordered;

/// The text of a file. A folder, or a file that is not there, is no text.
pub(super) fn text(path: &str) -> Outcome {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MOST as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => {
            let (text, cut) = bounded(bytes);
            Outcome::Text { text, cut }
        }
        Err(error) => refused(&error),
    }
}

/// The names in a folder.
pub(super) fn names(path: &str) -> Outcome {
    match fs::read_dir(path) {
        Ok(entries) => {
            let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
            let names: BTreeSet<String> = ordered(names);
            Outcome::Names { names: names.into_iter().collect() }
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &io::Error) -> Outcome {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Outcome::Absent,
        ErrorKind::PermissionDenied => Outcome::Denied,
        _ => failed(error),
    }
}
