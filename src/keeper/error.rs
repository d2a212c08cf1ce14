//! Why a keeper did not do what it was asked.

/// Why a keeper did not do what it was asked. After either, a write may have been done all the same: read before the next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeeperError {
    /// No answer came.
    #[error("{keeper} does not answer: {reason}")]
    Silent {
        /// The keeper's name.
        keeper: String,
        /// What happened on the way to it.
        reason: String,
        /// What to do, when that is known.
        hint: Option<String>,
    },
    /// It answered that it cannot.
    #[error("{keeper} cannot keep the team's records: {reason}")]
    Refused {
        /// The keeper's name.
        keeper: String,
        /// What it said.
        reason: String,
        /// What to do, when that is known.
        hint: Option<String>,
    },
}

impl KeeperError {
    /// The keeper's name.
    pub fn keeper(&self) -> &str {
        match self {
            Self::Silent { keeper, .. } | Self::Refused { keeper, .. } => keeper,
        }
    }

    /// What to do, when that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Silent { hint, .. } | Self::Refused { hint, .. } => hint.as_deref(),
        }
    }
}
