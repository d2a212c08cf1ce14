//! How a run ended.

use cc_agent::change::ChangeKind;
use cc_agent::check::Finding;
use cc_agent::protocol::StepError;
use serde::{Deserialize, Serialize};

use super::intent::is_zero;
use crate::error::CliError;
use crate::report::HostSummary;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// The exit code of the command.
    pub exit_code: u8,
    /// How long it took from its first change on, in milliseconds.
    pub millis: u64,
    /// Results by host, in inventory order.
    pub hosts: Vec<HostResult>,
    /// Services that were not begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Blocked>,
    /// What else went wrong, in the words of the messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// How many more steps succeeded than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: usize,
}

impl Ended {
    /// How something ended that came to no change.
    pub fn early(result: &Result<(), CliError>) -> Self {
        let (exit_code, errors) = match result {
            Ok(()) => (0, Vec::new()),
            Err(error) => (error.kind.exit_code(), vec![error.message.clone()]),
        };
        Self { exit_code, millis: 0, hosts: Vec::new(), blocked: Vec::new(), errors, unlisted: 0 }
    }
}

/// What was done on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostResult {
    /// The counts.
    #[serde(flatten)]
    pub summary: HostSummary,
    /// Steps and handlers that changed something or failed, in the order in which they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepResult>,
    /// Health checks that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Finding>,
    /// Why it was out of reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
}

/// What a step or handler did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// `service/type:identity`.
    pub step: String,
    /// What it did.
    pub kind: ChangeKind,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Why it failed; the agent has masked secrets in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

/// A service that was not begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    /// The service.
    pub service: String,
    /// Hosts that were left as they were.
    pub hosts: Vec<String>,
    /// Why.
    pub reason: String,
}
