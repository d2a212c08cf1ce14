//! Reads every file of an environment, merges, checks, and reports all problems at once.

mod beside;
mod conform;
mod environment;
mod extends;
mod fields;
mod file;
mod inventory;
mod role;
mod role_files;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};

pub use beside::read_beside;

use super::check::{self, Draft};
use super::{Environment, Role, Spec};
use crate::compile::{Known, compile};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::repository::Repository;
use crate::source::{Sources, Span, Spanned};

/// A spec without errors.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was written.
    pub spec: Spec,
    /// What is probably not what was meant.
    pub warnings: Diagnostics,
    /// Secrets that are used and have no value: nothing that needs them can be done, everything else can.
    pub unset: Diagnostics,
    /// Names of the secrets that are used.
    pub secrets_used: BTreeSet<String>,
    /// Roles in `roles/` that stand in for shipped ones of the same name.
    pub overridden: Vec<String>,
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
struct Context<'r> {
    repository: &'r Repository<'r>,
    sources: Sources,
    diagnostics: Diagnostics,
}

impl Context<'_> {
    /// Reports a finding.
    fn report(&mut self, diagnostic: Diagnostic) {
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
    for role in environment.iter().flat_map(|read| roles_of(&read.value)) {
        if let Some(read) = role::load(&mut context, &role) {
            roles.insert(role.value, read);
        }
    }
    let secrets = secrets::load(&mut context, name);
    let draft = Draft { name, environment, inventory, roles, secrets };
    check::check(&draft, &mut context.diagnostics);
    let used = check::secret::used(&draft);
    let unset = check::secret::check(&draft, &used);
    let broken = context.diagnostics.has_errors();
    if broken {
        context.diagnostics.append(unset.clone());
    }
    context.diagnostics.sort();
    let is_whole = draft.is_whole();
    let Context { sources, mut diagnostics, .. } = context;
    let Draft { environment: Some(environment), inventory: Some(inventory), roles, secrets, .. } = draft else {
        return Err(Box::new(Invalid { diagnostics, sources }));
    };
    let roles: BTreeMap<_, _> = roles.into_iter().map(|(name, read)| (name, read.value)).collect();
    let (environment, inventory) = (environment.value, inventory.value);
    let spec = Spec { environment, inventory, roles, secrets: secrets.names(), sources };
    if broken {
        if is_whole {
            later_findings(&spec, &mut diagnostics);
        }
        return Err(Box::new(Invalid { diagnostics, sources: spec.sources }));
    }
    let shipped = repository.shipped.names();
    let hides = |(name, role): (&String, &Role)| {
        (!role.shipped && shipped.contains(&name.as_str()) && differs(repository, name)).then(|| name.clone())
    };
    let overridden = spec.roles.iter().filter_map(hides).collect();
    let secrets_used = used.into_iter().map(|name| name.value).collect();
    Ok(Loaded { spec, warnings: diagnostics, unset, secrets_used, overridden })
}

/// Whether a role in `roles/` is another than the shipped one of its name, as against being the place that it ships from.
fn differs(repository: &Repository<'_>, role: &str) -> bool {
    let same = |path: &&str| {
        std::fs::read(repository.root.join("roles").join(path)).ok().as_deref() == repository.shipped.read(path)
    };
    !repository.shipped.files(role).iter().all(same)
}

/// What compiling finds: offers, templates. After a spec without errors, whoever loaded it compiles it and sees them; after one
/// with errors nobody would, and they would come up only when those errors are gone.
fn later_findings(spec: &Spec, diagnostics: &mut Diagnostics) {
    let Err(later) = compile(spec, &Known::default()) else { return };
    // Where something has been found already, compiling may find the same in other words.
    let roles = spec.roles.values();
    let resources = roles.clone().flat_map(|role| role.resources.iter().chain(role.handlers.iter().map(|(_, h)| h)));
    let params = roles.clone().flat_map(|role| &role.params).map(|param| param.name.span);
    let entries = resources
        .map(|resource| resource.span)
        .chain(spec.environment.services.iter().map(|service| service.span))
        .chain(roles.clone().flat_map(|role| &role.health).map(|check| check.span))
        .chain(params);
    let known: Vec<Span> = entries.filter(|entry| diagnostics.has_error_within(*entry)).collect();
    let is_known = |span: Span| {
        let inside =
            known.iter().any(|entry| entry.file == span.file && (entry.start..=entry.end).contains(&span.start));
        inside || diagnostics.has_error_within(span)
    };
    let new: Vec<Diagnostic> = later.iter().filter(|later| !later.span.is_some_and(is_known)).cloned().collect();
    new.into_iter().for_each(|finding| diagnostics.push(finding));
    diagnostics.sort();
}

/// The roles of an environment's services, each once, with the first place that names it.
fn roles_of(environment: &Environment) -> Vec<Spanned<String>> {
    let mut roles: Vec<Spanned<String>> = Vec::new();
    for service in &environment.services {
        if !roles.iter().any(|role| role.value == service.role.value) {
            roles.push(service.role.clone());
        }
    }
    roles
}
