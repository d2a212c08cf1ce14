//! An apt source in deb822 format with the key that signs it.

use serde::{Deserialize, Serialize};

use super::Presence;

/// An apt source in deb822 format with the key that signs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AptRepository {
    /// File name without ending, under `/etc/apt/sources.list.d` and `/etc/apt/keyrings`.
    pub name: String,
    /// Base addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uris: Vec<String>,
    /// Suites: `jammy-pgdg`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<String>,
    /// Components: `main`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Architectures; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<String>,
    /// ASCII-armoured or inline public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Fingerprint that the key must have: 40 hex digits, spaces allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

super::not_yet!(AptRepository);
