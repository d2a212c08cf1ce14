//! The SSH server of one host.

use std::collections::HashMap;
use std::io::{self, Write as _};

use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};

use crate::agent::Agent;
use crate::conversation::{Start, converse};

/// One connection: lets in who has the key, and runs the agent and nothing else.
pub struct Door {
    key: PublicKey,
    agent: Agent,
    /// Channels on which nothing runs yet.
    idle: HashMap<ChannelId, Channel<Msg>>,
}

impl Door {
    /// For who has this key.
    pub fn new(key: PublicKey, agent: Agent) -> Self {
        Self { key, agent, idle: HashMap::new() }
    }
}

impl Handler for Door {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let known = key.public_key.key_data() == self.key.key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.idle.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, command: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let start = str::from_utf8(command).ok().and_then(Start::parse);
        let (Some(start), Some(channel)) = (start, self.idle.remove(&id)) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        let agent = self.agent.clone();
        tokio::spawn(async move {
            let host = agent.host().to_owned();
            if let Err(error) = converse(channel, start, agent).await {
                let _ = writeln!(io::stderr(), "{host}: {error}");
            }
        });
        Ok(())
    }
}
