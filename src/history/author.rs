//! Who runs a command, and from where.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::operator::Operator;

/// Who runs a command, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// `user@machine`.
    pub who: String,
    /// The folder of the environment's files on that machine.
    pub folder: String,
    /// The address that the user has logged in to that machine from, where that was over SSH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl Author {
    /// The user of this process.
    pub fn of(repository: &Path) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let folder = std::fs::canonicalize(repository).unwrap_or_else(|_| repository.to_owned());
        let login = variable("SSH_CONNECTION");
        Self {
            who: Operator::here().to_string(),
            folder: folder.display().to_string(),
            address: login.and_then(|login| login.split_whitespace().next().map(str::to_owned)),
        }
    }

    /// From where, for a person: `/srv/site, logged in from 192.0.2.7`.
    pub fn place(&self) -> String {
        match &self.address {
            Some(address) => format!("{}, logged in from {address}", self.folder),
            None => self.folder.clone(),
        }
    }
}
