//! One SSH session to a host.

use std::sync::Arc;
use std::time::Duration;

use russh::ChannelMsg;
use russh::client::Msg;
use tokio::time::timeout;

use super::host_key_check::Connection;
use super::{Become, Forwarder, Reason, SshError, Target};

/// A host that has been logged in to.
pub struct Session {
    host: String,
    user: String,
    bootstrapped: bool,
    become_root: Become,
    patience: Duration,
    connection: Arc<Connection>,
    /// The jump host that this session goes through lives as long as it.
    through: Option<Arc<Connection>>,
}

/// What a command said and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Exit status; `None` when a signal ended it.
    pub status: Option<u32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Session {
    pub(super) fn new(
        target: &Target,
        user: &str,
        bootstrapped: bool,
        patience: Duration,
        (connection, through): (Arc<Connection>, Option<Arc<Connection>>),
    ) -> Self {
        Self {
            host: target.host.clone(),
            user: user.to_owned(),
            bootstrapped,
            become_root: target.become_root.clone(),
            patience,
            connection,
            through,
        }
    }

    /// The host's name in the inventory.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Who is logged in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether the host's own user was refused and the bootstrap user is logged in.
    pub fn is_bootstrapped(&self) -> bool {
        self.bootstrapped
    }

    pub(super) fn become_root(&self) -> &Become {
        &self.become_root
    }

    /// How long each answer may take while the agent starts.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// The connection, and the one that it goes through: whoever holds both keeps the session.
    pub(super) fn connections(&self) -> (Arc<Connection>, Option<Arc<Connection>>) {
        (Arc::clone(&self.connection), self.through.clone())
    }

    /// Opens connections that begin on the host.
    pub fn forwarder(&self) -> Forwarder {
        Forwarder::new(self.connections())
    }

    /// Runs a command with the user's login shell and without input.
    ///
    /// # Errors
    /// When the connection is lost, the server runs no commands, or the command has not ended `within` this time.
    pub async fn exec(&self, command: &str, within: Duration) -> Result<Output, SshError> {
        let run = async {
            let mut channel = self.open_channel(command).await?;
            channel.eof().await.map_err(|error| self.lost(&error))?;
            let mut output = Output { status: None, stdout: Vec::new(), stderr: Vec::new() };
            let mut ended = false;
            while let Some(message) = channel.wait().await {
                match message {
                    ChannelMsg::Data { data } => output.stdout.extend_from_slice(&data),
                    ChannelMsg::ExtendedData { data, .. } => output.stderr.extend_from_slice(&data),
                    ChannelMsg::ExitStatus { exit_status } => (output.status, ended) = (Some(exit_status), true),
                    ChannelMsg::ExitSignal { .. } => ended = true,
                    ChannelMsg::Failure => return Err(self.exec_refused("the request was denied".to_owned())),
                    _ => {}
                }
            }
            if ended { Ok(output) } else { Err(self.lost(&russh::Error::Disconnect)) }
        };
        match timeout(within, run).await {
            Ok(result) => result,
            Err(_) => Err(self.error(Reason::TimedOut { awaited: format!("the end of `{command}`"), after: within })),
        }
    }

    /// Says goodbye. A session that is dropped instead ends as well, without the courtesy.
    pub async fn close(self) {
        // The server may have gone already, which is what was wanted.
        let _ = self.connection.disconnect(russh::Disconnect::ByApplication, "", "en").await;
    }

    /// Opens a channel and asks for the command; whether it is granted comes as a message of the channel.
    pub(super) async fn open_channel(&self, command: &str) -> Result<russh::Channel<Msg>, SshError> {
        let channel = self.connection.channel_open_session().await.map_err(|error| match error {
            russh::Error::ChannelOpenFailure(why) => self.exec_refused(format!("no session channel ({why:?})")),
            error => self.lost(&error),
        })?;
        channel.exec(true, command).await.map_err(|error| self.lost(&error))?;
        Ok(channel)
    }

    pub(super) fn exec_refused(&self, detail: String) -> SshError {
        self.error(Reason::ExecRefused { user: self.user.clone(), detail })
    }

    fn lost(&self, error: &russh::Error) -> SshError {
        self.error(Reason::Lost { during: "running a command".to_owned(), detail: error.to_string() })
    }

    pub(super) fn error(&self, reason: Reason) -> SshError {
        SshError::new(&self.host, reason)
    }
}
