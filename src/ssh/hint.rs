//! What to do about each reason.

use super::error::Reason;

impl Reason {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<String> {
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
            Self::CutOff { .. } => {
                "it was killed, ran out of memory, or the host went down: see `journalctl -u 'cc-cloud-*'` there; the next \
                 deploy goes on from there"
                    .to_owned()
            }
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
