//! A host of the environment as a keeper.

use std::time::Duration;

use cc_agent::hex::Hex;
use cc_agent::protocol::{Reply, Request};
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::{Answer, Keeper, KeeperError, Kept, Put, Removed, Version};
use crate::ssh::{AgentLink, AgentSession, Reason, Session, SshError};

/// Connects to the host anew and starts an agent there.
pub type Reach = Box<dyn Fn() -> BoxFuture<'static, Result<(Session, AgentSession), SshError>> + Send>;

/// Keeps records on a host through an agent of its own, beside the one that works there: it answers while an apply is under
/// way.
pub struct HostKeeper {
    name: String,
    link: AgentLink,
    patience: Duration,
    /// Requests whose answers have not been read: they come first, in their order.
    owed: usize,
    /// How the host is reached again when the connection was cut.
    reach: Option<Reach>,
    /// Whether it was cut.
    is_cut: bool,
    /// The connection that was made since; it ends when this is dropped.
    session: Option<Session>,
}

impl HostKeeper {
    /// A host whose agent has said hello. `patience` is how long each answer may take.
    pub fn new(host: &str, agent: AgentSession, patience: Duration) -> Self {
        let (name, link) = (format!("host {host}"), agent.link);
        Self { name, link, patience, owed: 0, reach: None, is_cut: false, session: None }
    }

    /// The same, which is reached again for the next request after the connection was cut.
    pub fn reaching(self, reach: Reach) -> Self {
        Self { reach: Some(reach), ..self }
    }

    /// Sends a request; gives its answer, and whether it was sent twice. That is so when the connection was cut meanwhile and the
    /// host was reached again: only what was seen is replaced, so that nothing is done twice.
    async fn ask(
        &mut self,
        key: &str,
        content: Option<&[u8]>,
        seen: Option<&Version>,
    ) -> Result<(Reply, bool), KeeperError> {
        let content = content.map(|content| Hex(content.to_vec()));
        let request = Request::Keep { key: key.to_owned(), content, seen: seen.cloned() };
        self.reconnect().await?;
        let first = self.exchange(&request).await;
        let again = self.is_cut && self.reach.is_some();
        let answer = if again {
            self.reconnect().await?;
            self.exchange(&request).await
        } else {
            first
        };
        answer.map(|reply| (reply, again)).map_err(|error| self.silent(&error))
    }

    /// Makes a new connection where the last one was cut.
    async fn reconnect(&mut self) -> Result<(), KeeperError> {
        let Some(reach) = self.reach.as_ref().filter(|_| self.is_cut) else { return Ok(()) };
        let Ok(reached) = timeout(self.patience, reach()).await else {
            let reason = format!("it cannot be reached again within {} s", self.patience.as_secs());
            return Err(KeeperError::Silent { keeper: self.name.clone(), reason, hint: None });
        };
        let (session, agent) = reached.map_err(|error| self.silent(&error))?;
        (self.link, self.session) = (agent.link, Some(session));
        (self.owed, self.is_cut) = (0, false);
        Ok(())
    }

    async fn exchange(&mut self, request: &Request) -> Result<Reply, SshError> {
        let answer = self.call(request).await;
        let cut = |error: &SshError| matches!(*error.reason, Reason::Lost { .. } | Reason::AgentDied { .. });
        self.is_cut = answer.as_ref().err().is_some_and(cut);
        answer
    }

    async fn call(&mut self, request: &Request) -> Result<Reply, SshError> {
        // Counted before it is sent: an answer that comes too late must not be taken for that of the next request.
        let late = self.owed;
        self.owed += 1;
        self.link.sender.send(request).await?;
        for _ in 0..late {
            self.link.receiver.next(self.patience).await?;
            self.owed -= 1;
        }
        let reply = self.link.receiver.next(self.patience).await?;
        self.owed -= 1;
        Ok(reply)
    }

    fn silent(&self, error: &SshError) -> KeeperError {
        let reason = error.reason.to_string();
        KeeperError::Silent { keeper: self.name.clone(), reason, hint: error.hint() }
    }

    fn refused(&self, reply: Reply) -> KeeperError {
        let keeper = self.name.clone();
        match reply {
            Reply::Failed { message, hint } => KeeperError::Refused { keeper, reason: message, hint },
            other => KeeperError::Refused { keeper, reason: format!("{other:?} in answer to `keep`"), hint: None },
        }
    }
}

/// A record from the wire, where both of its parts are there or none.
fn record(version: Option<Version>, content: Option<Hex>) -> Option<Kept> {
    version.zip(content).map(|(version, Hex(content))| Kept { content, version })
}

impl Keeper for HostKeeper {
    fn name(&self) -> &str {
        &self.name
    }

    fn get<'a>(&'a mut self, key: &'a str) -> Answer<'a, Option<Kept>> {
        Box::pin(async move {
            match self.ask(key, None, None).await?.0 {
                Reply::Kept { version, content, .. } => Ok(record(version, content)),
                other => Err(self.refused(other)),
            }
        })
    }

    fn put<'a>(&'a mut self, key: &'a str, content: &'a [u8], seen: Option<&'a Version>) -> Answer<'a, Put> {
        Box::pin(async move {
            match self.ask(key, Some(content), seen).await? {
                (Reply::Kept { done: true, version: Some(version), .. }, _) => Ok(Put::Done(version)),
                (Reply::Kept { done: false, version, content: found }, again) => Ok(match record(version, found) {
                    Some(kept) if again && kept.content == content => Put::Done(kept.version),
                    current => Put::Moved(current),
                }),
                (other, _) => Err(self.refused(other)),
            }
        })
    }

    fn list<'a>(&'a mut self, folder: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            match self.ask(&format!("{folder}/"), None, None).await?.0 {
                Reply::Keys { keys } => Ok(keys),
                other => Err(self.refused(other)),
            }
        })
    }

    fn remove<'a>(&'a mut self, key: &'a str, seen: &'a Version) -> Answer<'a, Removed> {
        Box::pin(async move {
            match self.ask(key, None, Some(seen)).await? {
                (Reply::Kept { done, version, content }, again) => Ok(match record(version, content) {
                    None if done || again => Removed::Done,
                    current => Removed::Moved(current),
                }),
                (other, _) => Err(self.refused(other)),
            }
        })
    }
}
