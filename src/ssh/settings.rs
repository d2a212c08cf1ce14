//! The user's own ssh settings.

use std::collections::HashMap;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ssh2_config::{ParseRule, SshConfig};
use tokio::process::Command;

use super::Endpoint;

/// Where the user's ssh settings come from: `ssh -G`, which knows `Match`, `Include` and every token, or a parser of
/// ssh_config where there is no ssh.
#[derive(Clone, Debug)]
pub struct Settings {
    program: PathBuf,
    /// Read instead of the user's and the system's file.
    config: Option<PathBuf>,
    home: PathBuf,
    login_name: Option<String>,
    agent_socket: Option<PathBuf>,
}

/// What the settings say of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerSettings {
    pub address: String,
    pub port: u16,
    pub user: String,
    pub identity_files: Vec<PathBuf>,
    pub certificate_files: Vec<PathBuf>,
    /// Only agent keys that are also identity files.
    pub identities_only: bool,
    pub agent_socket: Option<PathBuf>,
    pub jump: Vec<String>,
    pub proxy_command: Option<String>,
    pub host_key_alias: Option<String>,
    pub known_hosts: Vec<PathBuf>,
    pub connect_timeout: Option<Duration>,
}

impl Settings {
    /// The settings of the user who runs this process.
    pub fn of_user() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            program: "ssh".into(),
            config: None,
            home: std::env::home_dir().unwrap_or_default(),
            login_name: variable("USER").or_else(|| variable("LOGNAME")),
            agent_socket: variable("SSH_AUTH_SOCK").map(PathBuf::from),
        }
    }

    /// Reads this file instead of the user's and the system's, as `ssh -F` does.
    #[must_use]
    pub fn with_config(mut self, config: impl Into<PathBuf>) -> Self {
        self.config = Some(config.into());
        self
    }

    /// Uses this ssh-agent instead of the one in `SSH_AUTH_SOCK`; `None` for no agent.
    #[must_use]
    pub fn with_agent_socket(mut self, socket: Option<PathBuf>) -> Self {
        self.agent_socket = socket;
        self
    }

    /// Asks this program instead of `ssh`.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// # Errors
    /// A message when the settings cannot be read.
    pub(super) async fn look_up(&self, endpoint: &Endpoint) -> Result<ServerSettings, String> {
        let mut command = Command::new(&self.program);
        command.arg("-G").stdin(Stdio::null());
        if let Some(config) = &self.config {
            command.arg("-F").arg(config);
        }
        if let Some(user) = &endpoint.user {
            command.args(["-l", user]);
        }
        if let Some(port) = endpoint.port {
            command.args(["-p", &port.to_string()]);
        }
        match command.arg("--").arg(&endpoint.address).output().await {
            Ok(output) if output.status.success() => {
                self.as_ssh_prints(endpoint, &String::from_utf8_lossy(&output.stdout))
            }
            Ok(output) => Err(format!("`ssh -G` failed: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.as_parsed(endpoint),
            Err(error) => Err(format!("cannot run {}: {error}", self.program.display())),
        }
    }

    fn as_ssh_prints(&self, endpoint: &Endpoint, printed: &str) -> Result<ServerSettings, String> {
        let mut values: HashMap<&str, Vec<&str>> = HashMap::new();
        for (key, value) in printed.lines().filter_map(|line| line.split_once(' ')) {
            values.entry(key).or_default().push(value);
        }
        let all = |key: &str| values.get(key).cloned().unwrap_or_default();
        let one = |key: &str| all(key).first().copied().filter(|value| *value != "none");
        let address = one("hostname").unwrap_or(&endpoint.address).to_owned();
        let user = one("user").ok_or("`ssh -G` names no user")?.to_owned();
        let port = one("port").and_then(|port| port.parse().ok()).ok_or("`ssh -G` names no port")?;
        let tokens = Tokens { home: &self.home, typed: &endpoint.address, address: &address, user: &user, port };
        let paths =
            |key: &str| all(key).into_iter().filter(|path| *path != "none").map(|path| tokens.path(path)).collect();
        let lists = ["userknownhostsfile", "globalknownhostsfile"].into_iter().flat_map(&all);
        Ok(ServerSettings {
            port,
            identity_files: paths("identityfile"),
            certificate_files: paths("certificatefile"),
            identities_only: one("identitiesonly") == Some("yes"),
            agent_socket: match all("identityagent").first() {
                None | Some(&"SSH_AUTH_SOCK") => self.agent_socket.clone(),
                Some(&"none") => None,
                Some(path) => Some(tokens.path(path)),
            },
            jump: one("proxyjump").map(|jump| jump.split(',').map(str::to_owned).collect()).unwrap_or_default(),
            proxy_command: one("proxycommand").map(|command| tokens.expand(command)),
            host_key_alias: one("hostkeyalias").map(str::to_owned),
            known_hosts: lists.flat_map(str::split_whitespace).map(|path| tokens.path(path)).collect(),
            connect_timeout: one("connecttimeout").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs),
            address,
            user,
        })
    }

    fn as_parsed(&self, endpoint: &Endpoint) -> Result<ServerSettings, String> {
        let config = self.config.clone().unwrap_or_else(|| self.home.join(".ssh/config"));
        let parsed = match std::fs::File::open(&config) {
            Ok(file) => SshConfig::default()
                .home_dir(&self.home)
                .parse(&mut BufReader::new(file), ParseRule::ALLOW_UNKNOWN_FIELDS | ParseRule::ALLOW_UNSUPPORTED_FIELDS)
                .map_err(|error| format!("{}: {error}", config.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => SshConfig::default(),
            Err(error) => return Err(format!("{}: {error}", config.display())),
        };
        let found = parsed.query(&endpoint.address);
        let address = found.host_name.unwrap_or_else(|| endpoint.address.clone());
        let user = endpoint.user.clone().or(found.user).or_else(|| self.login_name.clone());
        let user = user.ok_or("no user is named, and neither USER nor LOGNAME is set")?;
        let port = endpoint.port.or(found.port).unwrap_or(22);
        let tokens = Tokens { home: &self.home, typed: &endpoint.address, address: &address, user: &user, port };
        let ssh = self.home.join(".ssh");
        let identity_files = match found.identity_file {
            Some(files) => files.iter().map(|file| tokens.path(&file.to_string_lossy())).collect(),
            None => ["id_rsa", "id_ecdsa", "id_ed25519"].map(|name| ssh.join(name)).into(),
        };
        let other = |key: &str| found.unsupported_fields.get(key).map(|words| words.join(" "));
        Ok(ServerSettings {
            port,
            identity_files,
            certificate_files: found.certificate_file.into_iter().collect(),
            identities_only: other("identitiesonly").as_deref() == Some("yes"),
            agent_socket: self.agent_socket.clone(),
            jump: found.proxy_jump.unwrap_or_default(),
            proxy_command: other("proxycommand").map(|command| tokens.expand(&command)),
            host_key_alias: other("hostkeyalias"),
            known_hosts: vec![ssh.join("known_hosts"), "/etc/ssh/ssh_known_hosts".into()],
            connect_timeout: found.connect_timeout,
            address,
            user,
        })
    }
}

/// What stands for the `%` tokens in paths and commands. `ssh -G` prints them as they were written.
struct Tokens<'a> {
    home: &'a Path,
    typed: &'a str,
    address: &'a str,
    user: &'a str,
    port: u16,
}

impl Tokens<'_> {
    fn path(&self, text: &str) -> PathBuf {
        match text.strip_prefix("~/") {
            Some(rest) => self.home.join(self.expand(rest)),
            None => self.expand(text).into(),
        }
    }

    fn expand(&self, text: &str) -> String {
        let mut expanded = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match (c, if c == '%' { rest.next() } else { None }) {
                ('%', Some('%')) => expanded.push('%'),
                ('%', Some('d')) => expanded.push_str(&self.home.to_string_lossy()),
                ('%', Some('h')) => expanded.push_str(self.address),
                ('%', Some('n')) => expanded.push_str(self.typed),
                ('%', Some('p')) => expanded.push_str(&self.port.to_string()),
                ('%', Some('r')) => expanded.push_str(self.user),
                // Left as it is: the path then does not exist, and the login says which key it missed.
                (c, other) => expanded.extend([Some(c), other].into_iter().flatten()),
            }
        }
        expanded
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
Host web1
    HostName 10.0.0.5
    User ops
    Port 2222
    IdentityFile ~/.ssh/%r_key
    IdentitiesOnly yes
    ProxyJump bastion,hop@second:2200
    ConnectTimeout 7
Host db1
    HostName 10.0.0.6
";

    /// From `ssh -G` where there is one, and from the parser.
    async fn both(endpoint: &Endpoint) -> Vec<ServerSettings> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        std::fs::write(&config, CONFIG).unwrap();
        let user = Settings { home: "/home/me".into(), ..Settings::of_user().with_config(&config) };
        let user = Settings { login_name: Some("me".to_owned()), ..user }.with_agent_socket(Some("/run/agent".into()));
        let without_ssh = user.clone().with_program(folder.path().join("no-ssh"));
        vec![user.look_up(endpoint).await.unwrap(), without_ssh.look_up(endpoint).await.unwrap()]
    }

    #[tokio::test]
    async fn both_sources_say_the_same() {
        for found in both(&Endpoint::new("web1")).await {
            assert_eq!((found.address.as_str(), found.port, found.user.as_str()), ("10.0.0.5", 2222, "ops"));
            assert_eq!(found.identity_files, [PathBuf::from("/home/me/.ssh/ops_key")]);
            assert_eq!(found.jump, ["bastion", "hop@second:2200"]);
            assert_eq!(found.connect_timeout, Some(Duration::from_secs(7)));
            assert_eq!(found.agent_socket, Some("/run/agent".into()));
            assert!(found.identities_only && found.proxy_command.is_none());
        }
    }

    #[tokio::test]
    async fn the_inventory_goes_first() {
        let endpoint: Endpoint = "deploy@web1:22".parse().unwrap();
        for found in both(&endpoint).await {
            assert_eq!((found.address.as_str(), found.port, found.user.as_str()), ("10.0.0.5", 22, "deploy"));
        }
    }

    #[tokio::test]
    async fn what_nobody_says_has_sshs_defaults() {
        for found in both(&"deploy@db1".parse().unwrap()).await {
            assert_eq!((found.address.as_str(), found.port), ("10.0.0.6", 22));
            assert!(found.identity_files.contains(&"/home/me/.ssh/id_ed25519".into()));
            assert!(found.known_hosts.contains(&"/etc/ssh/ssh_known_hosts".into()));
            assert!(found.jump.is_empty() && !found.identities_only);
        }
    }

    #[tokio::test]
    async fn broken_settings_are_an_error_from_both() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        std::fs::write(&config, "Host *\n  Port many\n").unwrap();
        let settings = Settings::of_user().with_config(&config);
        for settings in [settings.clone(), settings.with_program(folder.path().join("no-ssh"))] {
            assert!(settings.look_up(&Endpoint::new("web1")).await.is_err());
        }
    }
}
