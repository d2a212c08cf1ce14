//! What a host does, as the sizing tables tell hosts apart.

use crate::scene::HostScene;

/// What a host does, as the sizing tables tell hosts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// It keeps data in memory and on disk.
    Database,
    /// It runs the application.
    Application,
    /// It passes requests on, or does nothing yet.
    Proxy,
}

const DATABASES: [&str; 7] = ["postgresql", "redis", "couchdb", "elasticsearch", "kafka", "zookeeper", "blobdb"];
const PROXIES: [&str; 5] = ["base", "nginx", "haproxy", "keepalived", "control"];

impl Duty {
    /// Of a host, by its heaviest role.
    pub fn of(host: &HostScene<'_>) -> Self {
        let roles = || host.services.iter().map(|service| service.role.value.as_str());
        if roles().any(|role| DATABASES.contains(&role)) {
            Self::Database
        } else if roles().all(|role| PROXIES.contains(&role)) {
            Self::Proxy
        } else {
            Self::Application
        }
    }

    /// For a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "a database host",
            Self::Application => "an application host",
            Self::Proxy => "a host that keeps no data and runs no application",
        }
    }
}
