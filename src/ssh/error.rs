//! What can go wrong between here and an agent, with the host and the remedy in it.

use std::path::PathBuf;
use std::time::Duration;

use super::UnknownKey;

/// A failure of one host's connection, session or agent link.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{host}: {}{reason}", .jump.as_ref().map(|jump| format!("jump host {jump}: ")).unwrap_or_default())]
pub struct SshError {
    /// The host's name in the inventory.
    pub host: String,
    /// The jump host that it happened at, when it was not the host itself.
    pub jump: Option<String>,
    /// What happened.
    pub reason: Box<Reason>,
}

/// What happened. Each reason has one cause and one remedy ([`SshError::hint`]).
#[derive(Clone, Debug, thiserror::Error)]
pub enum Reason {
    /// The name has no address.
    #[error("cannot find the address of `{address}`: {detail}")]
    NoAddress {
        /// The name as it was looked up.
        address: String,
        /// The resolver's words.
        detail: String,
    },
    /// Nothing listens there, or something in between says no.
    #[error("cannot connect to {address}: {detail}")]
    Unreachable {
        /// `address:port`.
        address: String,
        /// The system's words, or why an SSH server was not found there.
        detail: String,
        /// Whether another try may help.
        transient: bool,
    },
    /// The jump host is not allowed to go on.
    #[error("cannot connect to {address}: the jump host forwards no connections")]
    JumpRefused {
        /// `address:port`.
        address: String,
    },
    /// Nothing came in time.
    #[error("no answer within {} s while waiting for {awaited}", .after.as_secs_f32())]
    TimedOut {
        /// What was awaited.
        awaited: String,
        /// How long.
        after: Duration,
    },
    /// Both sides have no algorithm in common, or the server broke the rules of SSH.
    #[error("the SSH handshake failed: {detail}")]
    Handshake {
        /// What russh says.
        detail: String,
    },
    /// No known_hosts file has a key of this host.
    #[error("the host key of {} is not known: {}", .0.name, .0.fingerprint())]
    HostKeyUnknown(Box<UnknownKey>),
    /// The host has another key than the one that is known.
    #[error("the host key of {name} has changed: it shows {shown}, known is {known} ({place})")]
    HostKeyChanged {
        /// The name that was looked up.
        name: String,
        /// Type and fingerprint of the key that the host shows.
        shown: String,
        /// Type and fingerprint of the key that is known.
        known: String,
        /// `file:line`.
        place: String,
    },
    /// The host shows a key that must not be trusted any more.
    #[error("the host key of {name} is revoked: {shown} ({place})")]
    HostKeyRevoked {
        /// The name that was looked up.
        name: String,
        /// Type and fingerprint of the key that the host shows.
        shown: String,
        /// `file:line` of the revocation.
        place: String,
    },
    /// A known authority signed the host's certificate, but it does not hold.
    #[error("the host certificate of {name} is not valid: {detail}")]
    HostCertificate {
        /// The name that was looked up.
        name: String,
        /// Why.
        detail: String,
    },
    /// A known_hosts file cannot be read or written.
    #[error("known hosts file {path}: {detail}", path = .path.display())]
    KnownHosts {
        /// The file.
        path: PathBuf,
        /// Why, with the line when there is one.
        detail: String,
    },
    /// The user's ssh settings cannot be used.
    #[error("ssh settings for `{address}`: {detail}")]
    Settings {
        /// The name that was looked up.
        address: String,
        /// Why.
        detail: String,
    },
    /// No key was accepted.
    #[error("login as `{user}` was refused; tried {}; the server offers {}", list(.tried), list(.methods))]
    LoginRefused {
        /// The user.
        user: String,
        /// Keys in the order in which they were tried or left out, with the reason for the latter.
        tried: Vec<String>,
        /// Methods that the server would go on with.
        methods: Vec<String>,
    },
    /// The connection ended.
    #[error("the connection was lost while {during}: {detail}")]
    Lost {
        /// What was going on.
        during: String,
        /// What russh says.
        detail: String,
    },
    /// The server does not run commands for this user.
    #[error("the SSH server does not let `{user}` run commands: {detail}")]
    ExecRefused {
        /// The user.
        user: String,
        /// The host's words.
        detail: String,
    },
    /// The user is not root and there is no sudo.
    #[error("`{user}` is not root and the host has no sudo")]
    SudoMissing {
        /// The user.
        user: String,
    },
    /// sudo wants a password and there is none.
    #[error("sudo asks for a password of `{user}`")]
    SudoNeedsPassword {
        /// The user.
        user: String,
    },
    /// sudo did not take the password.
    #[error("sudo refused the password of `{user}`")]
    SudoWrongPassword {
        /// The user.
        user: String,
    },
    /// sudo is set up to work at a terminal only.
    #[error("sudo works for `{user}` only at a terminal")]
    SudoNeedsTty {
        /// The user.
        user: String,
    },
    /// sudo does not let this user become root.
    #[error("`{user}` may not use sudo: {detail}")]
    SudoDenied {
        /// The user.
        user: String,
        /// sudo's words.
        detail: String,
    },
    /// The agent can be kept nowhere.
    #[error("no place for the agent: {}", .places.join("; "))]
    NoPlace {
        /// Each place with the reason.
        places: Vec<String>,
    },
    /// The agent could not be written.
    #[error("cannot write the agent to {place}: {detail}")]
    AgentWrite {
        /// The directory.
        place: String,
        /// The host's words.
        detail: String,
    },
    /// The agent is for another kind of machine.
    #[error("the host is `{found}`, the agent is for `{wanted}`")]
    Architecture {
        /// `uname -s` and `uname -m` of the host.
        found: String,
        /// The same for the agent.
        wanted: String,
    },
    /// The host lacks a program that the first contact needs.
    #[error("the host has no `{tool}`")]
    ToolMissing {
        /// The program.
        tool: String,
    },
    /// The agent's file cannot be used.
    #[error("{message}")]
    AgentFile {
        /// Why.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The agent, or what should have started it, ended without an answer.
    #[error("the agent ended ({status}) while {awaited} was awaited{}", tail(.stderr))]
    AgentDied {
        /// How it ended.
        status: String,
        /// What was awaited.
        awaited: String,
        /// Its last lines on standard error.
        stderr: Vec<String>,
    },
    /// The agent says that a request failed as a whole.
    #[error("{request}: {message}")]
    Refused {
        /// Name of the request.
        request: &'static str,
        /// The agent's words.
        message: String,
        /// The agent's advice.
        hint: Option<String>,
    },
    /// Content to send cannot be read, or is not what was announced.
    #[error("cannot send the content {digest}: {detail}")]
    Content {
        /// Its SHA-256.
        digest: String,
        /// Why.
        detail: String,
    },
    /// What came is not what the protocol says.
    #[error("broken answer from the agent: {detail}")]
    Protocol {
        /// What is wrong with it.
        detail: String,
    },
}

/// How far the way to a host's agent went before it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// The host, or one on the way, did not answer.
    Network,
    /// Its key is unknown, has changed or is revoked.
    HostKey,
    /// The login was refused.
    Login,
    /// The user cannot become root.
    Sudo,
    /// The agent could not be placed, started or understood.
    Agent,
}

impl SshError {
    /// How far it went.
    pub fn barrier(&self) -> Barrier {
        match &*self.reason {
            Reason::NoAddress { .. }
            | Reason::Unreachable { .. }
            | Reason::JumpRefused { .. }
            | Reason::TimedOut { .. }
            | Reason::Handshake { .. }
            | Reason::Lost { .. } => Barrier::Network,
            Reason::HostKeyUnknown(_)
            | Reason::HostKeyChanged { .. }
            | Reason::HostKeyRevoked { .. }
            | Reason::HostCertificate { .. }
            | Reason::KnownHosts { .. } => Barrier::HostKey,
            Reason::Settings { .. } | Reason::LoginRefused { .. } | Reason::ExecRefused { .. } => Barrier::Login,
            Reason::SudoMissing { .. }
            | Reason::SudoNeedsPassword { .. }
            | Reason::SudoWrongPassword { .. }
            | Reason::SudoNeedsTty { .. }
            | Reason::SudoDenied { .. } => Barrier::Sudo,
            _ => Barrier::Agent,
        }
    }

    pub(super) fn new(host: &str, reason: Reason) -> Self {
        Self { host: host.to_owned(), jump: None, reason: Box::new(reason) }
    }

    /// The same failure as seen by a host behind the jump host that it happened at.
    pub(super) fn seen_from(mut self, host: &str) -> Self {
        let at = std::mem::replace(&mut self.host, host.to_owned());
        self.jump.get_or_insert(at);
        self
    }

    /// Whether the host was never reached (exit code 4), as opposed to reached and refusing or failing.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            *self.reason,
            Reason::NoAddress { .. }
                | Reason::Unreachable { .. }
                | Reason::JumpRefused { .. }
                | Reason::TimedOut { .. }
                | Reason::Lost { .. }
        )
    }

    /// Whether the same try may succeed a little later.
    pub(super) fn is_transient(&self) -> bool {
        matches!(*self.reason, Reason::Unreachable { transient: true, .. })
    }

    /// The unknown key, when that is what stands in the way.
    pub fn unknown_key(&self) -> Option<&UnknownKey> {
        match &*self.reason {
            Reason::HostKeyUnknown(key) => Some(key),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.reason.hint()
    }
}

impl Reason {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoAddress { .. } => {
                "check the host's `address` in the inventory, or `HostName` in your ssh_config".to_owned()
            }
            Self::Unreachable { .. } => {
                "check that the host is up, its SSH port, and the firewalls on the way; `jump` in the inventory goes \
                 through a jump host"
                    .to_owned()
            }
            Self::JumpRefused { .. } => {
                "set `AllowTcpForwarding yes` in the jump host's sshd_config, for this user at least".to_owned()
            }
            Self::TimedOut { .. } => {
                "the host or its network hangs: look at its load and console, then run the command again".to_owned()
            }
            Self::Handshake { .. } => "compare with `ssh -v` to the same host".to_owned(),
            Self::HostKeyUnknown(key) => format!(
                "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_{}_key.pub` on the console of the host, then accept it",
                key.kind()
            ),
            Self::HostKeyChanged { place, .. } => format!(
                "if the host was reinstalled, compare the new fingerprint on its console and remove the line at {place}; \
                 if not, somebody may be listening: do not go on"
            ),
            Self::HostKeyRevoked { .. } => {
                "the private key of this host is marked as lost: give the host a new key, and do not log in before"
                    .to_owned()
            }
            Self::HostCertificate { .. } => {
                "sign a new certificate with `ssh-keygen -s CA -h -n NAMES -V +52w KEY.pub`".to_owned()
            }
            Self::KnownHosts { .. } => "make the file readable and writable, and mend the line".to_owned(),
            Self::Settings { .. } => "look at what `ssh -G` says about this host".to_owned(),
            Self::LoginRefused { tried, .. } => login_hint(tried),
            Self::Lost { .. } => "the host or its network went away: run the command again when it is back".to_owned(),
            Self::ExecRefused { .. } => "the user needs a login shell and no ForceCommand".to_owned(),
            Self::SudoMissing { .. } => "install sudo, or log in as root".to_owned(),
            Self::SudoNeedsPassword { user } => format!(
                "give it with `--ask-sudo-password`, or allow `{user} ALL=(ALL) NOPASSWD: ALL` in a file under /etc/sudoers.d"
            ),
            Self::SudoWrongPassword { .. } => "type it again; `sudo -v` on the host shows whether it works".to_owned(),
            Self::SudoNeedsTty { user } => {
                format!("put `Defaults:{user} !requiretty` into a file under /etc/sudoers.d")
            }
            Self::SudoDenied { user, .. } => format!("allow it: `{user} ALL=(ALL) ALL` in a file under /etc/sudoers.d"),
            Self::NoPlace { .. } => {
                "free some space, or make one of these places writable and mounted without noexec".to_owned()
            }
            Self::AgentWrite { .. } => "look at the disk and its quota on the host".to_owned(),
            Self::Architecture { .. } => {
                "build cc-agent for that machine and name it with --agent-binary or CC_AGENT_BINARY".to_owned()
            }
            Self::ToolMissing { .. } => {
                "install it; Debian and Ubuntu have it in the packages coreutils and gzip".to_owned()
            }
            Self::AgentFile { hint, .. } => hint.clone(),
            Self::AgentDied { .. } => "see the journal of the host (`journalctl -e`) for what ended it".to_owned(),
            Self::Refused { hint, .. } => return hint.clone(),
            Self::Content { .. } => "leave the file alone while it is sent, and run the command again".to_owned(),
            Self::Protocol { .. } => {
                "something between here and the agent changes the bytes, or the agent is of another version".to_owned()
            }
        })
    }
}

fn login_hint(tried: &[String]) -> String {
    if tried.iter().any(|key| key.contains("passphrase")) {
        "unlock the protected key with `ssh-add`".to_owned()
    } else if tried.is_empty() {
        "start ssh-agent and `ssh-add` a key, or name one with `identity_file` in the inventory".to_owned()
    } else {
        "put one of these keys into the user's authorized_keys, or name the right user and key in the inventory"
            .to_owned()
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

fn tail(lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!("; it said: {}", lines.join(" | ")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_host_jump_reason_and_remedy() {
        let reason = Reason::Unreachable {
            address: "10.0.0.9:22".to_owned(),
            detail: "connection refused".to_owned(),
            transient: true,
        };
        let error = SshError::new("bastion", reason).seen_from("web1");
        assert_eq!(error.to_string(), "web1: jump host bastion: cannot connect to 10.0.0.9:22: connection refused");
        assert!(error.hint().unwrap().contains("firewalls"));
        assert!(error.is_unreachable() && error.is_transient());
    }

    #[test]
    fn a_locked_key_has_its_own_remedy() {
        let refused = |tried: &[&str]| {
            let tried = tried.iter().map(|key| (*key).to_owned()).collect();
            SshError::new("web1", Reason::LoginRefused { user: "deploy".to_owned(), tried, methods: vec![] })
        };
        assert!(refused(&["~/.ssh/id_rsa (protected by a passphrase)"]).hint().unwrap().contains("ssh-add"));
        assert!(refused(&["~/.ssh/id_rsa"]).hint().unwrap().contains("authorized_keys"));
        assert!(refused(&[]).to_string().contains("tried nothing"));
    }
}
