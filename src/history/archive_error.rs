//! Why a record is not kept.

/// Why a record is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// A majority of the keepers is needed.
    #[error("the history can be written in {able} of {of} places only: {reasons}")]
    TooFew {
        /// Keepers that would have taken it.
        able: usize,
        /// All keepers.
        of: usize,
        /// What the others said.
        reasons: String,
    },
    /// There is neither a keeper nor a folder.
    #[error("there is no place for the history")]
    NoPlace,
    /// Others were faster each time.
    #[error("others wrote into the history at the same time, {attempts} times in a row")]
    Overtaken {
        /// How often it was tried.
        attempts: usize,
    },
    /// The record cannot be written down.
    #[error("the record cannot be written down: {0}")]
    Form(String),
    /// The record before cannot be read, so that the new one cannot name it.
    #[error("the newest record cannot be read: {0}")]
    Unread(String),
}

impl ArchiveError {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooFew { .. } | Self::Unread(_) => {
                "most of the places that keep the history must be able to read and write it: mend what is said above"
            }
            Self::NoPlace => "set HOME or XDG_STATE_HOME to a folder that can be written to",
            Self::Overtaken { .. } => "try again when nobody else deploys",
            Self::Form(_) => "this is a mistake in cc-cloud: please report it with this message",
        }
    }
}
