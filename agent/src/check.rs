//! Health checks: what must answer before a stage counts as healthy. They run on the service's own host.

use serde::{Deserialize, Serialize};

/// One health check of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// A TCP port accepts a connection.
    Tcp {
        /// Port number.
        port: u16,
        /// Address to connect to.
        #[serde(default = "loopback")]
        address: String,
    },
    /// An HTTP request (without TLS) is answered with one of the expected status codes.
    Http {
        /// `http://host:port/path`.
        url: String,
        /// Expected status codes.
        #[serde(default = "ok")]
        status: Vec<u16>,
        /// Text that the body must contain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
        /// `Host` header, when it differs from the URL's host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
    },
    /// Redis answers PONG.
    RedisPing {
        /// Port number.
        #[serde(default = "redis_port")]
        port: u16,
        /// Password, as a secret's token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<String>,
    },
    /// PostgreSQL accepts connections (`pg_isready`).
    Postgres {
        /// Port number.
        #[serde(default = "postgres_port")]
        port: u16,
    },
    /// A systemd unit is active.
    Unit {
        /// Unit name with or without `.service`.
        unit: String,
    },
    /// A command exits with 0.
    Command {
        /// Program and arguments, without a shell.
        argv: Vec<String>,
        /// User to run it as.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

fn ok() -> Vec<u16> {
    vec![200]
}

fn redis_port() -> u16 {
    6379
}

fn postgres_port() -> u16 {
    5432
}

/// A check of one service on this host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceCheck {
    /// The service.
    pub service: String,
    /// What to check.
    pub check: Check,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The service.
    pub service: String,
    /// The check for a person: `tcp 6379`.
    pub check: String,
    /// Whether it is healthy.
    pub healthy: bool,
    /// What was observed, one line: `PONG`, `connection refused`.
    pub observed: String,
    /// The last log lines of the service's units when it is not healthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}
