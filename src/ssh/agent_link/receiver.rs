//! The way back from an agent.

use std::sync::Arc;
use std::time::Duration;

use cc_agent::protocol::{FrameKind, Reply};
use russh::{ChannelMsg, ChannelReadHalf};
use tokio::time::timeout;

use super::super::frame_buffer::FrameBuffer;
use super::super::{Reason, SshError};
use super::shared::Shared;
use super::{Heard, Tail};

/// The receiving half of an [`AgentLink`].
pub struct LinkReceiver {
    shared: Arc<Shared>,
    channel: ChannelReadHalf,
    frames: FrameBuffer,
    stderr: Tail,
    status: Option<String>,
}

impl LinkReceiver {
    pub(super) fn new(shared: Arc<Shared>, channel: ChannelReadHalf, heard: Heard) -> Self {
        let mut frames = FrameBuffer::default();
        frames.push(&heard.stdout);
        Self { shared, channel, frames, stderr: heard.stderr, status: None }
    }

    /// The next reply or event.
    ///
    /// # Errors
    /// [`Reason::TimedOut`] when none comes `within` this time, [`Reason::AgentDied`] with the agent's last words,
    /// [`Reason::Lost`] when the connection ended, [`Reason::Protocol`] for anything that is not a frame of the protocol.
    pub async fn next(&mut self, within: Duration) -> Result<Reply, SshError> {
        match timeout(within, self.reply()).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(reason)) => Err(self.shared.error(reason)),
            Err(_) => {
                let awaited = format!("the answer to `{}`", self.shared.awaited());
                Err(self.shared.error(Reason::TimedOut { awaited, after: within }))
            }
        }
    }

    /// Nothing is lost when this is dropped half-way: what has been read stays in the buffer.
    async fn reply(&mut self) -> Result<Reply, Reason> {
        let broken = |detail: String| Reason::Protocol { detail };
        loop {
            match self.frames.next().map_err(|error| broken(error.to_string()))? {
                Some((FrameKind::Control, payload)) => {
                    return serde_json::from_slice(&payload).map_err(|error| broken(format!("not a reply: {error}")));
                }
                Some((kind, _)) => return Err(broken(format!("a {kind:?} frame from the agent"))),
                None => {}
            }
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    self.shared.traffic.received(data.len());
                    self.frames.push(&data);
                }
                Some(ChannelMsg::ExtendedData { data, .. }) => self.stderr.push(&data),
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    self.status = Some(format!("exit status {exit_status}"));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    self.status = Some(format!("signal {signal_name:?}"));
                }
                Some(_) => {}
                None => return Err(self.end()),
            }
        }
    }

    fn end(&mut self) -> Reason {
        let awaited = format!("the answer to `{}`", self.shared.awaited());
        match (self.status.clone(), self.frames.pending()) {
            (None, _) => Reason::Lost { during: format!("waiting for {awaited}"), detail: "it was closed".to_owned() },
            (Some(status), 0) => Reason::AgentDied { status, awaited, stderr: self.stderr.lines() },
            (Some(status), bytes) => {
                let detail = format!("the agent ended ({status}) inside a frame, after {bytes} bytes of it");
                Reason::Protocol { detail }
            }
        }
    }
}
