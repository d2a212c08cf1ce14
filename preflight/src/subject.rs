//! What a finding is about.

use crate::scene::Scene;

/// What a finding is about. Hosts are indexes into [`Scene::hosts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The environment as a whole.
    Environment,
    /// A host.
    Host(usize),
    /// The way from one host to another that it uses.
    Pair {
        /// The client.
        from: usize,
        /// The server.
        to: usize,
    },
}

impl Subject {
    /// For a person: `web1`, `web1 → db1`; empty for the environment.
    pub fn label(self, scene: &Scene<'_>) -> String {
        match self {
            Self::Environment => String::new(),
            Self::Host(host) => scene.hosts[host].name.clone(),
            Self::Pair { from, to } => format!("{} → {}", scene.hosts[from].name, scene.hosts[to].name),
        }
    }

    /// All hosts that it is about.
    pub(crate) fn hosts(self) -> impl Iterator<Item = usize> {
        let (one, other) = match self {
            Self::Environment => (None, None),
            Self::Host(host) => (Some(host), None),
            Self::Pair { from, to } => (Some(from), Some(to)),
        };
        one.into_iter().chain(other)
    }

    /// The host on which, or from which, it is measured.
    pub fn host(self) -> Option<usize> {
        match self {
            Self::Environment => None,
            Self::Host(host) | Self::Pair { from: host, .. } => Some(host),
        }
    }
}
