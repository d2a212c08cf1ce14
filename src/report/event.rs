//! What can be reported.

use cc_agent::change::Change;
use cc_agent::check::Finding;
use cc_agent::protocol::StepError;
use serde::{Deserialize, Serialize};

use super::drift_view::DriftView;
use super::moved::Moved;
use super::plan_view::PlanView;
use crate::error::CliError;

/// One thing that happened. As NDJSON, `type` tells which; readers must ignore fields and types that they do not know.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    /// Something is under way on hosts; replaces the last of its kind.
    Working {
        /// What: `connect`, `observe`.
        activity: &'a str,
        /// Hosts done.
        done: usize,
        /// Hosts in all.
        total: usize,
    },
    /// A remark for a person: what was found, decided or saved.
    Note {
        /// One sentence.
        message: &'a str,
    },
    /// Something to look at that does not stop the command.
    Warning {
        /// One sentence.
        message: &'a str,
        /// What to do.
        hint: Option<&'a str>,
    },
    /// Findings about files.
    Diagnostics {
        /// As text, with the offending lines underlined.
        #[serde(skip)]
        rendered: &'a str,
        /// As objects with file, line and column.
        findings: Vec<serde_json::Value>,
    },
    /// The plan.
    Plan(&'a PlanView),
    /// A saved plan, without the changes that follow as a [`Event::Plan`].
    SavedPlan {
        /// As a person reads it.
        #[serde(skip)]
        text: &'a str,
        /// When and by whom it was made, what was asked for, and what it rests on.
        saved: serde_json::Value,
    },
    /// What is different between two plans, or since one was made.
    Moved {
        /// One at least when a plan is refused; none when two plans are the same.
        moved: &'a [Moved],
    },
    /// What is not as it should be, and who moved.
    Drift(&'a DriftView),
    /// A stage begins.
    StageStarted {
        /// From 1.
        stage: usize,
        /// How many there are.
        stages: usize,
        /// Services that change in it.
        services: Vec<&'a str>,
        /// Batch, from 1.
        batch: usize,
        /// How many batches it has.
        batches: usize,
        /// Hosts in this batch.
        hosts: Vec<&'a str>,
        /// Steps that are due.
        steps: usize,
    },
    /// A step begins.
    StepStarted {
        /// The host.
        host: &'a str,
        /// The step.
        step: &'a str,
    },
    /// A step ended.
    StepFinished {
        /// The host.
        host: &'a str,
        /// The step.
        step: &'a str,
        /// What was changed.
        change: &'a Change,
        /// How long it took, in milliseconds.
        millis: u64,
        /// Set when it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a StepError>,
    },
    /// A health check is still not healthy.
    Waiting {
        /// The host.
        host: &'a str,
        /// The latest finding.
        finding: &'a Finding,
    },
    /// A health check's last word.
    Check {
        /// The host; empty for the smoke test.
        host: &'a str,
        /// What was found.
        finding: &'a Finding,
    },
    /// Services that were not begun, with the reason.
    Blocked {
        /// The service.
        service: &'a str,
        /// Hosts that were left as they are.
        hosts: Vec<&'a str>,
        /// Why.
        reason: &'a str,
    },
    /// A run lost more hosts than it may, and begins no other.
    Stopped {
        /// What it lost.
        reason: &'a str,
        /// Where its hosts stand.
        #[serde(flatten)]
        standing: &'a Standing,
    },
    /// A host cannot be reached.
    Unreachable {
        /// The host.
        host: &'a str,
        /// Why.
        message: &'a str,
        /// What to do.
        hint: Option<&'a str>,
    },
    /// What the connections of a command took; for benchmarks and slow links.
    Traffic {
        /// One object a host: `host`, `round_trips`, `bytes_sent`, `bytes_received`.
        hosts: Vec<serde_json::Value>,
    },
    /// The end of a run.
    Summary {
        /// The run.
        run: &'a str,
        /// Hosts in inventory order.
        hosts: &'a [HostSummary],
        /// Wall time, in milliseconds.
        millis: u64,
    },
    /// Rows of a table.
    Table {
        /// What the rows are: `host`, `fact`, `service`.
        name: &'a str,
        /// Column titles.
        columns: &'a [&'a str],
        /// Cells.
        rows: &'a [Vec<String>],
    },
    /// What preflight found.
    Preflight {
        /// As a person, or the tool that was named, reads it.
        #[serde(skip)]
        text: &'a str,
        /// The report's head, then an object for each finding.
        objects: Vec<serde_json::Value>,
    },
    /// Runs of the past.
    History {
        /// As a person reads them.
        #[serde(skip)]
        text: &'a str,
        /// One object a run.
        runs: Vec<serde_json::Value>,
    },
    /// Something that is wrong with the history.
    Fault {
        /// The record; none for what is no record.
        record: Option<u64>,
        /// What, with the place.
        message: &'a str,
    },
    /// What a hook printed.
    Hook {
        /// Its file in the repository.
        file: &'a str,
        /// The text, both streams.
        text: &'a str,
        /// Whether it failed.
        failed: bool,
    },
    /// Output of a command on a host.
    Output {
        /// The host.
        host: &'a str,
        /// Whether it came from standard error.
        stderr: bool,
        /// Text.
        text: &'a str,
    },
    /// Text that is the command's result: a graph, a schema, a value.
    Data {
        /// The text as it is.
        text: &'a str,
    },
    /// The command failed.
    Error {
        /// Exit code.
        code: u8,
        /// What went wrong.
        message: &'a str,
        /// What to do.
        hints: &'a [String],
    },
}

impl<'a> Event<'a> {
    /// A command's failure.
    pub fn error(error: &'a CliError) -> Self {
        Self::Error { code: error.kind.exit_code(), message: &error.message, hints: &error.hints }
    }
}

/// A name and a value.
pub type Pair = (String, String);

/// Where the hosts of a stopped run stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Something failed on them.
    pub failed: Vec<String>,
    /// Out of reach.
    pub unreachable: Vec<String>,
    /// Changed as far as the run came.
    pub done: Vec<String>,
    /// Nothing was begun on them.
    pub untouched: Vec<String>,
}

impl HostState {
    /// One lower-case word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Skipped => "skipped",
        }
    }
}

/// How a host ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// Everything that was due on it is done.
    Ok,
    /// A step or check failed.
    Failed,
    /// It could not be reached, or was lost.
    Unreachable,
    /// Something that it depends on failed first, or the run was stopped.
    Skipped,
}

/// A host's line in the summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostSummary {
    /// The host.
    pub host: String,
    /// How it ended.
    pub state: HostState,
    /// Steps and handlers that changed something.
    pub changed: usize,
    /// Steps that were as desired.
    pub unchanged: usize,
    /// Steps, handlers and checks that failed.
    pub failed: usize,
    /// Steps that were due and not begun.
    pub skipped: usize,
    /// Time in steps, in milliseconds.
    pub millis: u64,
}
