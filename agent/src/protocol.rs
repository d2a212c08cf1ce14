//! What controller and agent say to each other over one SSH session.
//!
//! A frame is one byte of kind, four bytes of length (big endian) and the payload: JSON for control, raw bytes for secrets
//! and file data. The controller speaks first. Every request but [`Request::Stop`] gets exactly one final [`Reply`] (never an
//! [`Reply::Event`]); events of a run come before it. One request is under way at a time; `Stop` may come at any moment.
//!
//! What applies is an agent of its own that goes on without the session. It writes its events to a record on the host; each
//! has a number there, so that [`Request::Follow`] can go on after the last one that was seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::check::{Finding, ServiceCheck};
use crate::facts::Facts;
use crate::fence::Fence;
pub use crate::frame::{FrameKind, MAX_FRAME, decode_header, encode, encode_control, read_frame, write_control};
use crate::hex::Hex;
use crate::kept::Version;
pub use crate::last_run::{LastRun, Origin, RunState};
use crate::probe::{Probe, Reading};
use crate::step::{Handler, Step, StepId};
pub use crate::step_error::StepError;
pub use crate::trace::Trace;

/// Version of this protocol. Controller and agent of different versions refuse each other; since the agent is found by its
/// digest, that happens only to a hand-placed one.
pub const VERSION: u32 = 1;

/// Content above this many bytes travels once by digest instead of inside its step.
pub const INLINE_LIMIT: usize = 1 << 20;

/// From controller to agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// The first frame. Answered by [`Reply::Hello`].
    Hello {
        /// [`VERSION`] of the controller.
        version: u32,
        /// Name of the environment; state of different environments on one host is kept apart.
        environment: String,
        /// The host's name in the inventory.
        host: String,
    },
    /// What would change; touches nothing. A `Secrets` frame may come right before it. Answered by [`Reply::Observed`].
    /// The agent keeps steps and handlers for the `Apply` that may follow.
    Observe {
        /// All steps of this host in order.
        steps: Vec<Step>,
        /// All handlers of this host.
        handlers: Vec<Handler>,
        /// Whether to tell what the host knows of steps that are not as desired.
        #[serde(default)]
        past: bool,
    },
    /// Digests of content that later steps refer to. Answered by [`Reply::Missing`] with those that the host lacks.
    Blobs {
        /// SHA-256, lower-case hex.
        digests: Vec<String>,
    },
    /// `Data` frames with this content follow. Answered by [`Reply::Done`].
    Blob {
        /// SHA-256, lower-case hex; the agent verifies it.
        digest: String,
        /// Bytes in all `Data` frames together.
        length: u64,
    },
    /// Apply observed steps in order, run the notified handlers, then wait for the checks. Answered by [`Reply::Applied`]
    /// after its events.
    Apply {
        /// The run; stands in journal and ledger.
        run: String,
        /// Who began it, and what it takes to go on with it.
        #[serde(default)]
        origin: Origin,
        /// The lock that it is done under.
        fence: Fence,
        /// Steps to apply, a subset of the observed ones. Handlers of theirs that are pending from an earlier run run too.
        steps: Vec<StepId>,
        /// Checks that must become healthy.
        checks: Vec<ServiceCheck>,
        /// How long to wait for the checks, in seconds.
        deadline: u64,
    },
    /// Remove what the ledger has and no step mentions any more. Answered by [`Reply::Applied`].
    Prune {
        /// The run.
        run: String,
        /// Who began it, and what it takes to go on with it.
        #[serde(default)]
        origin: Origin,
        /// The lock that it is done under.
        fence: Fence,
        /// Resources as [`Reply::Observed`] listed them.
        orphans: Vec<StepId>,
    },
    /// Tell the events of a run on this host, those that are still to come too, up to the end of the apply that is under way:
    /// answered by its [`Reply::Applied`] or [`Reply::Failed`], or by [`Reply::Ended`] where there is none.
    Follow {
        /// The run.
        run: String,
        /// The first event to tell; see [`Event::Began`].
        from: u64,
        /// Whether the run is to end early, as after [`Request::Stop`].
        stop: bool,
    },
    /// From the agent of a session to the one that applies for it, between the `Observe` and the `Apply` that it passes on:
    /// what it knows. Not answered.
    Adopt {
        /// Steps that were observed to need nothing.
        unchanged: Vec<StepId>,
        /// Steps that failed before in this run.
        failed: Vec<StepId>,
        /// Why the run ends with the connection, if it does.
        tied: Option<String>,
    },
    /// From now on refuse changes of who held the environment's lock before. Answered by [`Reply::Done`]; refused while a run is
    /// at work.
    Fence {
        /// The lock of whoever may make changes now.
        fence: Fence,
    },
    /// Keep a record for the team: put `content` in the place of what was `seen`, where `None` is no record. With both `None` it
    /// is only read. Answered by [`Reply::Kept`].
    Keep {
        /// Its key; see [`crate::kept`]. With a `/` at its end the records right below it are listed, by [`Reply::Keys`].
        key: String,
        /// What it shall hold.
        content: Option<Hex>,
        /// What it was, for all that the controller knows.
        seen: Option<Version>,
    },
    /// Run every check once (`deadline` 0) or until healthy. Answered by [`Reply::Checked`].
    Check {
        /// What to check.
        checks: Vec<ServiceCheck>,
        /// How long to wait, in seconds.
        deadline: u64,
    },
    /// Run a command for a person (`exec`). Answered by [`Reply::Exited`] after [`Event::Output`] events.
    Exec {
        /// Program and arguments, without a shell.
        argv: Vec<String>,
    },
    /// Versions and state of units and packages for `status`. Answered by [`Reply::Status`].
    Status {
        /// systemd units.
        units: Vec<String>,
        /// Packages.
        packages: Vec<String>,
    },
    /// The journal's records of the newest runs. Answered by [`Reply::Journal`].
    Journal {
        /// At most this many runs.
        runs: usize,
    },
    /// Take readings for preflight; nothing is changed. Answered by [`Reply::Probed`].
    Probe {
        /// What to read.
        probes: Vec<Probe>,
    },
    /// Close the listeners that probes opened. Answered by [`Reply::Done`].
    Hush,
    /// Finish the running steps, start no other. Not answered by itself: the request under way ends early.
    Stop,
    /// The end. `leave_nothing` removes the agent's own binary. Answered by [`Reply::Done`], then the agent exits.
    Bye {
        /// Remove the agent binary.
        leave_nothing: bool,
        /// A run that nobody needs to go on with.
        #[serde(default)]
        over: Option<String>,
    },
}

/// From agent to controller.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The agent is there.
    Hello {
        /// [`VERSION`] of the agent.
        version: u32,
        /// The host's facts, so that they cost no round trip of their own.
        facts: Facts,
        /// Whether the agent runs as root.
        root: bool,
        /// Whether the ledger has anything of this environment: whether something was installed before.
        #[serde(default)]
        installed: bool,
        /// The newest run on this host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<LastRun>,
    },
    /// One per step, in the order of the steps.
    Observed {
        /// The changes.
        changes: Vec<Observed>,
        /// Resources in the ledger that no step mentions any more.
        orphans: Vec<Orphan>,
        /// Handlers notified by an earlier run that was cut off before they ran.
        pending: Vec<StepId>,
        /// Content digests that steps with a change refer to and the host does not have yet; send them before `Apply`.
        missing: Vec<String>,
        /// One for each step with a change, when it was asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pasts: Vec<Past>,
    },
    /// Digests that the host lacks.
    Missing {
        /// SHA-256, lower-case hex.
        digests: Vec<String>,
    },
    /// Something happened; the final reply is still to come.
    Event(Event),
    /// The end of an `Apply` or `Prune`.
    Applied {
        /// Outcome of each step and handler that was begun, in the order in which they ended.
        outcomes: Vec<Outcome>,
        /// Findings of the checks; empty when a step failed before.
        findings: Vec<Finding>,
        /// Whether a `Stop` ended it early.
        stopped: bool,
    },
    /// No apply of the followed run is under way, and nothing of it is left to tell.
    Ended {
        /// Whether the last one has no end: the agent was killed, or the host went down.
        cut: bool,
    },
    /// The end of a `Check`.
    Checked {
        /// One per check.
        findings: Vec<Finding>,
    },
    /// The end of an `Exec`.
    Exited {
        /// Exit status; 128 + signal when a signal ended it.
        status: i32,
    },
    /// Answers `Status`.
    Status {
        /// Active state by unit, as systemd names it.
        units: BTreeMap<String, String>,
        /// Installed version by package.
        packages: BTreeMap<String, String>,
    },
    /// Answers `Journal`: records as the host has them, oldest first.
    Journal {
        /// One JSON object a record.
        records: Vec<serde_json::Value>,
    },
    /// Answers `Probe`.
    Probed {
        /// One per probe, in their order.
        readings: Vec<Reading>,
        /// The host's clock when the request came, in microseconds since 1970.
        clock: u64,
    },
    /// Answers `Keep`.
    Kept {
        /// Whether it was done; false when the record is not the one that was seen.
        done: bool,
        /// Version of the record as it is now; `None` when there is none.
        version: Option<Version>,
        /// The record as it is now; left out when the controller knows it.
        content: Option<Hex>,
    },
    /// Answers `Keep` of a key that ends with `/`.
    Keys {
        /// In order.
        keys: Vec<String>,
    },
    /// Nothing more to say.
    Done,
    /// The request failed as a whole.
    Failed {
        /// What went wrong, with the thing and the place.
        message: String,
        /// What to do, when that is known.
        hint: Option<String>,
    },
}

/// What a step would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The step.
    pub id: StepId,
    /// Its change. An observation that failed is an `Unknown` change when an earlier step may create what it lacks.
    pub change: Change,
    /// Set when the host could not be observed for another reason; the plan fails for this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

/// A resource that the ledger knows and the spec no longer has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Orphan {
    /// The step that made it.
    pub id: StepId,
    /// The run that applied it last.
    pub run: String,
    /// Whether its type can remove it.
    pub removable: bool,
}

/// What the host knows of a step that is not as desired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// The step.
    pub id: StepId,
    /// What the ledger has of it; absent when nothing was applied here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// Who was the last to touch it, where the host has that written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// What the ledger has of a step, beside what the step asks for now and what the host is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The run that applied it last.
    pub run: String,
    /// Whether that came to its end.
    pub ended: bool,
    /// Whether the step asks for something else now: its files, a fact or a secret that it uses changed.
    pub spec_moved: bool,
    /// Whether the host is not as it was left; absent where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_moved: Option<bool>,
}

/// What happens during an `Apply`, `Prune` or `Exec`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An apply begins.
    Began {
        /// Its run.
        run: String,
        /// The number of this event in the run's record on this host. What follows has the numbers after it, the final reply
        /// of each apply too.
        number: u64,
        /// How many steps or orphans it has.
        steps: usize,
        /// Why it ends with the connection, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tied: Option<String>,
    },
    /// A step or handler begins.
    Started {
        /// Step or handler.
        id: StepId,
    },
    /// A step or handler ended.
    Finished(Outcome),
    /// A check is still not healthy.
    Waiting {
        /// The latest finding.
        finding: Finding,
    },
    /// Output of `Exec`.
    Output {
        /// Whether it came from standard error.
        stderr: bool,
        /// Text with secrets masked; invalid UTF-8 replaced.
        text: String,
    },
}

/// How a step or handler ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Step or handler.
    pub id: StepId,
    /// What was changed; `None` kind for a step that found nothing to do when its turn came.
    pub change: Change,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Set when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}
