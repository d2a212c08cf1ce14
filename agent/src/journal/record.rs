//! One line of the journal.

use serde::{Deserialize, Serialize};

use crate::change::ChangeKind;
use crate::step::StepId;
use crate::step_error::StepError;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The run.
    pub run: String,
    /// When, in milliseconds since 1970 by this host's clock.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a record tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Entry {
    /// An apply begins.
    Apply {
        /// How many steps it has.
        steps: usize,
    },
    /// A step or handler is about to change something. From here on its handlers are pending: if the agent dies in the middle,
    /// running them once too often is right and never running them is wrong.
    Begin {
        /// The step or handler.
        id: StepId,
        /// What will happen.
        change: ChangeKind,
        /// Handlers that it notifies.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notify: Vec<StepId>,
    },
    /// A step or handler ended. A handler that ended well is no longer pending.
    End {
        /// The step or handler.
        id: StepId,
        /// How long it took, in milliseconds.
        millis: u64,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StepError>,
    },
    /// The first record after a rotation: handlers that are still pending.
    Pending {
        /// Their names.
        handlers: Vec<StepId>,
    },
}
