//! `ss -Hltnup --cgroup`: a line for each socket that listens.

/// A socket that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Local address, without brackets; `*` for any.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Name of its first process, where it may be seen.
    pub process: Option<String>,
    /// The systemd unit of that process, where the kernel tells: `redis-server.service`.
    pub unit: Option<String>,
}

impl Listener {
    /// Reads all lines; none where there is none or one of them is no socket.
    pub fn parse(text: &str) -> Option<Vec<Self>> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let all: Vec<Self> = lines.map(Self::line).collect::<Option<_>>()?;
        (!all.is_empty()).then_some(all)
    }

    fn line(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let protocol = words.next().filter(|word| ["tcp", "udp"].contains(word))?;
        words.next().filter(|word| ["LISTEN", "UNCONN"].contains(word))?;
        let (_queued, _backlog) = (words.next()?.parse::<u64>().ok()?, words.next()?.parse::<u64>().ok()?);
        let (address, port) = words.next()?.rsplit_once(':')?;
        words.next()?;
        let process = line.split_once("users:((\"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
        let group = line.split_once("cgroup:").and_then(|(_, rest)| rest.split_whitespace().next());
        let unit = group.and_then(|group| group.rsplit('/').find(|part| part.ends_with(".service")));
        Some(Self {
            protocol: protocol.to_owned(),
            address: address.trim_matches(['[', ']']).to_owned(),
            port: port.parse().ok()?,
            process: process.map(str::to_owned),
            unit: unit.map(str::to_owned),
        })
    }

    /// Whether only the host itself can reach it.
    pub fn is_local(&self) -> bool {
        self.address.starts_with("127.") || self.address == "::1" || self.address.starts_with("::ffff:127.")
    }

    /// For a person: `apache2 (apache2.service) on tcp *:80`.
    pub fn describe(&self) -> String {
        let process = self.process.as_deref().unwrap_or("a process that cannot be seen");
        let unit = self.unit.as_ref().map(|unit| format!(" ({unit})")).unwrap_or_default();
        format!("{process}{unit} on {} {}:{}", self.protocol, self.address, self.port)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trial::noise;

    const SSHD: &str = include_str!("../../tests/fixtures/ss/sshd.txt");
    const BUSY: &str = include_str!("../../tests/fixtures/ss/busy.txt");

    #[test]
    fn sockets_with_their_processes_and_units() {
        let all = Listener::parse(SSHD).unwrap();
        let ssh: Vec<_> = all.iter().filter(|one| one.port == 22).collect();
        assert!(ssh.len() == 2 && ssh.iter().all(|one| one.unit.as_deref() == Some("ssh.service")), "{all:?}");
        let all = Listener::parse(BUSY).unwrap();
        assert!(all[0].is_local() && all[3].is_local() && !all[4].is_local());
        assert_eq!(all[3].unit.as_deref(), Some("postgresql@14-main.service"));
        assert_eq!(all[4].describe(), "apache2 (apache2.service) on tcp *:80");
        assert_eq!(
            Listener::parse("tcp LISTEN 0 128 [::]:22 [::]:*").unwrap()[0].describe(),
            "a process that cannot be seen on tcp :::22"
        );
        assert_eq!(Listener::parse(""), None);
        assert_eq!(Listener::parse(&format!("{SSHD}Permission denied\n")), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in noise(&[SSHD, BUSY])) {
            Listener::parse(&text);
        }
    }
}
