//! The conversation with an agent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cc_agent::protocol::{Event, FrameKind, MAX_FRAME, Reply, Request, encode, encode_control};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::frame_buffer::FrameBuffer;
use super::host_key_check::Connection;
use super::traffic::Traffic;
use super::{Reason, SshError};

/// A host that takes no bytes for this long hangs.
pub(super) const STALL: Duration = Duration::from_secs(60);

/// Content goes in frames of this size.
const PIECE: usize = 256 << 10;

/// Lines of an agent's standard error that an error repeats.
const TAIL: usize = 20;

/// Longer lines of standard error are cut.
const TAIL_LINE: usize = 500;

/// An agent at the other end of a session. It speaks when spoken to; see [`cc_agent::protocol`].
pub struct AgentLink {
    /// The way there.
    pub sender: LinkSender,
    /// The way back.
    pub receiver: LinkReceiver,
}

/// The sending half of an [`AgentLink`]. It can say [`Request::Stop`] while the other half waits.
pub struct LinkSender {
    shared: Arc<Shared>,
    channel: ChannelWriteHalf<Msg>,
}

/// The receiving half of an [`AgentLink`].
pub struct LinkReceiver {
    shared: Arc<Shared>,
    channel: ChannelReadHalf,
    frames: FrameBuffer,
    stderr: Tail,
    status: Option<String>,
}

/// What both halves know.
struct Shared {
    host: String,
    traffic: Arc<Traffic>,
    /// The request whose answer is awaited.
    awaited: Mutex<&'static str>,
    /// The session lives as long as the link.
    _connection: Arc<Connection>,
}

impl AgentLink {
    pub(super) fn new(
        host: &str,
        connection: Arc<Connection>,
        traffic: Arc<Traffic>,
        channel: (ChannelReadHalf, ChannelWriteHalf<Msg>),
        heard: Heard,
    ) -> Self {
        let shared =
            Arc::new(Shared { host: host.to_owned(), traffic, awaited: Mutex::new("hello"), _connection: connection });
        let mut frames = FrameBuffer::default();
        frames.push(&heard.stdout);
        Self {
            sender: LinkSender { shared: Arc::clone(&shared), channel: channel.1 },
            receiver: LinkReceiver { shared, channel: channel.0, frames, stderr: heard.stderr, status: None },
        }
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
            return Err(self.sender.shared.error(Reason::Protocol { detail }));
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
                    return Err(self.sender.shared.error(reason));
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
        self.call(&Request::Bye { leave_nothing }, within).await.map(|_| ())
    }

    /// How often this side has had to wait for an answer since the command that starts the agent was sent, that included.
    pub fn round_trips(&self) -> u64 {
        self.sender.shared.traffic.round_trips()
    }

    /// Bytes sent, before SSH encrypts them.
    pub fn bytes_sent(&self) -> u64 {
        self.sender.shared.traffic.bytes_sent()
    }

    /// Bytes received, after SSH has decrypted them.
    pub fn bytes_received(&self) -> u64 {
        self.sender.shared.traffic.bytes_received()
    }
}

impl LinkSender {
    /// Sends a request.
    ///
    /// # Errors
    /// When the connection is lost or the host takes no bytes for a minute.
    pub async fn send(&mut self, request: &Request) -> Result<(), SshError> {
        if !matches!(request, Request::Stop) {
            *self.shared.awaited.lock().unwrap_or_else(PoisonError::into_inner) = name_of(request);
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
        write(&self.channel, &self.shared.traffic, &frame).await.map_err(|reason| self.shared.error(reason))
    }
}

/// Sends bytes; fails when no piece of them gets away for [`STALL`].
pub(super) async fn write(channel: &ChannelWriteHalf<Msg>, traffic: &Traffic, bytes: &[u8]) -> Result<(), Reason> {
    for piece in bytes.chunks(PIECE) {
        match timeout(STALL, channel.data_bytes(piece.to_vec())).await {
            Ok(Ok(())) => traffic.sent(piece.len()),
            Ok(Err(error)) => {
                return Err(Reason::Lost { during: "sending to the agent".to_owned(), detail: error.to_string() });
            }
            Err(_) => {
                let awaited = format!("the host to take {} bytes", bytes.len());
                return Err(Reason::TimedOut { awaited, after: STALL });
            }
        }
    }
    Ok(())
}

impl LinkReceiver {
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

impl Shared {
    fn error(&self, reason: Reason) -> SshError {
        SshError::new(&self.host, reason)
    }

    fn awaited(&self) -> &'static str {
        *self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was heard before the link began.
#[derive(Default)]
pub(super) struct Heard {
    pub stdout: Vec<u8>,
    pub stderr: Tail,
}

/// The last lines of a stream.
#[derive(Default)]
pub(super) struct Tail {
    lines: VecDeque<String>,
    open: Vec<u8>,
}

impl Tail {
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                byte if self.open.len() < TAIL_LINE => self.open.push(*byte),
                _ => {}
            }
        }
    }

    /// The last lines, without empty ones.
    pub fn lines(&mut self) -> Vec<String> {
        self.end_line();
        self.lines.iter().cloned().collect()
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).trim().to_owned();
        if !line.is_empty() {
            self.lines.push_back(line);
        }
        if self.lines.len() > TAIL {
            self.lines.pop_front();
        }
    }
}

/// The name of a request, as it stands on the wire.
fn name_of(request: &Request) -> &'static str {
    match request {
        Request::Hello { .. } => "hello",
        Request::Observe { .. } => "observe",
        Request::Blobs { .. } => "blobs",
        Request::Blob { .. } => "blob",
        Request::Apply { .. } => "apply",
        Request::Prune { .. } => "prune",
        Request::Check { .. } => "check",
        Request::Exec { .. } => "exec",
        Request::Status { .. } => "status",
        Request::Journal { .. } => "journal",
        Request::Stop => "stop",
        Request::Bye { .. } => "bye",
    }
}
