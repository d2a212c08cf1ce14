//! The SSH session that the agent is reached through.

use std::fs;
use std::net::IpAddr;

/// Processes between the agent and sshd: a shell, sudo, another shell … more than this is no such chain.
const DEPTH: usize = 32;

/// Where a session comes from and which port it came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SshSession {
    pub(super) from: IpAddr,
    pub(super) port: u16,
}

impl SshSession {
    /// The session of this process; `None` when it was not started over SSH. sudo cleans its environment, so that the processes
    /// above are asked too.
    pub(super) fn current() -> Option<Self> {
        if let Ok(value) = std::env::var("SSH_CONNECTION") {
            return Self::parse(&value);
        }
        let mut process = rustix::process::getppid()?.as_raw_nonzero().get();
        for _ in 0..DEPTH {
            let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
            let found = environment.split(|byte| *byte == 0).find_map(|pair| pair.strip_prefix(b"SSH_CONNECTION="));
            if let Some(value) = found {
                return Self::parse(&String::from_utf8_lossy(value));
            }
            let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            process = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?;
        }
        None
    }

    /// Parses `client-address client-port server-address server-port`.
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_whitespace();
        let from: IpAddr = words.next()?.parse().ok()?;
        Some(Self { from: from.to_canonical(), port: words.nth(2)?.parse().ok()? })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_both_families() {
        let session = SshSession::parse("192.0.2.7 50022 10.0.0.1 2222").unwrap();
        assert_eq!(session, SshSession { from: "192.0.2.7".parse().unwrap(), port: 2222 });
        assert_eq!(SshSession::parse("::ffff:192.0.2.7 1 ::1 22").unwrap().from, session.from);
        assert_eq!(SshSession::parse("2001:db8::1 1 2001:db8::2 22").unwrap().port, 22);
        assert_eq!(SshSession::parse("192.0.2.7 50022"), None);
        assert_eq!(SshSession::parse(""), None);
    }
}
