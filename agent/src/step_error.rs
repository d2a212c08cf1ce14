//! Why a step failed, in the words of the thing that failed.

use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Why a step failed, for a person: secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// What went wrong, with the path or name of the thing.
    pub message: String,
    /// The command that failed, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Its last 20 lines of output, both streams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
    /// What to do, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl StepError {
    /// An error that is known by its message alone.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), command: None, output: Vec::new(), hint: None }
    }

    /// `cannot DO PATH: REASON`, with a hint for the reasons that a person can do something about.
    pub fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let text = format!("cannot {doing} {}: {}", path.display(), reason(error));
        Self { hint: hint(error), ..Self::new(text) }
    }

    /// The line of the output that says most: the first that calls itself an error, else the last.
    pub fn telling_line(&self) -> Option<&str> {
        const ERRORS: [&str; 4] = ["fatal: ", "E: ", "error: ", "ERROR: "];
        let error = |line: &&String| ERRORS.iter().any(|start| line.starts_with(start));
        self.output.iter().find(error).or(self.output.last()).map(String::as_str)
    }

    /// Adds what to do; an earlier hint, which is nearer to the cause, stays.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| text.into());
        self
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StepError {}

/// The system's words without `(os error 2)`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}

fn hint(error: &io::Error) -> Option<String> {
    let text = match error.kind() {
        io::ErrorKind::StorageFull => "free some space or inodes there: see `df -h` and `df -i`",
        io::ErrorKind::QuotaExceeded => "the disk quota of the owner is used up",
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is mounted read-only: see `findmnt`, and `dmesg` for the error that may have caused it"
        }
        io::ErrorKind::ResourceBusy => {
            "something is mounted on this very path, so that it cannot be replaced in one go: unmount it or manage it where it comes from"
        }
        io::ErrorKind::PermissionDenied => {
            "root may not do this here: see `lsattr` for the immutable flag, and the mount's options"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_the_path_and_the_way_out() {
        let error = StepError::io("write", Path::new("/etc/x"), &io::ErrorKind::StorageFull.into());
        assert_eq!(error.message, "cannot write /etc/x: no storage space");
        assert!(error.hint.unwrap().contains("df -h"));
    }

    #[test]
    fn the_line_that_says_most() {
        let output = ["Reading lists", "fatal: no such branch", "", "and the repository exists."].map(str::to_owned);
        let error = StepError { output: output.to_vec(), ..StepError::new("git") };
        assert_eq!(error.telling_line(), Some("fatal: no such branch"));
        assert_eq!(
            StepError { output: output[2..].to_vec(), ..error }.telling_line(),
            Some("and the repository exists.")
        );
    }

    #[test]
    fn the_first_hint_stays() {
        assert_eq!(StepError::new("a").hint("near").hint("far").hint.as_deref(), Some("near"));
    }
}
