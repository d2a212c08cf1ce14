//! What is known of hosts at compile time.

use std::collections::BTreeMap;

use cc_agent::facts::Facts;

/// What is known of hosts at compile time.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Facts by host; a host without an entry has not been seen: values that depend on its facts are unknown.
    pub facts: BTreeMap<String, Facts>,
    /// Addresses of hosts whose inventory entry has none, resolved by their provider.
    pub addresses: BTreeMap<String, String>,
}
