//! What a test needs on this side: a folder with keys, an empty ssh_config, a known_hosts file, and the stand-in agent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use cc_agent::facts::Facts;
use cc_agent::protocol::{Reply, VERSION};
use cc_cloud::ssh::{AgentBinary, Connector, ConnectorOptions, Endpoint, Retry, Settings, Target};
use tempfile::TempDir;

use crate::host::Host;

/// A test's own folder.
pub struct Lab {
    pub folder: TempDir,
}

impl Lab {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let lab = Self { folder };
        lab.write("config", "UserKnownHostsFile none\nGlobalKnownHostsFile none\nIdentityFile none\n");
        lab.key("id", &["-t", "ed25519"]);
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Makes a key pair with ssh-keygen.
    pub fn key(&self, name: &str, options: &[&str]) -> PathBuf {
        let file = self.path(name);
        let passphrase: &[&str] = if options.contains(&"-N") { &[] } else { &["-N", ""] };
        run(Command::new("ssh-keygen").arg("-q").args(options).args(passphrase).arg("-f").arg(&file));
        file
    }

    /// Signs `name.pub` with an authority; the result is `name-cert.pub`.
    pub fn sign(&self, authority: &str, name: &str, options: &[&str]) {
        let key = self.path(&format!("{name}.pub"));
        run(Command::new("ssh-keygen").args(["-q", "-s"]).arg(self.path(authority)).args(options).arg(key));
    }

    pub fn settings(&self) -> Settings {
        Settings::of_user().with_config(self.path("config")).with_agent_socket(None)
    }

    /// Does not wait long, does not ask, has the empty ssh_config and no ssh-agent.
    pub fn options(&self) -> ConnectorOptions {
        ConnectorOptions {
            settings: self.settings(),
            known_hosts: Some(self.path("known_hosts")),
            connect_timeout: Duration::from_secs(20),
            retry: Retry { times: 2, pause: Duration::from_millis(20) },
            ..ConnectorOptions::default()
        }
    }

    pub fn connector(&self) -> Connector {
        Connector::new(self.options())
    }

    /// `user` at this host, with the key `id`.
    pub fn target(&self, host: &Host, user: &str) -> Target {
        Target::new(host.name(), self.endpoint(host, user))
    }

    pub fn endpoint(&self, host: &Host, user: &str) -> Endpoint {
        let mut endpoint: Endpoint = format!("{user}@127.0.0.1:{}", host.port()).parse().unwrap();
        endpoint.identity_files = vec![self.path("id")];
        endpoint
    }

    /// Accepts the keys that these hosts have.
    pub async fn trust(&self, hosts: &[&Host]) {
        let connector = self.connector();
        let targets: Vec<_> = hosts.iter().map(|host| self.target(host, "root")).collect();
        let scan = connector.scan(&targets).await;
        assert!(scan.failed.is_empty(), "{:?}", scan.failed);
        connector.pin(&scan.unknown).unwrap();
    }

    /// An ssh-agent of this test, with these keys.
    pub fn ssh_agent(&self, keys: &[&str]) -> SshAgent {
        let socket = self.path(&format!("agent-of-{}", keys.join("-")));
        let child = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::piped()).spawn().unwrap();
        let mut agent = SshAgent { child, socket };
        // It prints where it listens once it does.
        let mut line = String::new();
        let output = agent.child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
        for key in keys {
            run(Command::new("ssh-add").arg("-q").arg(self.path(key)).env("SSH_AUTH_SOCK", &agent.socket));
        }
        agent
    }
}

/// A running ssh-agent.
pub struct SshAgent {
    child: std::process::Child,
    pub socket: PathBuf,
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The stand-in agent, built once.
pub fn stand_in() -> AgentBinary {
    AgentBinary::open(stand_in_file(), "", None).unwrap()
}

pub fn stand_in_file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let hello =
            Reply::Hello { version: VERSION, facts: Facts::placeholder(), root: true, installed: false, last: None };
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stand-in-{}", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ssh/stand_in.rs");
        let flags =
            ["--edition", "2024", "-C", "target-feature=+crt-static", "-C", "strip=symbols", "-C", "panic=abort"];
        let hello = serde_json::to_string(&hello).unwrap();
        run(Command::new("rustc").args(flags).arg(source).arg("-o").arg(&file).env("STAND_IN_HELLO", hello));
        file
    })
}
