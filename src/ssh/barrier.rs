//! How far the way to a host's agent went.

use super::error::{Reason, SshError};

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
}
