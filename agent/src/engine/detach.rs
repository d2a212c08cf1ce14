//! Handing an apply over to an agent that goes on without the session.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::json;
use zeroize::Zeroizing;

use super::Stop;
use super::launch::launch;
use super::lock::{busy, lock};
use super::session::Session;
use crate::event_log::EventLog;
use crate::last_run::is_alive;
use crate::protocol::{FrameKind, encode, write_control};
use crate::step_error::StepError;

impl Session<'_> {
    /// Has an agent of its own apply what the request `payload` says, and answers with its events and its reply.
    pub(super) fn detach(&mut self, run: &str, payload: &[u8], stop: &Stop) -> Result<(), StepError> {
        let state = self.host.state().to_owned();
        if is_alive(&state) {
            return Err(busy(&state));
        }
        // Opened here too, so that a disk that takes no record is an answer of this session.
        let from = EventLog::open(&state, run)?.next();
        let launched = launch(&self.host, &self.itself, &format!("{run}-{from}"));
        let tied = launched.map_err(|error| match lock(&state) {
            Ok(_) => error,
            Err(busy) => busy,
        })?;
        let handed = self.hand_over(tied, payload);
        let applying = handed.map_err(|error| StepError::io("hand the run over at", &rendezvous(&state), &error))?;
        self.follow(run, from, Some(applying), stop)
    }

    fn hand_over(&self, tied: Option<String>, payload: &[u8]) -> io::Result<UnixStream> {
        let mut stream = UnixStream::connect(rendezvous(self.host.state()))?;
        if !self.secrets.is_empty() {
            stream.write_all(&Zeroizing::new(encode(FrameKind::Secrets, &self.secrets)))?;
        }
        stream.write_all(&encode(FrameKind::Control, &self.plan))?;
        let known = json!({"request": "adopt", "unchanged": self.unchanged, "failed": self.failed, "tied": tied});
        write_control(&mut stream, &known)?;
        stream.write_all(&encode(FrameKind::Control, payload))?;
        Ok(stream)
    }
}

/// Where an agent that was just started waits for its work.
pub(super) fn rendezvous(state: &Path) -> PathBuf {
    state.join("rendezvous")
}
