//! The firewall as a whole.

use serde::{Deserialize, Serialize};

/// The firewall as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ufw {
    /// Any name, for the plan: `firewall`.
    pub name: String,
    /// Whether it is on.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Default policy: `deny`, `allow`, `reject`.
    #[serde(default = "deny")]
    pub incoming: String,
    /// Default policy.
    #[serde(default = "allow")]
    pub outgoing: String,
}

fn allow() -> String {
    "allow".to_owned()
}

fn deny() -> String {
    "deny".to_owned()
}

fn yes() -> bool {
    true
}

super::not_yet!(Ufw);
