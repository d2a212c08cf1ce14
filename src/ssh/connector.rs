//! From a target to a session.

mod options;
mod scan;
mod stream;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use russh::client::{self, Config};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

use super::host_key_check::{Connection, HandshakeError, HostKeyCheck};
use super::key_ring::KeyRing;
use super::known_hosts::{KnownHosts, KnownHostsError, KnownHostsFiles, UnknownKey};
use super::login::Login;
use super::route::{Hop, route};
use super::server_book::ServerBook;
use super::{Reason, Session, SshError, Target};
pub use options::{ConnectorOptions, Retry};
pub use scan::Scan;
use stream::stream;

/// Connects to the hosts of one environment. Jump hosts and key files are shared by all its sessions.
pub struct Connector {
    options: ConnectorOptions,
    keys: KeyRing,
    known_hosts: KnownHostsFiles,
    servers: ServerBook,
    jumps: Mutex<HashMap<String, Arc<OnceCell<JumpResult>>>>,
}

type JumpResult = Result<Arc<Connection>, SshError>;

impl Connector {
    /// Nothing is connected yet.
    pub fn new(options: ConnectorOptions) -> Self {
        Self {
            keys: KeyRing::new(options.ask_passphrase.clone()),
            known_hosts: KnownHostsFiles::default(),
            servers: ServerBook::new(options.settings.clone()),
            options,
            jumps: Mutex::default(),
        }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// With the host's name, the reason and a hint; see [`Reason`].
    pub async fn connect(&self, target: &Target) -> Result<Session, SshError> {
        let (jumps, hop) = route(&self.servers, target).await?;
        let through = self.through(&jumps).await.map_err(|error| error.seen_from(&target.host))?;
        let refused = match self.log_in(&hop, through.as_deref()).await {
            Ok(connection) => return Ok(self.session(target, &hop, false, connection, through)),
            Err(error) => error,
        };
        let Some(bootstrap) = &target.bootstrap else { return Err(refused) };
        let Reason::LoginRefused { user, tried, methods } = *refused.reason.clone() else { return Err(refused) };
        let hop = hop.as_user(&bootstrap.user, &bootstrap.identity_files);
        match self.log_in(&hop, through.as_deref()).await {
            Ok(connection) => Ok(self.session(target, &hop, true, connection, through)),
            Err(error) => match *error.reason {
                Reason::LoginRefused { tried: then, .. } => {
                    let mut tried = tried;
                    tried.push(format!("and as `{}`: {}", hop.user, then.join(", ")));
                    Err(SshError::new(&target.host, Reason::LoginRefused { user, tried, methods }))
                }
                _ => Err(error),
            },
        }
    }

    fn session(
        &self,
        target: &Target,
        hop: &Hop,
        bootstrapped: bool,
        connection: Connection,
        through: Option<Arc<Connection>>,
    ) -> Session {
        let patience = self.options.answer_timeout;
        Session::new(target, &hop.user, bootstrapped, patience, (Arc::new(connection), through))
    }

    /// Gathers the keys of hosts that no known_hosts file knows. Hosts that are known are not connected to.
    ///
    /// A host behind an unknown jump host shows its key only after that one is accepted: scan again after pinning, until
    /// nothing is unknown.
    pub async fn scan(&self, targets: &[Target]) -> Scan {
        let looks = futures_util::stream::iter(targets)
            .map(|target| self.look_at(target))
            .buffered(self.options.parallel.max(1));
        let mut scan = Scan::default();
        for error in looks.filter_map(async |result: Result<(), SshError>| result.err()).collect::<Vec<_>>().await {
            match error.unknown_key() {
                Some(key) => {
                    if !scan.unknown.iter().any(|other| other.name == key.name && other.key == key.key) {
                        scan.unknown.push(key.clone());
                    }
                }
                None => scan.failed.push(error),
            }
        }
        scan
    }

    /// Writes accepted keys into the environment's known_hosts file, all or none.
    ///
    /// # Errors
    /// When the file cannot be written, or the environment has none.
    pub fn pin(&self, keys: &[UnknownKey]) -> Result<(), KnownHostsError> {
        let detail = "the environment has no such file".to_owned();
        let none = KnownHostsError { path: "known_hosts".into(), detail };
        KnownHosts::pin(self.options.known_hosts.as_deref().ok_or(none)?, keys)
    }

    async fn look_at(&self, target: &Target) -> Result<(), SshError> {
        let (jumps, hop) = route(&self.servers, target).await?;
        if self.known(&hop)?.is_known() {
            return Ok(());
        }
        let through = self.through(&jumps).await.map_err(|error| error.seen_from(&target.host))?;
        self.handshake_with_retry(&hop, through.as_deref()).await.map(|_| ())
    }

    /// The connection to the last of these jump hosts, made by whoever comes first.
    async fn through(&self, jumps: &[Hop]) -> Result<Option<Arc<Connection>>, SshError> {
        let Some((last, before)) = jumps.split_last() else { return Ok(None) };
        let way: Vec<String> = jumps.iter().map(Hop::identity).collect();
        let cell = {
            // The map is whole whenever the lock is free, so a panic elsewhere does not spoil it.
            let mut known = self.jumps.lock().unwrap_or_else(PoisonError::into_inner);
            let cell = known.entry(way.join(" ")).or_default();
            if cell.get().is_some_and(|done| done.as_ref().map_or(true, |connection| connection.is_closed())) {
                *cell = Arc::default();
            }
            Arc::clone(cell)
        };
        let connect = async || {
            let through = Box::pin(self.through(before)).await.map_err(|error| error.seen_from(&last.label))?;
            self.log_in(last, through.as_deref()).await.map(Arc::new)
        };
        cell.get_or_init(connect).await.clone().map(Some)
    }

    async fn log_in(&self, hop: &Hop, through: Option<&Connection>) -> Result<Connection, SshError> {
        let mut connection = self.handshake_with_retry(hop, through).await?;
        let login = Login::new(hop, &mut connection, &self.keys).run();
        match timeout(self.options.login_timeout, login).await {
            Ok(result) => result.map(|()| connection),
            Err(_) => Err(timed_out(hop, "the login", self.options.login_timeout)),
        }
    }

    async fn handshake_with_retry(&self, hop: &Hop, through: Option<&Connection>) -> Result<Connection, SshError> {
        let mut pause = self.options.retry.pause;
        for _ in 0..self.options.retry.times {
            match self.handshake(hop, through).await {
                Err(error) if error.is_transient() => {}
                done => return done,
            }
            sleep(pause.mul_f32(1.0 + rand::random::<f32>() / 2.0)).await;
            pause *= 2;
        }
        self.handshake(hop, through).await
    }

    async fn handshake(&self, hop: &Hop, through: Option<&Connection>) -> Result<Connection, SshError> {
        let check = HostKeyCheck::new(&hop.label, hop.name.clone(), self.known(hop)?);
        let config = Arc::new(Config {
            nodelay: true,
            keepalive_interval: Some(self.options.keepalive),
            keepalive_max: 3,
            preferred: check.preferred(),
            ..Config::default()
        });
        let limit = hop.connect_timeout.unwrap_or(self.options.connect_timeout);
        let stream = stream(hop, through, limit).await?;
        match timeout(limit, client::connect_stream(config, stream, check)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(HandshakeError::HostKey(error))) => Err(error),
            Ok(Err(HandshakeError::Ssh(error))) => Err(SshError::new(&hop.label, handshake_reason(hop, &error))),
            Err(_) => Err(timed_out(hop, &format!("the SSH handshake of {}:{}", hop.address, hop.port), limit)),
        }
    }

    fn known(&self, hop: &Hop) -> Result<KnownHosts, SshError> {
        let pinned = self.options.known_hosts.as_deref();
        self.known_hosts
            .look_up(hop.name.clone(), pinned, &hop.known_hosts)
            .map_err(|error| SshError::new(&hop.label, Reason::KnownHosts { path: error.path, detail: error.detail }))
    }
}

fn handshake_reason(hop: &Hop, error: &russh::Error) -> Reason {
    let address = format!("{}:{}", hop.address, hop.port);
    match error {
        // How sshd behaves when too many log in at once (MaxStartups), and how a host does that is just starting.
        russh::Error::IO(_) | russh::Error::Disconnect | russh::Error::HUP => {
            let detail = format!("the connection was closed during the handshake ({error})");
            Reason::Unreachable { address, detail, transient: true }
        }
        russh::Error::Version => {
            let detail = "what listens there is not an SSH server".to_owned();
            Reason::Unreachable { address, detail, transient: false }
        }
        error => Reason::Handshake { detail: error.to_string() },
    }
}

fn unreachable(hop: &Hop, detail: String, transient: bool) -> SshError {
    let address = format!("{}:{}", hop.address, hop.port);
    SshError::new(&hop.label, Reason::Unreachable { address, detail, transient })
}

fn timed_out(hop: &Hop, awaited: &str, after: Duration) -> SshError {
    SshError::new(&hop.label, Reason::TimedOut { awaited: awaited.to_owned(), after })
}
