//! The resource types: the vocabulary that roles are written in, and how each is observed, compared and applied.
//!
//! Each type is a struct with its desired state in a file of its own. What people write in a role differs in one thing: there
//! the first key is the type and holds the identity (`- package: redis-server`); see [`Resource::identity_field`].

mod apt_repository;
mod archive;
mod authorized_keys;
mod block;
mod command;
mod content;
mod cron;
mod directory;
mod file;
mod git;
mod group;
mod hostname;
mod hosts_entry;
mod line;
mod locale;
mod mode;
mod mount;
mod package;
mod postgres_database;
mod postgres_extension;
mod postgres_role;
mod python_venv;
mod service;
mod swap_file;
mod symlink;
mod sysctl;
mod timezone;
mod ufw;
mod ufw_rule;
mod unit;
mod user;

pub use apt_repository::AptRepository;
pub use archive::Archive;
pub use authorized_keys::AuthorizedKeys;
pub use block::Block;
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

            /// The field that the first key of a role's entry fills.
            pub fn identity_field(type_name: &str) -> Option<&'static str> {
                match type_name { $($name => Some(stringify!($identity)),)* _ => None }
            }
        }
    };
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
