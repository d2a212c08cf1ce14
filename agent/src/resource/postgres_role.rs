//! A PostgreSQL role.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A PostgreSQL role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PostgresRole {
    /// Role name.
    pub name: String,
    /// Password, mostly a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// May log in.
    #[serde(default = "yes")]
    pub login: bool,
    /// Superuser.
    #[serde(default)]
    pub superuser: bool,
    /// May create databases.
    #[serde(default)]
    pub createdb: bool,
    /// May replicate.
    #[serde(default)]
    pub replication: bool,
    /// Port of the server.
    #[serde(default = "postgres_port")]
    pub port: u16,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn postgres_port() -> u16 {
    5432
}

fn yes() -> bool {
    true
}

super::not_yet!(PostgresRole);
