//! A PostgreSQL database.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PostgresDatabase {
    /// Database name.
    pub name: String,
    /// Owning role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Encoding.
    #[serde(default = "utf8")]
    pub encoding: String,
    /// Port of the server.
    #[serde(default = "postgres_port")]
    pub port: u16,
    /// Whether it should be there; absent drops it with its data.
    #[serde(default)]
    pub state: Presence,
}

fn postgres_port() -> u16 {
    5432
}

fn utf8() -> String {
    "UTF8".to_owned()
}

super::not_yet!(PostgresDatabase);
