//! Connections that begin on a host.

use std::sync::Arc;
use std::time::Duration;

use russh::client::Msg;
use russh::{ChannelOpenFailure, ChannelStream};
use tokio::time::timeout;

use super::host_key_check::Connection;

/// Opens connections that begin on a host, inside of its SSH session. It keeps the session open.
#[derive(Clone)]
pub struct Forwarder {
    connection: Arc<Connection>,
    _through: Option<Arc<Connection>>,
}

/// Why a connection could not be forwarded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// The server lets nobody, or not this user.
    #[error(
        "its SSH server forwards no connections: set `AllowTcpForwarding yes` in its sshd_config, for this user at least"
    )]
    Prohibited,
    /// The host itself cannot connect.
    #[error("the host cannot connect to {address}")]
    Unreachable {
        /// `address:port`.
        address: String,
    },
    /// Nothing came in time.
    #[error("the host got no answer from {address} within {} s", .after.as_secs())]
    TimedOut {
        /// `address:port`.
        address: String,
        /// How long.
        after: Duration,
    },
    /// The session is broken.
    #[error("the SSH session broke: {detail}")]
    Lost {
        /// russh's words.
        detail: String,
    },
}

impl Forwarder {
    pub(super) fn new((connection, through): (Arc<Connection>, Option<Arc<Connection>>)) -> Self {
        Self { connection, _through: through }
    }

    /// Connects from the host to a name or address, as the host resolves it.
    ///
    /// # Errors
    /// When the SSH server forbids it, or the host cannot connect `within` this time.
    pub async fn connect(
        &self,
        address: &str,
        port: u16,
        within: Duration,
    ) -> Result<ChannelStream<Msg>, ForwardError> {
        let place = format!("{address}:{port}");
        let open = self.connection.channel_open_direct_tcpip(address, port.into(), "127.0.0.1", 0);
        match timeout(within, open).await {
            Ok(Ok(channel)) => Ok(channel.into_stream()),
            Ok(Err(russh::Error::ChannelOpenFailure(why))) => Err(match why {
                ChannelOpenFailure::AdministrativelyProhibited => ForwardError::Prohibited,
                _ => ForwardError::Unreachable { address: place },
            }),
            Ok(Err(error)) => Err(ForwardError::Lost { detail: error.to_string() }),
            Err(_) => Err(ForwardError::TimedOut { address: place, after: within }),
        }
    }
}
