//! A host as the inventory describes it.

use std::path::PathBuf;
use std::sync::Arc;

use cc_agent::secret::Secret;

use super::Endpoint;

/// A host to connect to. What it leaves open comes from the user's ssh settings.
#[derive(Clone)]
pub struct Target {
    /// The host's name in the inventory; errors carry it.
    pub host: String,
    /// Where it listens and who logs in.
    pub endpoint: Endpoint,
    /// Jump hosts in order. Empty: as the user's ssh settings say.
    pub jump: Vec<Endpoint>,
    /// How the agent becomes root.
    pub become_root: Become,
    /// Who logs in when the endpoint's own user is refused.
    pub bootstrap: Option<Bootstrap>,
}

impl Target {
    /// A host that is logged in to directly, with everything else left to the user's ssh settings.
    pub fn new(host: impl Into<String>, endpoint: Endpoint) -> Self {
        Self { host: host.into(), endpoint, jump: Vec::new(), become_root: Become::default(), bootstrap: None }
    }
}

/// How the agent becomes root.
#[derive(Clone, Default)]
pub enum Become {
    /// Not at all: it runs as the user who logged in.
    None,
    /// With sudo, unless the user is root already.
    #[default]
    Sudo,
    /// With sudo and this password, should sudo ask for one.
    SudoWithPassword(Arc<Secret<String>>),
}

/// First contact, before the host's own user exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The user.
    pub user: String,
    /// Private key files; empty: those of the endpoint.
    pub identity_files: Vec<PathBuf>,
}
