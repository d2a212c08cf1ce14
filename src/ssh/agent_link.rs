//! The conversation with an agent.

mod receiver;
mod sender;
mod shared;
mod tail;

use std::sync::Arc;
use std::time::Duration;

use cc_agent::protocol::{Event, Reply, Request};
use russh::client::Msg;
use russh::{ChannelReadHalf, ChannelWriteHalf};

use super::traffic::Traffic;
use super::{Reason, Session, SshError};
pub use receiver::LinkReceiver;
pub use sender::LinkSender;
pub(super) use sender::write;
use shared::{Shared, name_of};
pub(super) use tail::Tail;

/// An agent at the other end of a session. It speaks when spoken to; see [`cc_agent::protocol`].
pub struct AgentLink {
    /// The way there.
    pub sender: LinkSender,
    /// The way back.
    pub receiver: LinkReceiver,
}

/// What was heard before the link began.
#[derive(Default)]
pub(super) struct Heard {
    pub stdout: Vec<u8>,
    pub stderr: Tail,
}

impl AgentLink {
    pub(super) fn new(
        session: &Session,
        traffic: Arc<Traffic>,
        channel: (ChannelReadHalf, ChannelWriteHalf<Msg>),
        heard: Heard,
    ) -> Self {
        let shared = Arc::new(Shared::new(session, traffic));
        let (read, write) = channel;
        Self { sender: LinkSender::new(Arc::clone(&shared), write), receiver: LinkReceiver::new(shared, read, heard) }
    }

    /// Sends a request and gives its final reply. For requests that have no events: one is a breach of protocol.
    ///
    /// # Errors
    /// [`Reason::Refused`] when the agent answers with [`Reply::Failed`]; [`Reason::TimedOut`] when nothing comes `within`
    /// this time; otherwise as [`LinkReceiver::next`].
    pub async fn call(&mut self, request: &Request, within: Duration) -> Result<Reply, SshError> {
        let mut strange = false;
        let reply = self.call_with(request, within, |_| strange = true).await?;
        if strange {
            let detail = format!("an event came in answer to `{}`", name_of(request));
            return Err(self.sender.error(Reason::Protocol { detail }));
        }
        Ok(reply)
    }

    /// Sends a request, hands on its events and gives its final reply. `within` is for each of them, not for all.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_with(
        &mut self,
        request: &Request,
        within: Duration,
        mut on_event: impl FnMut(Event),
    ) -> Result<Reply, SshError> {
        self.sender.send(request).await?;
        loop {
            match self.receiver.next(within).await? {
                Reply::Event(event) => on_event(event),
                Reply::Failed { message, hint } => {
                    let reason = Reason::Refused { request: name_of(request), message, hint };
                    return Err(self.sender.error(reason));
                }
                reply => return Ok(reply),
            }
        }
    }

    /// Ends the agent; `leave_nothing` removes its binary from the host.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn bye(mut self, leave_nothing: bool, within: Duration) -> Result<(), SshError> {
        self.call(&Request::Bye { leave_nothing, over: None }, within).await.map(|_| ())
    }

    /// How often this side has had to wait for an answer since the command that starts the agent was sent, that included.
    pub fn round_trips(&self) -> u64 {
        self.sender.traffic().round_trips()
    }

    /// Bytes sent, before SSH encrypts them.
    pub fn bytes_sent(&self) -> u64 {
        self.sender.traffic().bytes_sent()
    }

    /// Bytes received, after SSH has decrypted them.
    pub fn bytes_received(&self) -> u64 {
        self.sender.traffic().bytes_received()
    }
}
