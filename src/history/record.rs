//! What a record says.

use serde::{Deserialize, Serialize};

use super::began::Began;
use super::ended::Ended;

/// One record of the history. A run has two: that it began, and how it ended. So a run whose controller died stays in the
/// history as one that began, and no record is ever written a second time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the chain, from 1.
    pub number: u64,
    /// The digest of the record before.
    pub previous: String,
    /// The run.
    pub run: String,
    /// When it was written, by the clock of the operator's machine: RFC 3339, UTC, whole seconds.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A run is about to make its first change.
    Began(Box<Began>),
    /// It came to its end, good or bad.
    Ended(Box<Ended>),
}
