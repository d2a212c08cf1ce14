//! `inventories/<env>.yml`.

use crate::node::Node;
use crate::source::{Span, Spanned};

/// Where an environment's hosts are and how to reach them.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// Who gives the hosts their addresses.
    pub provider: Provider,
    /// Hosts in written order.
    pub hosts: Vec<Host>,
    /// First contact, before our own user exists.
    pub bootstrap: Option<Bootstrap>,
}

/// Who gives the hosts their addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The inventory itself.
    #[default]
    Static,
    /// Container hosts on this machine.
    Containers,
    /// Vagrant machines.
    Vagrant,
}

/// One host. `defaults` have been filled in.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name in the inventory.
    pub name: Spanned<String>,
    /// IP address or name; `None` when the provider gives it at run time.
    pub address: Option<Spanned<String>>,
    /// Groups that it belongs to.
    pub groups: Vec<Spanned<String>>,
    /// Values that templates see as `host.params`.
    pub params: Vec<(Spanned<String>, Node)>,
    /// How to log in.
    pub login: Login,
    /// The whole entry.
    pub span: Span,
}

/// How to log in to a host. What is `None` comes from the user's ssh_config, then from ssh's own defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// User.
    pub user: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// How to become root.
    pub become_root: BecomeRoot,
    /// Jump hosts, in order: inventory names or `[user@]host[:port]`.
    pub jump: Vec<String>,
    /// Private key file.
    pub identity_file: Option<String>,
}

/// How to become root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BecomeRoot {
    /// Through sudo, unless the user is root already.
    #[default]
    Sudo,
    /// Not at all; the user must be root.
    None,
}

/// First contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// User to log in as when the host's own user is refused.
    pub user: String,
    /// Private key file.
    pub identity_file: Option<String>,
}
