//! Starting the agent on a host: one command, one script, at most one upload.

mod start;
mod trouble;

use cc_agent::facts::Facts;
use cc_agent::protocol::{LastRun, Reply, Request, VERSION};

use super::{AgentBinary, AgentLink, Reason, Session, SshError};
use start::{Start, Started};

/// A host's agent that has said hello.
pub struct AgentSession {
    /// To talk to it.
    pub link: AgentLink,
    /// The host's facts.
    pub facts: Facts,
    /// Whether it runs as root.
    pub root: bool,
    /// Whether something of this environment was installed on the host before.
    pub installed: bool,
    /// The newest run on the host.
    pub last: Option<LastRun>,
    /// Where its binary is on the host.
    pub place: String,
    /// Whether it had to be sent.
    pub uploaded: bool,
}

impl Session {
    /// Finds the agent on the host by its digest, or sends it, starts it as root when the target says so, and greets it.
    ///
    /// The greeting is sent along with the command, so that a host that has the agent is ready after one round trip.
    ///
    /// # Errors
    /// The host's reason in one [`Reason`], with a hint.
    pub async fn start_agent(&self, agent: &AgentBinary, environment: &str) -> Result<AgentSession, SshError> {
        let hello =
            Request::Hello { version: VERSION, environment: environment.to_owned(), host: self.host().to_owned() };
        let started = Start::new(self, agent, &hello).await?.run().await?;
        let Started { mut link, place, uploaded } = started;
        match link.receiver.next(self.patience()).await? {
            Reply::Hello { version: VERSION, facts, root, installed, last } => {
                Ok(AgentSession { link, facts, root, installed, last, place, uploaded })
            }
            Reply::Hello { version, .. } => {
                let detail = format!("it speaks version {version} of the protocol, we speak {VERSION}");
                Err(self.error(Reason::Protocol { detail }))
            }
            Reply::Failed { message, hint } => Err(self.error(Reason::Refused { request: "hello", message, hint })),
            other => Err(self.error(Reason::Protocol { detail: format!("{other:?} in answer to `hello`") })),
        }
    }
}
