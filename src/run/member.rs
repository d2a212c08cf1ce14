//! One host of the fleet: a conversation with its agent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cc_agent::facts::Facts;
use cc_agent::protocol::{Event, LastRun, Reply, Request};

use super::fleet::Way;
use super::interrupt::Interrupt;
use crate::keeper::HostKeeper;
use crate::ssh::{AgentSession, Forwarder, Reason, Session, SshError};

/// Work has no deadline of its own (a package may take an hour on a slow link): a host that is gone is noticed by the
/// keepalive, a step that hangs has its own time limit. This only ends what nothing else ends.
const WORKING_DAY: Duration = Duration::from_secs(8 * 3600);

/// Slowest link that content is still sent over, in bytes a second.
const SLOWEST_LINK: u64 = 4096;

/// A connected host.
pub struct Member {
    /// Its name in the inventory.
    pub host: String,
    /// Its facts, as of this connection.
    pub facts: Facts,
    /// Whether its agent runs as root.
    pub root: bool,
    /// Whether something of this environment was installed on it before.
    pub installed: bool,
    /// The newest run on it, as of this connection.
    pub last: Option<LastRun>,
    /// The number of the next event of this controller's run in the host's record.
    pub(super) next: u64,
    /// A run of this controller that nobody needs to go on with; the host is told at the end.
    pub over: Option<String>,
    /// The user that logged in.
    pub user: String,
    agent: AgentSession,
    patience: Duration,
    way: Arc<Way>,
    /// Round trips and bytes of connections that were cut.
    before: BTreeMap<&'static str, u64>,
    /// Ends the connection when it is dropped, so it lives as long as the agent.
    session: Session,
}

impl Member {
    /// A host whose agent has said hello, and the way to it.
    pub fn new(way: Arc<Way>, session: Session, agent: AgentSession) -> Self {
        Self {
            host: way.host().to_owned(),
            facts: agent.facts.clone(),
            root: agent.root,
            installed: agent.installed,
            last: agent.last.clone(),
            next: 0,
            over: None,
            user: session.user().to_owned(),
            agent,
            patience: way.patience(),
            way,
            before: BTreeMap::new(),
            session,
        }
    }

    /// Connects anew. The new session knows nothing of what the old one was told.
    ///
    /// # Errors
    /// The host cannot be reached; then everything is as before.
    pub async fn reconnect(&mut self) -> Result<(), SshError> {
        let (session, agent) = self.way.go().await?;
        (self.before, self.last) = (self.traffic(), agent.last.clone());
        (self.agent, self.session) = (agent, session);
        Ok(())
    }

    /// Sends a request that has no events and waits for its reply.
    ///
    /// # Errors
    /// The host is lost, or refuses.
    pub async fn ask(&mut self, request: &Request) -> Result<Reply, SshError> {
        self.agent.link.call(request, self.patience).await
    }

    /// Sends a request that works on the host, hands on its events, and asks the agent to stop when the person does.
    ///
    /// # Errors
    /// The host is lost, or refuses.
    pub async fn work(
        &mut self,
        request: &Request,
        interrupt: &Interrupt,
        mut on_event: impl FnMut(&Event),
    ) -> Result<Reply, SshError> {
        let link = &mut self.agent.link;
        link.sender.send(request).await?;
        let mut asked_to_stop = false;
        loop {
            let reply = tokio::select! {
                reply = link.receiver.next(WORKING_DAY) => reply?,
                () = interrupt.wait(), if !asked_to_stop => {
                    asked_to_stop = true;
                    link.sender.send(&Request::Stop).await?;
                    continue;
                }
            };
            match reply {
                Reply::Event(event) => on_event(&event),
                Reply::Failed { message, hint } => return Err(self.refused("the request", message, hint)),
                reply => return Ok(reply),
            }
        }
    }

    /// Opens connections that begin on the host.
    pub fn forwarder(&self) -> Forwarder {
        self.session.forwarder()
    }

    /// Another agent on this host, which keeps the team's records while the first one works. When the connection is cut, it makes
    /// one of its own.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn keeper(&self) -> Result<HostKeeper, SshError> {
        // Shorter than a lease, so that a host that hangs costs the lock of no environment with three keepers.
        let patience = self.patience.min(Duration::from_secs(10));
        let keeper = HostKeeper::new(&self.host, self.way.agent(&self.session).await?, patience);
        let way = Arc::clone(&self.way);
        Ok(keeper.reaching(Box::new(move || {
            let way = Arc::clone(&way);
            Box::pin(async move { way.go().await })
        })))
    }

    /// Hands over the secrets that this host needs, as the wire form of a vault.
    ///
    /// # Errors
    /// The host is lost.
    pub async fn send_secrets(&mut self, frame: &[u8]) -> Result<(), SshError> {
        self.agent.link.sender.send_secrets(frame).await
    }

    /// Hands over content by digest.
    ///
    /// # Errors
    /// The host is lost, or cannot keep it.
    pub async fn send_blob(&mut self, digest: &str, content: &Arc<[u8]>) -> Result<(), SshError> {
        let link = &mut self.agent.link;
        let length = content.len() as u64;
        link.sender.send_blob(digest, length, content.as_ref()).await?;
        match link.receiver.next(self.patience + Duration::from_secs(length / SLOWEST_LINK)).await? {
            Reply::Done => Ok(()),
            Reply::Failed { message, hint } => Err(self.refused("the content", message, hint)),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Ends the session. Errors are of no interest any more.
    pub async fn leave(mut self, leave_nothing: bool) {
        let bye = Request::Bye { leave_nothing, over: self.over.take() };
        let _ = self.ask(&bye).await;
    }

    /// Round trips and bytes so far.
    pub fn traffic(&self) -> BTreeMap<&'static str, u64> {
        let link = &self.agent.link;
        let now = [
            ("round_trips", link.round_trips()),
            ("bytes_sent", link.bytes_sent()),
            ("bytes_received", link.bytes_received()),
        ];
        now.into_iter().map(|(name, count)| (name, count + self.before.get(name).unwrap_or(&0))).collect()
    }

    /// A reply that is not of the kind that the request has.
    pub fn unexpected(&self, reply: &Reply) -> SshError {
        let kind = serde_json::to_value(reply).ok();
        let kind = kind.and_then(|value| value.get("reply").cloned()).unwrap_or_default();
        self.error(Reason::Protocol { detail: format!("the reply {kind} does not belong here") })
    }

    fn refused(&self, request: &'static str, message: String, hint: Option<String>) -> SshError {
        self.error(Reason::Refused { request, message, hint })
    }

    /// An error of this host.
    pub(super) fn error(&self, reason: Reason) -> SshError {
        SshError { host: self.host.clone(), jump: None, reason: Box::new(reason) }
    }
}

/// Whether the host is there and said no, as against being lost.
pub fn is_refusal(error: &SshError) -> bool {
    matches!(*error.reason, Reason::Refused { .. } | Reason::CutOff { .. })
}
