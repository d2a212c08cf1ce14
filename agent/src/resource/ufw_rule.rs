//! A rule of the firewall.

use serde::{Deserialize, Serialize};

use super::Presence;

/// A rule of the firewall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UfwRule {
    /// Comment that identifies the rule.
    pub name: String,
    /// `allow`, `deny`, `limit`, `reject`.
    #[serde(default = "allow")]
    pub action: String,
    /// Port or range `6000:6100`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// `tcp` or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Source address or network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Destination address or network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn allow() -> String {
    "allow".to_owned()
}

super::not_yet!(UfwRule);
