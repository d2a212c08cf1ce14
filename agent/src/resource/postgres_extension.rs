//! An extension in a PostgreSQL database.

use serde::{Deserialize, Serialize};

use super::Presence;

/// An extension in a PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PostgresExtension {
    /// Extension name.
    pub name: String,
    /// Database.
    pub database: String,
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

super::not_yet!(PostgresExtension);
