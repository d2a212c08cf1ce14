//! The resource types: the vocabulary that roles are written in, and how each is observed, compared and applied.
//!
//! Each type is a struct with its desired state in a file of its own. What people write in a role differs in one thing: there
//! the first key is the type and holds the identity (`- package: redis-server`); see [`Resource::identity_field`].

mod apt_repository;
mod archive;
mod authorized_keys;
mod block;
mod cluster;
mod command;
mod content;
mod cron;
mod cron_schedule;
mod directory;
mod edited_text;
mod file;
mod firewall;
mod fstab;
mod git;
mod group;
mod hostname;
mod hosts_entry;
mod hosts_file;
mod line;
mod locale;
mod locale_archive;
mod manifest;
mod mode;
mod mount;
mod mount_table;
mod openpgp;
mod package;
mod plain;
mod postgres_database;
mod postgres_extension;
mod postgres_role;
mod psql;
mod public_key;
mod python_venv;
mod requirements;
mod scram;
mod service;
mod ssh_folder;
mod ssh_session;
mod swap_file;
mod symlink;
mod sysctl;
pub(crate) mod text_diff;
mod timezone;
mod ufw;
mod ufw_rule;
mod ufw_tuple;
mod unit;
mod user;
mod venv;

pub use apt_repository::AptRepository;
pub use archive::Archive;
pub use authorized_keys::AuthorizedKeys;
pub use block::Block;
pub(crate) use cluster::Clusters;
pub use command::Command;
pub use content::Content;
pub use cron::Cron;
pub use directory::Directory;
pub use file::File;
pub use git::Git;
pub use group::Group;
pub use hostname::Hostname;
pub use hosts_entry::HostsEntry;
pub use line::Line;
pub use locale::Locale;
pub use mode::Mode;
pub use mount::Mount;
pub use package::Package;
pub use postgres_database::PostgresDatabase;
pub use postgres_extension::PostgresExtension;
pub use postgres_role::PostgresRole;
pub use python_venv::PythonVenv;
pub use service::Service;
pub use swap_file::SwapFile;
pub use symlink::Symlink;
pub use sysctl::Sysctl;
pub use timezone::Timezone;
pub use ufw::Ufw;
pub use ufw_rule::UfwRule;
pub use unit::Unit;
pub use user::User;

use serde::{Deserialize, Serialize};

use crate::change::{Change, ChangeKind, Detail};
use crate::host::Host;
use crate::step_error::StepError;

/// Whether a resource should exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It should exist.
    #[default]
    Present,
    /// It should not.
    Absent,
}

/// The one value of a command's `changes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Always {
    /// Runs in every deploy.
    Always,
}

/// How a type is observed, compared and applied.
///
/// The contract that the conformance suite checks: `observe` and `diff` touch nothing; `apply` does only what `diff` returned;
/// after it, observing again gives no change; killed in the middle it leaves the old or the new state, and running it again
/// repairs what is left.
pub trait ResourceType: Sized {
    /// What of the host matters to this resource.
    type State;

    /// Reads the host.
    ///
    /// What an earlier step may still create (a user, a parent directory, a program) is no error where the type can say what it
    /// would do anyway. Where it cannot, it is an error, which the engine shows as `unknown` when an earlier step of the same
    /// plan changes something, and as a failure when none does.
    ///
    /// # Errors
    /// What cannot be read, with its name and the reason.
    fn observe(&self, host: &Host) -> Result<Self::State, StepError>;

    /// What would change. Secrets are tokens in the resource: compare revealed values, show masked ones ([`Host::vault`]).
    ///
    /// # Errors
    /// A broken or unknown secret; a desired state that contradicts itself.
    fn diff(&self, state: &Self::State, host: &Host) -> Result<Change, StepError>;

    /// Makes the change that `diff` returned for this state, and nothing else. Called only when there is one.
    ///
    /// # Errors
    /// What could not be done, with the path, the command and its output.
    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError>;

    /// The desired state that removes it, for `--prune`. `None`, which types that say nothing have, when the type cannot be
    /// removed: there is no older state to go back to (a host always has a name), others may use it (a locale, a checkout), or
    /// it must not happen because a line left a file (turning a firewall off).
    fn absent(&self) -> Option<Self> {
        None
    }

    /// What tells it from others of its type *beside* its identity: the text of a line, the name of a block.
    fn qualifier(&self) -> String {
        String::new()
    }
}

/// What a host has exactly one of: another identity is another value of the same thing, not another thing.
const ONE_A_HOST: [&str; 3] = ["hostname", "timezone", "ufw"];

/// Declares the enum of all types and what is known of a type by its name.
macro_rules! resources {
    ($($name:literal $type:ident by $identity:ident,)*) => {
        /// A typed desired state.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(tag = "type")]
        #[allow(missing_docs, reason = "each variant's struct has the documentation")]
        pub enum Resource {
            $(#[serde(rename = $name)] $type($type),)*
        }

        impl Resource {
            /// The names of all types, as roles write them.
            pub const TYPES: &'static [&'static str] = &[$($name),*];

            /// The type's name.
            pub fn type_name(&self) -> &'static str {
                match self { $(Self::$type(_) => $name,)* }
            }

            /// What tells it from others of its type: a path, a name.
            pub fn identity(&self) -> &str {
                match self { $(Self::$type(resource) => &resource.$identity,)* }
            }

            /// What it stands for on a host: type, identity and, where that is not enough, what tells it from its siblings. Two
            /// steps with the same target manage the same thing, whatever service they belong to.
            pub fn target(&self) -> String {
                if ONE_A_HOST.contains(&self.type_name()) {
                    return self.type_name().to_owned();
                }
                let qualifier = match self { $(Self::$type(resource) => resource.qualifier(),)* };
                let separator = if qualifier.is_empty() { "" } else { "\n" };
                format!("{}:{}{separator}{qualifier}", self.type_name(), self.identity())
            }

            /// What would change on this host; touches nothing.
            ///
            /// # Errors
            /// As [`ResourceType::observe`] and [`ResourceType::diff`].
            pub fn plan(&self, host: &Host) -> Result<Change, StepError> {
                match self {
                    $(Self::$type(resource) => {
                        let state = resource.observe(host)?;
                        resource.diff(&state, host)
                    })*
                }
            }

            /// Observes, compares and makes the change; `begin` is told of it before anything is touched, and can refuse. A
            /// change that is `unknown` even now is an error, because applying means knowing.
            ///
            /// # Errors
            /// As the three methods of [`ResourceType`], and what `begin` says.
            pub fn apply(
                &self,
                host: &Host,
                begin: &mut dyn FnMut(&Change) -> Result<(), StepError>,
            ) -> Result<Change, StepError> {
                match self {
                    $(Self::$type(resource) => {
                        let state = resource.observe(host)?;
                        let change = resource.diff(&state, host)?;
                        if known(&change)? {
                            begin(&change)?;
                            resource.apply(&state, host)?;
                            host.changed();
                        }
                        Ok(change)
                    })*
                }
            }

            /// The desired state that removes it, for `--prune`; `None` when its type cannot.
            pub fn absent(&self) -> Option<Self> {
                match self { $(Self::$type(resource) => resource.absent().map(Self::$type),)* }
            }

            /// The field that the first key of a role's entry fills.
            pub fn identity_field(type_name: &str) -> Option<&'static str> {
                match type_name { $($name => Some(stringify!($identity)),)* _ => None }
            }
        }
    };
}

/// Whether a change is to be applied.
fn known(change: &Change) -> Result<bool, StepError> {
    if change.kind != ChangeKind::Unknown {
        return Ok(!change.is_none());
    }
    let why = change.details.iter().find_map(|detail| match detail {
        Detail::Note { text } => Some(text.as_str()),
        _ => None,
    });
    Err(StepError::new(format!("its state is still unknown: {}", why.unwrap_or("no reason given"))))
}

resources! {
    "package" Package by name,
    "apt_repository" AptRepository by name,
    "file" File by path,
    "directory" Directory by path,
    "symlink" Symlink by path,
    "line" Line by path,
    "block" Block by path,
    "archive" Archive by path,
    "git" Git by path,
    "user" User by name,
    "group" Group by name,
    "authorized_keys" AuthorizedKeys by user,
    "unit" Unit by name,
    "service" Service by name,
    "sysctl" Sysctl by name,
    "mount" Mount by path,
    "swap_file" SwapFile by path,
    "cron" Cron by name,
    "hostname" Hostname by name,
    "hosts_entry" HostsEntry by name,
    "locale" Locale by name,
    "timezone" Timezone by name,
    "ufw" Ufw by name,
    "ufw_rule" UfwRule by name,
    "command" Command by name,
    "python_venv" PythonVenv by path,
    "postgres_role" PostgresRole by name,
    "postgres_database" PostgresDatabase by name,
    "postgres_extension" PostgresExtension by name,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use crate::secret::{Secret, Vault};

    /// A host with an empty folder to work in and a secret `pw`, whose value is `hunter22`.
    pub(crate) struct Bench {
        pub(crate) host: Host,
        folder: tempfile::TempDir,
    }

    impl Bench {
        pub(crate) fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut vault = Vault::default();
            vault.insert("pw".to_owned(), Secret::new("hunter22".to_owned()), "hmac:pw".to_owned());
            let mut host = Host::new(folder.path().join("state"));
            host.set_apt_folder(folder.path().join("apt"));
            host.set_vault(vault);
            Self { host, folder }
        }

        pub(crate) fn path(&self, name: &str) -> String {
            self.folder.path().join(name).to_str().unwrap().to_owned()
        }

        /// Observes, compares and applies, and holds the type to its contract: afterwards there is nothing to do.
        pub(crate) fn converge<R: ResourceType>(&self, resource: &R) -> Change {
            let state = resource.observe(&self.host).unwrap();
            let change = resource.diff(&state, &self.host).unwrap();
            if !change.is_none() {
                resource.apply(&state, &self.host).unwrap();
                self.host.changed();
            }
            let again = resource.observe(&self.host).unwrap();
            assert_eq!(resource.diff(&again, &self.host).unwrap(), Change::none());
            change
        }
    }
}
