//! Reads every file of an environment, merges, checks, and reports all problems at once.

mod environment;
mod extends;
mod fields;
mod file;
mod inventory;
mod role;
mod role_files;
mod secrets;

use std::collections::BTreeMap;

use super::Spec;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::repository::Repository;
use crate::source::{Sources, Spanned};

/// A spec without errors.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was written.
    pub spec: Spec,
    /// What is probably not what was meant.
    pub warnings: Diagnostics,
}

/// Files with errors.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// All errors and warnings of all files.
    pub diagnostics: Diagnostics,
    /// The text of every file, to show them in.
    pub sources: Sources,
}

/// What reading needs everywhere.
pub(super) struct Context<'r> {
    pub(super) repository: &'r Repository<'r>,
    pub(super) sources: Sources,
    pub(super) diagnostics: Diagnostics,
}

impl Context<'_> {
    /// Reports a finding.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// Reads and checks the environment `name` with its inventory, the roles that it uses and the names of its secrets.
///
/// # Errors
/// [`Invalid`] with every error of every file, when there is at least one.
pub fn load(repository: &Repository<'_>, name: &str) -> Result<Loaded, Box<Invalid>> {
    let mut context = Context { repository, sources: Sources::default(), diagnostics: Diagnostics::default() };
    let environment = environment::load(&mut context, name);
    let inventory = inventory::load(&mut context, name);
    let mut roles = BTreeMap::new();
    let mut wanted: Vec<Spanned<String>> =
        environment.iter().flat_map(|environment| &environment.services).map(|service| service.role.clone()).collect();
    wanted.sort_by(|a, b| a.value.cmp(&b.value));
    wanted.dedup_by(|a, b| a.value == b.value);
    for role in wanted {
        if let Some(loaded) = role::load(&mut context, &role) {
            roles.insert(role.value, loaded);
        }
    }
    let secrets = secrets::load(&mut context, name);
    let Context { sources, diagnostics, .. } = context;
    match (environment, inventory) {
        (Some(environment), Some(inventory)) if !diagnostics.has_errors() => {
            let spec = Spec { environment, inventory, roles, secrets, sources };
            Ok(Loaded { spec, warnings: diagnostics })
        }
        _ => Err(Box::new(Invalid { diagnostics, sources })),
    }
}
