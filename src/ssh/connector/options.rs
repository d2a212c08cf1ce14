//! How connections are made.

use std::path::PathBuf;
use std::time::Duration;

use super::super::{AskPassphrase, Settings};

/// How a [`Connector`] goes about it.
#[derive(Clone)]
pub struct ConnectorOptions {
    /// The user's ssh settings.
    pub settings: Settings,
    /// The environment's known_hosts file. It need not exist yet.
    pub known_hosts: Option<PathBuf>,
    /// For the network connection, and again for the SSH handshake. The user's `ConnectTimeout` goes before it.
    pub connect_timeout: Duration,
    /// For all keys of one login together; a person may have to touch a token.
    pub login_timeout: Duration,
    /// For each answer of a host while its agent starts, and for a host to take what is sent to it.
    pub answer_timeout: Duration,
    /// A connection on which nothing came for this long is asked for a sign of life; without one it is lost at the fourth
    /// time.
    pub keepalive: Duration,
    /// When nothing listens yet.
    pub retry: Retry,
    /// Asks for passphrases of key files.
    pub ask_passphrase: Option<AskPassphrase>,
    /// Connections that [`Connector::scan`] makes at once.
    pub parallel: usize,
}

impl Default for ConnectorOptions {
    fn default() -> Self {
        Self {
            settings: Settings::of_user(),
            known_hosts: None,
            connect_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(60),
            keepalive: Duration::from_secs(15),
            retry: Retry::default(),
            ask_passphrase: None,
            parallel: 32,
        }
    }
}

/// Tries after the first when a connection is refused or dropped before it stands. A refused login is never tried again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// How many more tries.
    pub times: u32,
    /// Before the first of them; twice as long before each next, and up to half as long again by chance, so that many
    /// hosts behind one jump host do not come back all at once.
    pub pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { times: 2, pause: Duration::from_millis(500) }
    }
}
