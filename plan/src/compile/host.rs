//! The plan of one host, and of all.

mod needs;
mod offers;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use cc_agent::check::ServiceCheck;
use cc_agent::step::{Handler, Step, StepId};
use minijinja::Value;

use super::identity;
use super::resource::{CompiledResource, Desired};
use super::role::CompiledRole;
use super::scope::HostScope;
use super::world::World;
use crate::diagnostic::Diagnostic;
use crate::plan::{HostPlan, Needs, Offered};
use crate::suggest::closest;
use crate::template::Fault;

/// What compiling one host gave.
pub(crate) struct Compiled {
    pub plan: HostPlan,
    pub blobs: BTreeMap<String, Arc<[u8]>>,
    pub secrets: BTreeSet<String>,
    pub findings: Vec<Diagnostic>,
}

/// Compiles one host. `order` are all services by stage, then as in the environment.
pub(crate) fn compile(
    world: &Arc<World>,
    roles: &BTreeMap<&str, CompiledRole<'_>>,
    order: &[usize],
    host: usize,
) -> Compiled {
    let mut compiler = HostCompiler {
        world,
        scope: HostScope::new(Arc::clone(world)),
        host,
        steps: Vec::new(),
        handlers: Vec::new(),
        checks: Vec::new(),
        needs: Vec::new(),
        offers: Vec::new(),
        ids: HashSet::new(),
        owners: HashMap::new(),
        blobs: BTreeMap::new(),
        secrets: BTreeSet::new(),
    };
    for service in order.iter().copied().filter(|s| world.topology.services[*s].hosts.contains(&host)) {
        if let Some(role) = roles.get(world.spec.environment.services[service].role.value.as_str()) {
            compiler.service(service, role);
        }
    }
    Compiled {
        plan: HostPlan {
            host: world.spec.inventory.hosts[host].name.value.clone(),
            steps: compiler.steps,
            handlers: compiler.handlers,
            checks: compiler.checks,
            needs: compiler.needs,
            offers: compiler.offers,
        },
        blobs: compiler.blobs,
        secrets: compiler.secrets,
        findings: compiler.scope.take_findings(),
    }
}

struct HostCompiler<'w> {
    world: &'w Arc<World>,
    scope: Arc<HostScope>,
    host: usize,
    steps: Vec<Step>,
    handlers: Vec<Handler>,
    checks: Vec<ServiceCheck>,
    needs: Vec<Needs>,
    offers: Vec<Offered>,
    ids: HashSet<StepId>,
    /// Which step has a resource, by what tells it from all others on the host.
    owners: HashMap<(&'static str, String), usize>,
    blobs: BTreeMap<String, Arc<[u8]>>,
    secrets: BTreeSet<String>,
}

/// What is known while the steps of one service are made.
struct ServiceSteps<'r, 'w> {
    index: usize,
    name: &'r str,
    role: &'r CompiledRole<'w>,
    /// Handlers that exist on this host, with the unknown facts that they depend on.
    handlers: HashMap<&'r str, BTreeSet<String>>,
    /// Steps of each resource of the role, so far.
    made: Vec<Vec<StepId>>,
    /// Steps by `type:identity`, so far.
    by_name: HashMap<String, Vec<StepId>>,
}

impl HostCompiler<'_> {
    fn service(&mut self, index: usize, role: &CompiledRole<'_>) {
        let world = Arc::clone(self.world);
        let name = world.spec.environment.services[index].name.value.as_str();
        let context = self.scope.root(index, self.host);
        let handlers = self.handlers(index, name, role, &context);
        let made = vec![Vec::new(); role.resources.len()];
        let mut steps = ServiceSteps { index, name, role, handlers, made, by_name: HashMap::new() };
        for (number, resource) in role.resources.iter().enumerate() {
            if let Err(fault) = self.resource(&mut steps, number, resource, &context) {
                self.scope.report(fault);
            }
        }
        for check in &role.checks {
            self.scope.take_touched();
            match check.evaluate(&world, &context) {
                // A check of something unknown is not made: there is nothing yet that could be healthy.
                Ok(Some((check, secrets))) if self.scope.take_touched().is_empty() => {
                    self.checks.push(ServiceCheck { service: name.to_owned(), check });
                    self.secrets.extend(secrets);
                }
                Ok(_) => {}
                Err(fault) => self.scope.report(fault),
            }
        }
        match self.needs(name, role, &context) {
            Ok(needs) => self.needs.extend(needs),
            Err(fault) => self.scope.report(fault),
        }
        self.offers(index);
    }

    fn handlers<'r>(
        &mut self,
        index: usize,
        name: &str,
        role: &'r CompiledRole<'_>,
        context: &Value,
    ) -> HashMap<&'r str, BTreeSet<String>> {
        let stage = self.world.topology.services[index].stage;
        let mut present = HashMap::new();
        for (handler, resource) in &role.handlers {
            self.scope.take_touched();
            let desired = self
                .wanted(resource, context)
                .and_then(|wanted| Ok(if wanted { Some(resource.desired(self.world, context)?) } else { None }));
            match desired {
                Ok(Some(desired)) => {
                    let resource = self.keep(desired);
                    let (id, service) = (format!("{name}/handler:{handler}"), name.to_owned());
                    self.handlers.push(Handler { id, service, stage, resource });
                    present.insert(*handler, self.scope.take_touched());
                }
                Ok(None) => {}
                Err(fault) => self.scope.report(fault),
            }
        }
        present
    }

    fn resource(
        &mut self,
        steps: &mut ServiceSteps<'_, '_>,
        number: usize,
        resource: &CompiledResource<'_>,
        context: &Value,
    ) -> Result<(), Fault> {
        self.scope.take_touched();
        let Some(each) = &resource.each else { return self.step(steps, number, resource, context, BTreeSet::new()) };
        let items = each.value(&self.world.engine, context)?;
        let touched = self.scope.take_touched();
        let items = items.try_iter().map_err(|_| {
            Diagnostic::error(each.span(), format!("`each` wants a list, not a value of type {}", items.kind()))
        })?;
        for item in items {
            let context = self.scope.root_with_item(steps.index, self.host, item);
            if let Err(fault) = self.step(steps, number, resource, &context, touched.clone()) {
                self.scope.report(fault);
            }
        }
        Ok(())
    }

    fn wanted(&self, resource: &CompiledResource<'_>, context: &Value) -> Result<bool, Fault> {
        resource.when.as_ref().map_or(Ok(true), |when| Ok(when.value(&self.world.engine, context)?.is_true()))
    }

    /// Makes the step of a resource, for one item when it has `each`. `touched` are the unknown facts that the item comes from.
    fn step(
        &mut self,
        steps: &mut ServiceSteps<'_, '_>,
        number: usize,
        resource: &CompiledResource<'_>,
        context: &Value,
        touched: BTreeSet<String>,
    ) -> Result<(), Fault> {
        self.scope.touch(touched);
        let wanted = self.wanted(resource, context)?;
        let depends = self.scope.take_touched();
        if !wanted && depends.is_empty() {
            return Ok(());
        }
        self.scope.touch(depends);
        let findings = self.scope.findings();
        let desired = resource.desired(self.world, context);
        let desired = match desired {
            Err(_) if !wanted => {
                // Made only to show that it may come; with the real facts it may well be sound, or not wanted.
                self.scope.forget_since(findings);
                return Ok(());
            }
            other => other?,
        };
        let requires = self.requires(steps, number, resource, context)?;
        let notify = self.notify(steps, resource)?;
        let desired = self.keep(desired);
        let unknown = self.scope.take_touched();
        let id = self.place(
            steps,
            resource,
            Step {
                id: format!("{}/{}:{}", steps.name, resource.written.type_name.value, desired.identity()),
                service: steps.name.to_owned(),
                stage: self.world.topology.services[steps.index].stage,
                resource: desired,
                notify,
                requires,
                tags: self.tags(steps, resource),
                unknown: (!unknown.is_empty()).then(|| unknown.into_iter().collect::<Vec<_>>().join(", ")),
            },
        )?;
        let name = id.split_once('/').map_or(id.as_str(), |(_, name)| name).to_owned();
        for ids in [steps.by_name.entry(name).or_default(), &mut steps.made[number]] {
            // An `each` may give the same resource twice.
            if !ids.contains(&id) {
                ids.push(id.clone());
            }
        }
        Ok(())
    }

    /// Adds a step, unless an equal one is there already; gives the id of the one that is in the plan.
    fn place(
        &mut self,
        steps: &ServiceSteps<'_, '_>,
        resource: &CompiledResource<'_>,
        mut step: Step,
    ) -> Result<StepId, Fault> {
        let key = (step.resource.type_name(), identity::distinct(&step.resource));
        if let Some(index) = self.owners.get(&key) {
            let owner = &mut self.steps[*index];
            if owner.resource != step.resource {
                return Err(conflict(owner, &step, steps.name, resource));
            }
            if owner.stage != step.stage && !step.notify.is_empty() {
                let message = format!("`{}` of service `{}` is the same as `{}`", step.id, steps.name, owner.id);
                let hint = "it is applied in an earlier stage, where this service's handlers cannot run yet: \
                            declare it in one of the two";
                return Err(Diagnostic::error(resource.written.span, message).hint(hint).into());
            }
            let new: Vec<StepId> = step.notify.into_iter().filter(|id| !owner.notify.contains(id)).collect();
            owner.notify.extend(new);
            return Ok(owner.id.clone());
        }
        let plain = step.id.clone();
        let mut number = 2;
        while self.ids.contains(&step.id) {
            step.id = format!("{plain}#{number}");
            number += 1;
        }
        let id = step.id.clone();
        self.ids.insert(id.clone());
        self.owners.insert(key, self.steps.len());
        self.steps.push(step);
        Ok(id)
    }

    fn keep(&mut self, desired: Desired) -> cc_agent::resource::Resource {
        self.secrets.extend(desired.secrets);
        self.blobs.extend(desired.blob);
        desired.resource
    }

    fn tags(&self, steps: &ServiceSteps<'_, '_>, resource: &CompiledResource<'_>) -> Vec<String> {
        let service = &self.world.spec.environment.services[steps.index];
        let mut tags = service.tags.clone();
        tags.extend(resource.written.tags.iter().filter(|tag| !service.tags.contains(tag)).cloned());
        tags
    }

    fn notify(&self, steps: &ServiceSteps<'_, '_>, resource: &CompiledResource<'_>) -> Result<Vec<StepId>, Fault> {
        let mut ids = Vec::new();
        for handler in &resource.written.notify {
            if let Some(unknown) = steps.handlers.get(handler.value.as_str()) {
                self.scope.touch(unknown.iter().cloned());
                ids.push(format!("{}/handler:{}", steps.name, handler.value));
            } else if !steps.role.handlers.iter().any(|(name, _)| *name == handler.value) {
                let diagnostic = Diagnostic::error(handler.span, format!("unknown handler `{}`", handler.value));
                let known = steps.role.handlers.iter().map(|(name, _)| *name);
                return Err(suggest(diagnostic, closest(handler, known)).into());
            }
        }
        Ok(ids)
    }

    /// The steps that must have succeeded first: named as written in the role, or as they are on this host.
    fn requires(
        &self,
        steps: &ServiceSteps<'_, '_>,
        number: usize,
        resource: &CompiledResource<'_>,
        context: &Value,
    ) -> Result<Vec<StepId>, Fault> {
        let mut ids = Vec::new();
        for (written, required) in resource.written.requires.iter().zip(&resource.requires) {
            let as_written = |other: &CompiledResource<'_>| {
                let identity = other.written.identity.as_str().unwrap_or_default();
                written.value.split_once(':') == Some((other.written.type_name.value.as_str(), identity))
            };
            if let Some(index) = steps.role.resources.iter().position(as_written) {
                if index >= number {
                    let message = format!("`{}` does not come before what requires it", written.value);
                    return Err(Diagnostic::error(written.span, message).hint("steps apply in written order").into());
                }
                ids.extend(steps.made[index].iter().cloned());
                continue;
            }
            let name = required.value(&self.world.engine, context)?.to_string();
            let Some(made) = steps.by_name.get(&name) else {
                let message = format!("no earlier step of this role is `{name}`");
                let mut known: Vec<&str> = steps.by_name.keys().map(String::as_str).collect();
                known.sort_unstable();
                return Err(suggest(Diagnostic::error(written.span, message), closest(&name, known)).into());
            };
            ids.extend(made.iter().cloned());
        }
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        Ok(ids)
    }
}

fn suggest(diagnostic: Diagnostic, name: Option<&str>) -> Diagnostic {
    match name {
        Some(name) => diagnostic.hint(format!("did you mean `{name}`?")),
        None => diagnostic,
    }
}

fn conflict(owner: &Step, step: &Step, service: &str, resource: &CompiledResource<'_>) -> Fault {
    let what = format!("{} `{}`", step.resource.type_name(), step.resource.identity());
    let message = if owner.service == service {
        format!("{what} is declared twice by service `{service}`, differently")
    } else {
        format!("{what} is declared by services `{}` and `{service}`, differently", owner.service)
    };
    Diagnostic::error(resource.written.identity.span, message)
        .hint(format!("the other one is `{}`: keep one, or make both equal", owner.id))
        .into()
}
