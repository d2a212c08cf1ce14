//! When and by whom a plan was made.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::history::Author;

/// When and by whom a plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// By the clock of that machine.
    pub at: Timestamp,
    /// Who made it, and where.
    pub author: Author,
}

impl Origin {
    /// Here and now, from the files of this repository.
    pub fn here(repository: &Path) -> Self {
        Self { at: Timestamp::now(), author: Author::of(repository) }
    }
}
