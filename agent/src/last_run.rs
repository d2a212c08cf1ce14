//! The newest run on this host, for whoever comes next: a controller that was cut off, or a colleague.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::host::{Attributes, Host};
use crate::step_error::StepError;

/// Who began a run, and what it takes to go on with it: JSON as text, because the agent only keeps it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(String);

impl Origin {
    /// `owner` is for a person: `alice@laptop`; `note` is what the controller wants to be told when it comes back.
    pub fn new(owner: &str, note: &Value) -> Self {
        Self(json!({"owner": owner, "note": note}).to_string())
    }

    /// Who began the run.
    pub fn owner(&self) -> String {
        self.get("owner").as_str().unwrap_or("somebody").to_owned()
    }

    /// What its controller wants to know.
    pub fn note(&self) -> Value {
        self.get("note")
    }

    fn get(&self, field: &str) -> Value {
        serde_json::from_slice::<Value>(self.0.as_bytes()).map(|mut value| value[field].take()).unwrap_or_default()
    }
}

/// The newest run of an environment on this host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastRun {
    /// Its name.
    pub run: String,
    /// Who began it.
    pub origin: Origin,
    /// When its newest apply began here, in milliseconds since 1970 by this host's clock.
    pub since: u64,
    /// How long ago that is by the same clock, in seconds.
    #[serde(default)]
    pub age: u64,
    /// How far it is.
    pub state: RunState,
}

/// How far a run is on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// An agent applies.
    Working,
    /// An agent applied and was ended in the middle of it.
    Cut,
    /// What was asked for is done; more may come.
    Waiting,
    /// Its controller has nothing more to do.
    Over,
}

impl LastRun {
    /// The newest run; `None` when there is none, or what is there cannot be read.
    pub(crate) fn read(state: &Path) -> Option<Self> {
        // Field by field: what derives this from bytes is larger than all of the rest.
        let value: Value = serde_json::from_slice(&fs::read(path(state)).ok()?).ok()?;
        let since = value["since"].as_u64()?;
        let kept = match value["state"].as_str()? {
            "over" => RunState::Over,
            "waiting" => RunState::Waiting,
            _ if is_alive(state) => RunState::Working,
            _ => RunState::Cut,
        };
        let age = now().saturating_sub(since) / 1000;
        Some(Self {
            run: value["run"].as_str()?.to_owned(),
            origin: Origin(value["origin"].as_str()?.to_owned()),
            since,
            age,
            state: kept,
        })
    }

    /// A run begins to apply.
    pub(crate) fn begin(host: &Host, run: &str, origin: &Origin) -> Result<(), StepError> {
        let (run, origin) = (run.to_owned(), origin.clone());
        Self { run, origin, since: now(), age: 0, state: RunState::Working }.write(host)
    }

    /// The run is in another state, if it is the newest.
    pub(crate) fn mark(host: &Host, run: &str, state: RunState) -> Result<(), StepError> {
        match Self::read(host.state()) {
            Some(last) if last.run == run => Self { state, ..last }.write(host),
            _ => Ok(()),
        }
    }

    fn write(&self, host: &Host) -> Result<(), StepError> {
        let path = path(host.state());
        let bytes = serde_json::to_value(self).and_then(|value| serde_json::to_vec(&value));
        let bytes = bytes.map_err(|error| StepError::io("write", &path, &error.into()))?;
        host.write(&path, &bytes, Attributes::of_mode(0o600))
    }
}

/// Where the agent that applies can be reached.
pub(crate) fn socket(state: &Path) -> PathBuf {
    state.join("socket")
}

/// Whether an agent applies in this environment. What a killed one leaves of its socket answers nobody.
pub(crate) fn is_alive(state: &Path) -> bool {
    UnixStream::connect(socket(state)).is_ok()
}

fn path(state: &Path) -> PathBuf {
    state.join("run.json")
}

/// Milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}
