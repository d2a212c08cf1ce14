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
    /// The agent that applied was ended in the middle of it.
    #[error("the run {run} was cut off there: the agent that applied it was ended before its last step")]
    CutOff {
        /// The run.
        run: String,
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

impl SshError {
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
