//! Access to this machine: what resource types read it and change it through.
//!
//! What is expensive to read is read once and kept: the account and package databases until their files change, the state of
//! units until a step changed something ([`Host::changed`]).

mod accounts;
mod apt;
mod blobs;
mod cached;
mod command_line;
mod dpkg;
mod expected;
mod file;
mod hint;
mod private;
mod running;
mod units;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

pub use accounts::{Account, AccountGroup, Accounts};
pub use apt::Available;
pub(crate) use apt::satisfies;
pub use blobs::Blobs;
pub(crate) use blobs::sha256_of;
pub(crate) use command_line::Followed;
pub use command_line::{CommandLine, Output};
pub use dpkg::{Dpkg, Installed};
pub use expected::Expected;
pub use file::{Attributes, Metadata};
pub(crate) use file::{beside, sync_folder};
pub(crate) use private::{create_folder, open_lock};
pub use units::UnitState;
pub(crate) use units::is_unit_name;

use crate::resource::Clusters;
use crate::secret::Vault;
use crate::step_error::StepError;
use cached::Cached;

/// This machine.
pub struct Host {
    vault: Vault,
    state: PathBuf,
    places: Places,
    accounts: Cached<Accounts>,
    dpkg: Cached<Dpkg>,
    units: units::Units,
    clusters: Clusters,
    apt: apt::Apt,
    expected: Expected,
    secret_before: BTreeSet<String>,
}

/// Where the databases of this machine are; elsewhere in tests.
struct Places {
    passwd: PathBuf,
    group: PathBuf,
    dpkg_status: PathBuf,
    apt: PathBuf,
}

impl Host {
    /// The machine that this process runs on. `state` is where the agent keeps what it must remember of this environment; nothing
    /// is created there before something is written.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Self::under(Path::new("/"), state)
    }

    /// A machine whose account and package databases are under `root`, for tests. Commands and resource paths are not moved.
    pub fn under(root: &Path, state: impl Into<PathBuf>) -> Self {
        Self {
            vault: Vault::default(),
            state: state.into(),
            places: Places {
                passwd: root.join("etc/passwd"),
                group: root.join("etc/group"),
                dpkg_status: root.join("var/lib/dpkg/status"),
                apt: root.join("etc/apt"),
            },
            accounts: Cached::default(),
            dpkg: Cached::default(),
            units: units::Units::default(),
            clusters: Clusters::default(),
            apt: apt::Apt::default(),
            expected: Expected::default(),
            secret_before: BTreeSet::new(),
        }
    }

    /// The secrets that this host was given.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Replaces the secrets.
    pub fn set_vault(&mut self, vault: Vault) {
        self.vault = vault;
    }

    /// The text with secrets in the place of their tokens.
    ///
    /// # Errors
    /// An unknown secret or a damaged token.
    pub fn reveal(&self, text: &str) -> Result<Zeroizing<String>, StepError> {
        self.vault.reveal(text).map_err(|error| {
            StepError::new(error.to_string()).hint("the controller and the plan do not match: plan and deploy again")
        })
    }

    /// Where the agent keeps what it must remember of this environment; may not exist yet.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Content that the controller sent by digest.
    pub fn blobs(&self) -> Blobs {
        Blobs::at(self.state.join("blobs"))
    }

    /// The local users and groups.
    ///
    /// # Errors
    /// When `/etc/passwd` or `/etc/group` cannot be read.
    pub fn accounts(&self) -> Result<Arc<Accounts>, StepError> {
        let files = [self.places.passwd.as_path(), self.places.group.as_path()];
        self.accounts.get(&files, |[passwd, group]| Accounts::parse(&passwd, &group))
    }

    /// The installed packages.
    ///
    /// # Errors
    /// When dpkg's status file cannot be read.
    pub fn packages(&self) -> Result<Arc<Dpkg>, StepError> {
        self.dpkg.get(&[self.places.dpkg_status.as_path()], |[status]| Dpkg::parse(&status))
    }

    /// Where apt has its sources and keys.
    pub fn apt_folder(&self) -> &Path {
        &self.places.apt
    }

    /// The state of a systemd unit. The first call asks for every unit that the plan has, in one go.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub fn unit(&self, name: &str) -> Result<Arc<UnitState>, StepError> {
        self.units.get(self, name, &self.expected.units)
    }

    /// The PostgreSQL servers of this machine.
    pub(crate) fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    /// Whether systemd is the init process.
    pub fn has_systemd(&self) -> bool {
        Path::new("/run/systemd/system").is_dir()
    }

    /// A host that remembers nothing and knows the value of the secret `pw`.
    #[cfg(test)]
    pub(crate) fn knowing(value: &str) -> Self {
        let mut host = Self::new("/nonexistent");
        host.vault.insert("pw".to_owned(), crate::secret::Secret::new(value.to_owned()), String::new());
        host
    }

    #[cfg(test)]
    pub(crate) fn set_apt_folder(&mut self, folder: PathBuf) {
        self.places.apt = folder;
    }

    /// What the plan will ask for, so that it can be read in one go.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// Says what the plan will ask for.
    pub fn expect(&mut self, expected: Expected) {
        self.expected = expected;
    }

    /// Whether what was applied last to this target ([`crate::resource::Resource::target`]) held a secret: then what is on the
    /// host now may hold an older one that no vault knows.
    pub fn was_secret(&self, target: &str) -> bool {
        self.secret_before.contains(target)
    }

    /// Says which targets held a secret when they were last applied.
    pub fn set_secret_before(&mut self, targets: BTreeSet<String>) {
        self.secret_before = targets;
    }

    /// A step changed something: what cannot be seen to be old is read again when it is next asked for.
    pub fn changed(&self) {
        self.units.forget();
        self.clusters.forget();
    }
}
