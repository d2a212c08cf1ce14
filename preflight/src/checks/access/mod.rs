//! Access.

mod git;
mod key_agent;
mod log;
mod passwords;
mod root;
mod ssh;
mod sudo;
mod users;

pub use git::Git;
pub use key_agent::KeyAgent;
pub use log::Log;
pub use passwords::Passwords;
pub use root::Root;
pub use ssh::Ssh;
pub use sudo::Sudo;
pub use users::Users;

/// The check that judges how the way to a host was.
pub const SSH: &str = "acc.ssh";

/// The check that judges whether the login became root.
pub const SUDO: &str = "acc.sudo";
