//! From a target to a session.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use russh::client::{self, Config};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

use super::host_key_check::{Connection, HandshakeError, HostKeyCheck};
use super::key_ring::{AskPassphrase, KeyRing};
use super::known_hosts::{KnownHosts, KnownHostsError, UnknownKey};
use super::login::Login;
use super::route::{Hop, route};
use super::settings::Settings;
use super::{Reason, Session, SshError, Target};

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

/// What a [`Connector::scan`] found out.
#[derive(Debug, Default)]
pub struct Scan {
    /// Keys to accept or refuse, each once, in the order of the targets.
    pub unknown: Vec<UnknownKey>,
    /// Targets whose key could not be had, or must not be trusted.
    pub failed: Vec<SshError>,
}

/// Connects to the hosts of one environment. Jump hosts and key files are shared by all its sessions.
pub struct Connector {
    options: ConnectorOptions,
    keys: KeyRing,
    jumps: Mutex<HashMap<String, Arc<OnceCell<JumpResult>>>>,
}

type JumpResult = Result<Arc<Connection>, SshError>;

impl Connector {
    /// Nothing is connected yet.
    pub fn new(options: ConnectorOptions) -> Self {
        Self { keys: KeyRing::new(options.ask_passphrase.clone()), options, jumps: Mutex::default() }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// With the host's name, the reason and a hint; see [`Reason`].
    pub async fn connect(&self, target: &Target) -> Result<Session, SshError> {
        let (jumps, hop) = route(&self.options.settings, target).await?;
        let through = self.through(&jumps).await.map_err(|error| error.seen_from(&target.host))?;
        let refused = match self.log_in(&hop, through.as_deref()).await {
            Ok(connection) => return Ok(Session::new(target, &hop.user, false, connection, through)),
            Err(error) => error,
        };
        let Some(bootstrap) = &target.bootstrap else { return Err(refused) };
        let Reason::LoginRefused { user, tried, methods } = *refused.reason.clone() else { return Err(refused) };
        let hop = hop.as_user(&bootstrap.user, &bootstrap.identity_files);
        match self.log_in(&hop, through.as_deref()).await {
            Ok(connection) => Ok(Session::new(target, &hop.user, true, connection, through)),
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

    /// Gathers the keys of hosts that no known_hosts file knows. Hosts that are known are not connected to.
    ///
    /// A host behind an unknown jump host shows its key only after that one is accepted: scan again after pinning, until
    /// nothing is unknown.
    pub async fn scan(&self, targets: &[Target]) -> Scan {
        let looks = stream::iter(targets).map(|target| self.look_at(target)).buffered(self.options.parallel.max(1));
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
        let (jumps, hop) = route(&self.options.settings, target).await?;
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
            keepalive_interval: Some(Duration::from_secs(15)),
            keepalive_max: 3,
            preferred: check.preferred(),
            ..Config::default()
        });
        let stream = self.stream(hop, through).await?;
        let limit = hop.connect_timeout.unwrap_or(self.options.connect_timeout);
        match timeout(limit, client::connect_stream(config, stream, check)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(HandshakeError::HostKey(error))) => Err(error),
            Ok(Err(HandshakeError::Ssh(error))) => Err(SshError::new(&hop.label, handshake_reason(hop, &error))),
            Err(_) => Err(timed_out(hop, &format!("the SSH handshake of {}:{}", hop.address, hop.port), limit)),
        }
    }

    fn known(&self, hop: &Hop) -> Result<KnownHosts, SshError> {
        let pinned = self.options.known_hosts.as_deref();
        KnownHosts::look_up(hop.name.clone(), pinned, &hop.known_hosts)
            .map_err(|error| SshError::new(&hop.label, Reason::KnownHosts { path: error.path, detail: error.detail }))
    }

    /// The bytes to the server: over the jump host, the user's proxy command, or the network.
    async fn stream(&self, hop: &Hop, through: Option<&Connection>) -> Result<Box<dyn Stream>, SshError> {
        let limit = hop.connect_timeout.unwrap_or(self.options.connect_timeout);
        if let Some(jump) = through {
            let open = jump.channel_open_direct_tcpip(&hop.address, hop.port.into(), "127.0.0.1", 0);
            return match timeout(limit, open).await {
                Ok(Ok(channel)) => Ok(Box::new(channel.into_stream())),
                Ok(Err(error)) => {
                    let transient =
                        matches!(error, russh::Error::ChannelOpenFailure(russh::ChannelOpenFailure::ConnectFailed));
                    let detail = format!("the jump host says: {error}");
                    Err(unreachable(hop, detail, transient))
                }
                Err(_) => Err(timed_out(hop, "the jump host's connection to it", limit)),
            };
        }
        match &hop.proxy_command {
            Some(command) => proxy(hop, command),
            None => network(hop, limit).await,
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn network(hop: &Hop, limit: Duration) -> Result<Box<dyn Stream>, SshError> {
    let no_address =
        |detail: String| SshError::new(&hop.label, Reason::NoAddress { address: hop.address.clone(), detail });
    let addresses = match timeout(limit, tokio::net::lookup_host((hop.address.as_str(), hop.port))).await {
        Ok(found) => found.map_err(|error| no_address(error.to_string()))?,
        Err(_) => return Err(no_address(format!("no answer within {} s", limit.as_secs_f32()))),
    };
    let mut last = no_address("the name has no address".to_owned());
    for address in addresses {
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A failure leaves the connection slower, and as good as it was.
                let _ = stream.set_nodelay(true);
                return Ok(Box::new(stream));
            }
            Ok(Err(error)) => {
                let transient = error.kind() == std::io::ErrorKind::ConnectionRefused;
                last = unreachable(hop, error.to_string(), transient);
            }
            Err(_) => last = unreachable(hop, format!("no answer within {} s", limit.as_secs_f32()), false),
        }
    }
    Err(last)
}

fn proxy(hop: &Hop, command: &str) -> Result<Box<dyn Stream>, SshError> {
    let failed = |detail: String| unreachable(hop, format!("ProxyCommand `{command}`: {detail}"), false);
    let child = Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| failed(error.to_string()))?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed("it has no standard input or output".to_owned()));
    };
    // It ends by itself when its input closes; somebody has to take note.
    tokio::spawn(async move { child.wait().await });
    Ok(Box::new(tokio::io::join(output, input)))
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
