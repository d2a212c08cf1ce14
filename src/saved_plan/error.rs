//! Why a saved plan cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::CliError;

/// Why a saved plan cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {trouble}", path.display())]
pub struct SavedPlanError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub trouble: Trouble,
}

/// What is wrong with the file of a saved plan.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The system says no.
    #[error("cannot {action} the saved plan: {error}")]
    Io {
        /// `read`, `write`.
        action: &'static str,
        /// Why.
        error: io::Error,
    },
    /// Something else.
    #[error("this is not a saved plan")]
    Other,
    /// A file that is no saved plan would be replaced by one.
    #[error("this file is there already and is not a saved plan; it stays as it is")]
    InTheWay,
    /// A later cc-cloud wrote it.
    #[error("the saved plan has version {0} of the format, and this cc-cloud reads version {1}")]
    Version(u32, u32),
    /// It is of another environment.
    #[error("this is a plan of the environment `{found}`, not of `{wanted}`")]
    Environment {
        /// As the file says.
        found: String,
        /// As it was asked for.
        wanted: String,
    },
    /// The data key that sealed it is not that of the secrets file.
    #[error("the saved plan was sealed with another data key than that of secrets/{0}.yml")]
    Key(String),
    /// Its end is missing.
    #[error("the saved plan is cut off: {missing}")]
    Truncated {
        /// `1200 of 18234 bytes are missing`.
        missing: String,
    },
    /// Something stands after its end.
    #[error("there are {0} bytes after the end of the saved plan")]
    Longer(u64),
    /// It is not what was sealed.
    #[error("the saved plan was changed or damaged since it was written")]
    Damaged,
    /// It is what was sealed, and cannot be understood.
    #[error("the saved plan opens, and its content is not understood: {0}")]
    Content(serde_json::Error),
}

impl Trouble {
    /// What to do.
    fn hint(&self) -> String {
        let text = match self {
            Self::Io { action: "read", .. } | Self::Other => {
                "name a file that `plan -o FILE` wrote; hosts and services are chosen with --limit and --services"
            }
            Self::Io { .. } => "name a file in a folder that exists and that you may write to",
            Self::InTheWay => "name another file, or remove this one",
            Self::Version(..) | Self::Content(_) => "use the cc-cloud that wrote it, or plan again",
            Self::Environment { found, .. } => return format!("`cc-cloud {found} deploy FILE` applies it"),
            Self::Key(_) => {
                "plan again: the data key was replaced since (`secrets rekey --rotate`), or this is another repository"
            }
            Self::Truncated { .. } | Self::Longer(_) | Self::Damaged => {
                "take the file again from where it came, or plan again"
            }
        };
        text.to_owned()
    }

    /// The error with the file that has it.
    pub fn of(self, path: &Path) -> SavedPlanError {
        SavedPlanError { path: path.to_owned(), trouble: self }
    }
}

impl From<SavedPlanError> for CliError {
    fn from(error: SavedPlanError) -> Self {
        let hint = error.trouble.hint();
        Self::failed(error.to_string()).hint(hint)
    }
}
