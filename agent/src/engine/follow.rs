//! Telling the events of a run, while it goes on or after its end.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use super::Stop;
use super::session::Session;
use crate::event_log::{EventLines, is_event};
use crate::last_run::{LastRun, RunState, socket};
use crate::protocol::Reply;
use crate::step_error::StepError;

/// How long an agent that has applied may take to end.
const GOODBYE: Duration = Duration::from_secs(5);

impl Session<'_> {
    /// Passes on what the record of the run has from this number on, up to the end of its next apply, and waits for what is not
    /// there yet. `applying` is the way to the agent that applies, if it is known.
    pub(super) fn follow(
        &mut self,
        run: &str,
        from: u64,
        applying: Option<UnixStream>,
        stop: &Stop,
    ) -> Result<(), StepError> {
        let mut live = applying.or_else(|| self.applying(run));
        stop.applies_at(live.as_ref().and_then(|stream| stream.try_clone().ok()));
        let told = self.tell(run, from, &mut live);
        stop.applies_at(None);
        match told? {
            Told::End(last) => {
                if let Some(live) = live {
                    wait_for_end(live);
                }
                self.learn(&last);
                self.outbox.forward(&last);
            }
            Told::Nothing { cut } => self.outbox.send(&Reply::Ended { cut }),
        }
        Ok(())
    }

    /// The way to the agent that applies this run.
    fn applying(&self, run: &str) -> Option<UnixStream> {
        let last = LastRun::read(self.host.state())?;
        let at_work = last.run == run && last.state == RunState::Working;
        at_work.then(|| UnixStream::connect(socket(self.host.state())).ok())?
    }

    fn tell(&self, run: &str, from: u64, live: &mut Option<UnixStream>) -> Result<Told, StepError> {
        let state = self.host.state();
        let mut lines = None;
        loop {
            if lines.is_none() {
                lines = EventLines::open(state, run, from)?;
            }
            while let Some(lines) = &mut lines {
                match lines.next() {
                    Ok(None) => break,
                    Ok(Some(line)) if is_event(&line) => self.outbox.forward(&line),
                    Ok(Some(line)) => return Ok(Told::End(line)),
                    Err(error) => return Err(StepError::io("read the record of the run in", state, &error)),
                }
            }
            // The agent that applies sends a byte after each line. Nobody there or an end means that no line comes any more;
            // what came before the end is read once more.
            match live.as_mut().map(|stream| stream.read(&mut [0; 64])) {
                None => return Ok(Told::Nothing { cut: lines.is_some_and(|lines| lines.under_way) }),
                Some(Ok(1..)) => {}
                Some(_) => *live = None,
            }
        }
    }

    /// Remembers what an apply has done, for the next one in this session.
    fn learn(&mut self, applied: &[u8]) {
        let applied: Value = serde_json::from_slice(applied).unwrap_or_default();
        for outcome in applied["outcomes"].as_array().into_iter().flatten() {
            let Some(id) = outcome["id"].as_str().map(str::to_owned) else { continue };
            if outcome["error"].is_null() {
                self.failed.remove(&id);
                self.unchanged.insert(id);
            } else {
                self.failed.insert(id);
            }
        }
    }
}

/// How a record ends.
enum Told {
    /// With the final reply of an apply.
    End(Vec<u8>),
    /// Without one.
    Nothing { cut: bool },
}

/// Waits until the agent that has applied is gone, so that the next one is not kept away by it.
fn wait_for_end(mut stream: UnixStream) {
    let _ = stream.set_read_timeout(Some(GOODBYE));
    while matches!(stream.read(&mut [0; 64]), Ok(1..)) {}
}
