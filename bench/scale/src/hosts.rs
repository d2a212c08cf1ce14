//! Many hosts in one process.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::{Config, run_stream};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Failure;
use crate::agent::Agent;
use crate::door::Door;
use crate::hold::Hold;

/// Hosts in the group that every template lists, as in the measurement of the compiler.
const PEERS: usize = 10;

/// Hosts that listen on ports of 127.0.0.1, each with a key of its own.
pub struct Hosts {
    hosts: Vec<Host>,
    /// The key that lets in.
    key: PrivateKey,
}

struct Host {
    name: String,
    listener: TcpListener,
    key: PrivateKey,
}

impl Hosts {
    /// So many hosts, on ports that the system chooses.
    ///
    /// # Errors
    /// When there are not enough ports or descriptors.
    pub async fn listen(count: usize) -> Result<Self, Failure> {
        let mut hosts = Vec::with_capacity(count);
        for number in 1..=count {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            hosts.push(Host { name: format!("h{number}"), listener, key: new_key()? });
        }
        Ok(Self { hosts, key: new_key()? })
    }

    /// Writes the inventory, the pinned host keys and the key that lets in.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        let key = folder.join("id_ed25519");
        fs::write(&key, self.key.to_openssh(LineEnding::LF)?.as_bytes())?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        let mut inventory = String::from("provider: static\nhosts:\n");
        let mut pins = String::new();
        for (number, host) in self.hosts.iter().enumerate() {
            let port = host.listener.local_addr()?.port();
            let groups = if number < PEERS { "all, peers" } else { "all" };
            writeln!(inventory, "  {}: {{address: 127.0.0.1, port: {port}, groups: [{groups}]}}", host.name)?;
            writeln!(pins, "[127.0.0.1]:{port} {}", host.key.public_key().to_openssh()?)?;
        }
        writeln!(inventory, "defaults: {{user: root, identity_file: {}}}", key.display())?;
        fs::create_dir_all(folder.join("inventories"))?;
        fs::write(folder.join("inventories/scale.yml"), inventory)?;
        Ok(fs::write(folder.join("environments/scale/known_hosts"), pins)?)
    }

    /// Serves until standard input ends; each line of it releases the agents that wait.
    ///
    /// # Errors
    /// When standard input or output is broken, or a host can take no more connections.
    pub async fn serve(self) -> Result<(), Failure> {
        let hold = Arc::new(Hold::new());
        let mut hosts = JoinSet::new();
        for host in self.hosts {
            hosts.spawn(host.serve(self.key.public_key().clone(), Arc::clone(&hold)));
        }
        writeln!(io::stdout(), "listening")?;
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        loop {
            tokio::select! {
                line = lines.next_line() => match line? {
                    Some(_) => hold.release(),
                    None => return Ok(()),
                },
                // A host serves as long as it can.
                Some(ended) = hosts.join_next() => ended??,
            }
        }
    }
}

impl Host {
    /// Takes connections until the process ends.
    async fn serve(self, key: PublicKey, hold: Arc<Hold>) -> Result<(), Failure> {
        let config = Arc::new(Config { keys: vec![self.key], nodelay: true, ..Config::default() });
        let agent = Agent::new(&self.name, hold);
        loop {
            let (stream, _) = self.listener.accept().await?;
            stream.set_nodelay(true)?;
            let (config, door) = (Arc::clone(&config), Door::new(key.clone(), agent.clone()));
            let name = self.name.clone();
            tokio::spawn(async move {
                let served = async { run_stream(config, stream, door).await?.await };
                match served.await {
                    Ok(()) => {}
                    // How a controller goes after the agent's last word.
                    Err(russh::Error::IO(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                    Err(error) => drop(writeln!(io::stderr(), "{name}: {error}")),
                }
            });
        }
    }
}

fn new_key() -> Result<PrivateKey, Failure> {
    Ok(PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519)?)
}
