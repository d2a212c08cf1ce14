//! What is known of hosts at compile time.

use std::collections::BTreeMap;
use std::sync::Arc;

use cc_agent::facts::Facts;

use super::LocalFiles;

/// What is known of hosts at compile time.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Facts by host; a host without an entry has not been seen: values that depend on its facts are unknown.
    pub facts: BTreeMap<String, Facts>,
    /// Addresses of hosts whose inventory entry has none, resolved by their provider.
    pub addresses: BTreeMap<String, String>,
    /// Files on the operator's machine, for roles that copy some; without them such a role is an error.
    pub files: Option<Arc<dyn LocalFiles>>,
}
