//! An environment as people describe it: loaded, merged, checked; values that hold templates are still [`Node`]s.
//!
//! [`Node`]: crate::node::Node

mod check;
pub mod environment;
mod init;
pub mod inventory;
mod load;
pub mod role;

use std::collections::{BTreeMap, BTreeSet};

pub use environment::Environment;
pub use init::init;
pub use inventory::Inventory;
pub use load::{Invalid, Loaded, load, read_beside};
pub use role::Role;

use crate::source::Sources;

/// Everything that was written about one environment.
#[derive(Clone, Debug)]
pub struct Spec {
    /// What.
    pub environment: Environment,
    /// Where.
    pub inventory: Inventory,
    /// The roles that its services use, by name.
    pub roles: BTreeMap<String, Role>,
    /// Names in `secrets/<env>.yml`; `None` when there is no such file. Names are readable without a key.
    pub secrets: Option<BTreeSet<String>>,
    /// The text of every file, for messages.
    pub sources: Sources,
}
