//! The way to an agent.

use std::sync::Arc;
use std::time::Duration;

use cc_agent::protocol::{FrameKind, MAX_FRAME, Request, encode, encode_control};
use russh::ChannelWriteHalf;
use russh::client::Msg;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::super::traffic::Traffic;
use super::super::{Reason, SshError};
use super::shared::Shared;

/// Content goes in frames of this size.
const PIECE: usize = 256 << 10;

/// The sending half of an [`AgentLink`]. It can say [`Request::Stop`] while the other half waits.
pub struct LinkSender {
    shared: Arc<Shared>,
    channel: ChannelWriteHalf<Msg>,
}

impl LinkSender {
    pub(super) fn new(shared: Arc<Shared>, channel: ChannelWriteHalf<Msg>) -> Self {
        Self { shared, channel }
    }

    pub(super) fn error(&self, reason: Reason) -> SshError {
        self.shared.error(reason)
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.shared.traffic
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the connection is lost, or the host takes none of it for [`ConnectorOptions::answer_timeout`](super::super::ConnectorOptions).
    pub async fn send(&mut self, request: &Request) -> Result<(), SshError> {
        if !matches!(request, Request::Stop) {
            self.shared.await_answer_to(request);
        }
        let frame = encode_control(request);
        let frame = frame.map_err(|error| self.shared.error(Reason::Protocol { detail: error.to_string() }))?;
        self.frame(frame).await
    }

    /// Sends the secrets that the next [`Request::Observe`] needs, as `cc_agent::secret` encodes them.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_secrets(&mut self, payload: &[u8]) -> Result<(), SshError> {
        self.frame(encode(FrameKind::Secrets, payload)).await
    }

    /// Sends content that steps refer to by its digest. Answered by [`Reply::Done`].
    ///
    /// # Errors
    /// As [`Self::send`], and [`Reason::Content`] when `content` cannot be read or has not `length` bytes; the link is then
    /// of no more use.
    pub async fn send_blob(
        &mut self,
        digest: &str,
        length: u64,
        content: impl AsyncRead + Unpin,
    ) -> Result<(), SshError> {
        self.send(&Request::Blob { digest: digest.to_owned(), length }).await?;
        let failed =
            |shared: &Shared, detail: String| shared.error(Reason::Content { digest: digest.to_owned(), detail });
        // One byte more than announced would be read, so that content that has grown is noticed.
        let mut content = content.take(length.saturating_add(1));
        let mut piece = vec![0; PIECE];
        let mut sent = 0_u64;
        loop {
            let read = content.read(&mut piece).await.map_err(|error| failed(&self.shared, error.to_string()))?;
            let bytes = piece.get(..read).unwrap_or_default();
            sent += bytes.len() as u64;
            if sent > length || (bytes.is_empty() && sent < length) {
                let detail = format!(
                    "it has {} bytes than the {length} announced",
                    if sent > length { "more" } else { "fewer" }
                );
                return Err(failed(&self.shared, detail));
            }
            if bytes.is_empty() {
                return Ok(());
            }
            self.frame(encode(FrameKind::Data, bytes)).await?;
        }
    }

    async fn frame(&mut self, frame: Vec<u8>) -> Result<(), SshError> {
        if frame.len() > MAX_FRAME {
            let detail = format!("a frame of {} bytes is over the limit of {MAX_FRAME}", frame.len());
            return Err(self.shared.error(Reason::Protocol { detail }));
        }
        write(&self.channel, &self.shared.traffic, self.shared.patience, &frame)
            .await
            .map_err(|reason| self.shared.error(reason))
    }
}

/// Sends bytes; fails when a piece of them has not got away in `patience`.
pub(in crate::ssh) async fn write(
    channel: &ChannelWriteHalf<Msg>,
    traffic: &Traffic,
    patience: Duration,
    bytes: &[u8],
) -> Result<(), Reason> {
    for piece in bytes.chunks(PIECE) {
        match timeout(patience, channel.data_bytes(piece.to_vec())).await {
            Ok(Ok(())) => traffic.sent(piece.len()),
            Ok(Err(error)) => {
                return Err(Reason::Lost { during: "sending to the agent".to_owned(), detail: error.to_string() });
            }
            Err(_) => {
                let awaited = format!("the host to take {} bytes", bytes.len());
                return Err(Reason::TimedOut { awaited, after: patience });
            }
        }
    }
    Ok(())
}
