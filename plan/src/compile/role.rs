//! A role parsed once for all hosts.

use super::check::CompiledCheck;
use super::resource::CompiledResource;
use crate::spec::Role;
use crate::template::{Compiled, Engine, Fault};

/// A role whose templates are parsed.
#[derive(Debug)]
pub(crate) struct CompiledRole<'w> {
    pub resources: Vec<CompiledResource<'w>>,
    /// By name, in written order.
    pub handlers: Vec<(&'w str, CompiledResource<'w>)>,
    pub checks: Vec<CompiledCheck<'w>>,
    pub needs: Vec<(&'w str, Compiled<'w>)>,
}

impl<'w> CompiledRole<'w> {
    /// Parses a role; what is wrong goes into `found`.
    pub(crate) fn new(engine: &'w Engine, role: &'w Role, found: &mut Vec<Fault>) -> Self {
        for path in role.templates.keys() {
            // Also those that nothing names as its source: what a template includes, or forgot to.
            found.extend(engine.role_template(&role.name.value, path).err());
        }
        let resources = role.resources.iter().filter_map(|r| CompiledResource::new(engine, role, r, found)).collect();
        let handlers = role
            .handlers
            .iter()
            .filter_map(|(name, handler)| {
                Some((name.value.as_str(), CompiledResource::new(engine, role, handler, found)?))
            })
            .collect();
        let checks = role
            .health
            .iter()
            .filter_map(|node| CompiledCheck::new(engine, role, node).map_err(|fault| found.push(fault)).ok())
            .collect();
        let needs = role
            .needs
            .iter()
            .filter_map(|(what, node)| {
                let value = engine.compile(&role.name.value, node).map_err(|fault| found.push(fault)).ok()?;
                Some((what.value.as_str(), value))
            })
            .collect();
        Self { resources, handlers, checks, needs }
    }
}
