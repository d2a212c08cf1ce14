//! What a schema cannot know: names that refer to each other within and between files.

mod host;
mod param_value;
mod reference;
mod role;
mod rollout;
pub(super) mod secret;
mod service;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use super::environment::RESERVED_NAMES;
use super::{Environment, Inventory, Role};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Something that was read from files.
#[derive(Clone)]
pub(super) struct Read<T> {
    pub(super) value: T,
    /// `false` when a part is missing because of an error that has been reported.
    pub(super) complete: bool,
}

/// The names in the secrets file.
pub(super) enum SecretNames {
    /// There is no such file.
    NoFile,
    /// It could not be read, which has been reported.
    Unreadable,
    /// Its names.
    Names(BTreeSet<String>),
}

impl SecretNames {
    /// The names; `None` when there is no file.
    pub(super) fn names(self) -> Option<BTreeSet<String>> {
        match self {
            Self::Names(names) => Some(names),
            _ => None,
        }
    }
}

/// Everything that was read, errors or not.
pub(super) struct Draft<'n> {
    /// The name of the environment's folder.
    pub(super) name: &'n str,
    pub(super) environment: Option<Read<Environment>>,
    pub(super) inventory: Option<Read<Inventory>>,
    pub(super) roles: BTreeMap<String, Read<Role>>,
    pub(super) secrets: SecretNames,
}

impl Draft<'_> {
    /// Whether nothing is missing: what is not there has not been written.
    pub(super) fn is_whole(&self) -> bool {
        let Some(environment) = &self.environment else { return false };
        environment.complete
            && self.inventory.as_ref().is_some_and(|inventory| inventory.complete)
            && environment
                .value
                .services
                .iter()
                .all(|s| self.roles.get(&s.role.value).is_some_and(|role| role.complete))
    }
}

/// Reports everything that does not fit together.
pub(super) fn check(draft: &Draft<'_>, found: &mut Diagnostics) {
    if let Some(environment) = &draft.environment
        && RESERVED_NAMES.contains(&draft.name)
    {
        let message = format!("an environment cannot be called `{}`: that is a command", draft.name);
        found.push(
            Diagnostic::error(environment.value.name.span, message).hint("rename the environment and its folder"),
        );
    }
    if let Some(inventory) = &draft.inventory {
        host::check(inventory, found);
    }
    for (name, role) in &draft.roles {
        role::check(name, role, found);
    }
    service::check(draft, found);
    rollout::check(draft, found);
}
