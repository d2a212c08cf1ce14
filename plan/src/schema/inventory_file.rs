//! `inventories/<env>.yml` as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value;

use super::quantity_types::{Address, Name, Port, Texts};
use crate::spec::inventory::{BecomeRoot, Provider};

/// Where an environment's hosts are and how to reach them.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "inventory")]
#[expect(dead_code, reason = "only the schema of this type is used")]
pub(super) struct InventoryFile {
    /// Who gives the hosts their addresses; `static` when absent.
    provider: Option<Provider>,
    /// Hosts by name.
    #[schemars(extend("propertyNames" = {"x-format": "host-name", "type": "string", "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"}))]
    hosts: BTreeMap<String, Option<HostEntry>>,
    /// What holds for every host that does not say otherwise.
    defaults: Option<HostDefaults>,
    /// First contact, before our own user exists.
    bootstrap: Option<BootstrapEntry>,
}

/// One host.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "host")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct HostEntry {
    /// IP address or name. Other providers than `static` give it at run time.
    address: Option<Address>,
    /// Groups that it belongs to.
    groups: Option<Vec<Name>>,
    /// Values that templates see as `host.params`.
    params: Option<BTreeMap<String, Value>>,
    #[schemars(flatten)]
    login: LoginEntry,
}

/// What holds for every host that does not say otherwise.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "defaults")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct HostDefaults {
    /// Values that templates see as `host.params`; merged key by key.
    params: Option<BTreeMap<String, Value>>,
    #[schemars(flatten)]
    login: LoginEntry,
}

/// How to log in. What is absent comes from the user's ssh_config, then from ssh's own defaults.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct LoginEntry {
    /// User to log in as.
    user: Option<String>,
    /// Port of sshd.
    port: Option<Port>,
    /// How to become root; `sudo` when absent.
    r#become: Option<BecomeRoot>,
    /// Jump host or hosts, in order: names in this inventory, or `[user@]host[:port]`.
    jump: Option<Texts>,
    /// Private key file.
    identity_file: Option<String>,
}

/// First contact, before our own user exists.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "bootstrap")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct BootstrapEntry {
    /// User to log in as when the host's own user is refused.
    user: String,
    /// Private key file.
    identity_file: Option<String>,
}
