//! What controller and agent say to each other over one SSH session.
//!
//! A frame is one byte of kind, four bytes of length (big endian) and the payload: JSON for control, raw bytes for secrets
//! and file data. The controller speaks first. Every request but [`Request::Stop`] gets exactly one final [`Reply`] (never an
//! [`Reply::Event`]); events of a run come before it. One request is under way at a time; `Stop` may come at any moment.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::check::{Finding, ServiceCheck};
use crate::facts::Facts;
use crate::probe::{Probe, Reading};
use crate::step::{Handler, Step, StepId};
pub use crate::step_error::StepError;

/// Version of this protocol. Controller and agent of different versions refuse each other; since the agent is found by its
/// digest, that happens only to a hand-placed one.
pub const VERSION: u32 = 1;

/// Largest control frame, in bytes. A bigger length is a broken peer, not a bigger plan.
pub const MAX_FRAME: usize = 64 << 20;

/// Content above this many bytes travels once by digest instead of inside its step.
pub const INLINE_LIMIT: usize = 1 << 20;

/// The kinds of frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A JSON [`Request`] or [`Reply`].
    Control,
    /// Secret values; see [`crate::secret::Vault::from_frame`].
    Secrets,
    /// A piece of the blob announced by [`Request::Blob`].
    Data,
}

impl FrameKind {
    fn byte(self) -> u8 {
        match self {
            Self::Control => b'J',
            Self::Secrets => b'S',
            Self::Data => b'D',
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Control, Self::Secrets, Self::Data].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// Encodes one frame.
pub fn encode(kind: FrameKind, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(5 + payload.len());
    frame.push(kind.byte());
    frame.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Encodes a request or reply as a control frame.
///
/// # Errors
/// When the value cannot be JSON, which these types always can.
pub fn encode_control<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    Ok(encode(FrameKind::Control, &serde_json::to_vec(message)?))
}

/// Splits the five bytes before a payload into kind and length.
///
/// # Errors
/// `InvalidData` for an unknown kind or a length over [`MAX_FRAME`].
pub fn decode_header(header: [u8; 5]) -> io::Result<(FrameKind, usize)> {
    let [kind, length @ ..] = header;
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let kind = FrameKind::from_byte(kind).ok_or_else(|| invalid(format!("unknown frame kind {kind:#04x}")))?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(invalid(format!("frame of {length} bytes is over the limit of {MAX_FRAME}")));
    }
    Ok((kind, length))
}

/// Reads one frame; `None` at a clean end of the stream.
///
/// # Errors
/// `UnexpectedEof` when the stream ends inside a frame, `InvalidData` for a broken header.
pub fn read_frame(input: &mut impl Read) -> io::Result<Option<(FrameKind, Vec<u8>)>> {
    let mut header = [0; 5];
    if input.read(&mut header[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut header[1..])?;
    let (kind, length) = decode_header(header)?;
    let mut payload = vec![0; length];
    input.read_exact(&mut payload)?;
    Ok(Some((kind, payload)))
}

/// Writes one control frame and flushes it.
///
/// # Errors
/// What the stream says.
pub fn write_control<T: Serialize>(output: &mut impl Write, message: &T) -> io::Result<()> {
    output.write_all(&encode_control(message)?)?;
    output.flush()
}

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
        /// Resources as [`Reply::Observed`] listed them.
        orphans: Vec<StepId>,
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

/// Who was the last to touch something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trace {
    /// What the file says of itself.
    File {
        /// When it was modified, in seconds since 1970.
        modified: i64,
        /// Its owner.
        owner: String,
    },
    /// What apt has in its history.
    Package {
        /// When, in the host's own time.
        date: String,
        /// The command.
        command: Option<String>,
        /// The user behind sudo.
        by: Option<String>,
    },
}

/// What happens during an `Apply`, `Prune` or `Exec`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
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
