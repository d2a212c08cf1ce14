use std::net::Ipv4Addr;

/// A rehearsal host whose sshd answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningHost {
    /// Its name in the inventory.
    pub name: String,
    /// Its address in the environment's network: stays the same until `down`.
    pub address: Ipv4Addr,
    /// Its public host keys as sshd writes them (`ssh-ed25519 AAAA… root@web1`), read through Docker and not over the
    /// network, so that they can be pinned without asking anybody.
    pub host_keys: Vec<String>,
    /// What `up` had to do for it.
    pub origin: Origin,
    /// The host was made from an older image than the present one: `down` and `up` make it anew.
    pub outdated: bool,
}

/// What `up` had to do for a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It did not exist.
    Created,
    /// It existed and was stopped.
    Started,
    /// It was already running.
    Found,
}
