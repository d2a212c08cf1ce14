//! The secrets that one host needs, in the agent's memory only.

use std::collections::BTreeMap;

use super::Secret;

/// Secret values by name.
#[derive(Default)]
pub struct Vault {
    values: BTreeMap<String, Secret<String>>,
}

impl Vault {
    /// Adds a value.
    pub fn insert(&mut self, name: String, value: Secret<String>) {
        self.values.insert(name, value);
    }
}
