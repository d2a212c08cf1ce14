//! Who is at this keyboard.

use std::fmt;

/// The person who runs a command, and where, for colleagues to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The name of the login, or `user N` where there is none.
    pub user: String,
    /// The name of this machine.
    pub machine: String,
}

impl Operator {
    /// Who runs this process.
    pub fn here() -> Self {
        let user = Self::login().unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()));
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { user, machine }
    }

    /// The name of the login, as the variables of the process have it: nobody proves here who they are. Behind sudo it is the
    /// person, not root.
    pub fn login() -> Option<String> {
        ["SUDO_USER", "USER", "LOGNAME"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.machine)
    }
}
