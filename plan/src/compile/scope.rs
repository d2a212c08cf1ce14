//! What templates see, computed when it is looked at.
//!
//! A [`HostScope`] belongs to the compilation of one host and is used by one thread. It remembers params once they are
//! computed, and which unknown facts were looked at: the steps that did are unknown until apply.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cc_agent::facts::Facts;
use minijinja::Value;

use super::object::Root;
use super::param;
use super::topology::role_of;
use super::world::World;
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::template::{Fault, reported};

/// Stands in for an address that the provider has not given yet: reserved for documentation, routed nowhere.
const UNKNOWN_ADDRESS: &str = "192.0.2.1";

/// What templates of one host see.
#[derive(Debug)]
pub(crate) struct HostScope {
    pub world: Arc<World>,
    placeholder: Facts,
    memo: Mutex<HashMap<Key, Slot>>,
    touched: Mutex<BTreeSet<String>>,
    found: Mutex<Vec<Diagnostic>>,
}

/// A value of a service on a host that is computed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    service: usize,
    host: usize,
    what: Computed,
}

/// What is computed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Computed {
    /// A param by index.
    Param(usize),
    /// The port of an offer by index.
    Port(usize),
}

#[derive(Debug)]
enum Slot {
    /// Being computed: who asks now depends on itself.
    Busy,
    /// The value, and the unknown facts that went into it.
    Done(Value, BTreeSet<String>),
}

impl HostScope {
    /// A scope without memories.
    pub(crate) fn new(world: Arc<World>) -> Arc<Self> {
        Arc::new(Self {
            world,
            placeholder: Facts::placeholder(),
            memo: Mutex::default(),
            touched: Mutex::default(),
            found: Mutex::default(),
        })
    }

    /// The root of what a service's templates see on a host.
    pub(crate) fn root(self: &Arc<Self>, service: usize, host: usize) -> Value {
        Value::from_object(Root::new(Arc::clone(self), service, host, None))
    }

    /// The same inside an `each`.
    pub(crate) fn root_with_item(self: &Arc<Self>, service: usize, host: usize, item: Value) -> Value {
        Value::from_object(Root::new(Arc::clone(self), service, host, Some(item)))
    }

    /// Reports a finding.
    pub(crate) fn report(&self, fault: Fault) {
        if let Fault::New(diagnostic) = fault {
            lock(&self.found).push(*diagnostic);
        }
    }

    /// How many findings there are: to go back to with [`HostScope::forget_since`].
    pub(crate) fn findings(&self) -> usize {
        lock(&self.found).len()
    }

    /// Drops the findings after the first `count`.
    pub(crate) fn forget_since(&self, count: usize) {
        lock(&self.found).truncate(count);
    }

    /// All findings.
    pub(crate) fn take_findings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut lock(&self.found))
    }

    /// The unknown facts that were looked at since the last call: `host.memory of db1`.
    pub(crate) fn take_touched(&self) -> BTreeSet<String> {
        std::mem::take(&mut lock(&self.touched))
    }

    /// Notes unknown facts that went into a value.
    pub(crate) fn touch(&self, facts: impl IntoIterator<Item = String>) {
        lock(&self.touched).extend(facts);
    }

    /// A host's facts, or plausible ones, with a note that `what` of it is unknown.
    pub(crate) fn facts(&self, host: usize, what: &str) -> &Facts {
        self.world.facts[host].as_ref().unwrap_or_else(|| {
            self.touch([format!("host.{what} of {}", self.world.spec.inventory.hosts[host].name.value)]);
            &self.placeholder
        })
    }

    /// A host's address, or one that goes nowhere, with a note that it is unknown.
    pub(crate) fn address(&self, host: usize) -> Value {
        Value::from(self.world.address(host).unwrap_or_else(|| {
            self.touch([format!("address of {}", self.world.spec.inventory.hosts[host].name.value)]);
            UNKNOWN_ADDRESS
        }))
    }

    /// A param of a service on a host, by its index in the role.
    pub(crate) fn param(self: &Arc<Self>, service: usize, host: usize, index: usize) -> Value {
        self.once(Key { service, host, what: Computed::Param(index) })
    }

    /// The port of an offer of a service on a host, by its index in the role; none when the offer has no port.
    pub(crate) fn port(self: &Arc<Self>, service: usize, host: usize, index: usize) -> Value {
        self.once(Key { service, host, what: Computed::Port(index) })
    }

    fn once(self: &Arc<Self>, key: Key) -> Value {
        match lock(&self.memo).get(&key) {
            Some(Slot::Done(value, touched)) => {
                if !touched.is_empty() {
                    self.touch(touched.iter().cloned());
                }
                return value.clone();
            }
            Some(Slot::Busy) => {
                self.report(self.circle(key));
                return reported();
            }
            None => {}
        }
        lock(&self.memo).insert(key, Slot::Busy);
        let outer = self.take_touched();
        let result = match key.what {
            Computed::Param(index) => self.compute_param(key, index),
            Computed::Port(index) => self.compute_port(key, index),
        };
        let value = result.unwrap_or_else(|fault| {
            self.report(fault);
            reported()
        });
        let touched = self.take_touched();
        self.touch(outer.into_iter().chain(touched.iter().cloned()));
        lock(&self.memo).insert(key, Slot::Done(value.clone(), touched));
        value
    }

    fn compute_param(self: &Arc<Self>, key: Key, index: usize) -> Result<Value, Fault> {
        let (spec, engine) = (&self.world.spec, &self.world.engine);
        let service = &spec.environment.services[key.service];
        let role = role_of(spec, service)?;
        let param = &role.params[index];
        let Some(node) = self.param_node(key.service, index) else {
            if param.optional {
                return Ok(Value::from(()));
            }
            let message = format!("service `{}` needs a value for `{}`", service.name.value, param.name.value);
            return Err(Diagnostic::error(service.name.span, message).hint(param.doc.clone()).into());
        };
        let context = self.root(key.service, key.host);
        let value = engine.compile_param(&role.name.value, node)?.value(engine, &context)?;
        if value.is_none() && param.optional {
            return Ok(value);
        }
        param::convert(&param.kind, &value).map_err(|(what, hint)| {
            let message = format!("`{}` of service `{}`: {what}", param.name.value, service.name.value);
            Diagnostic::error(node.span, message).hint(hint).into()
        })
    }

    fn compute_port(self: &Arc<Self>, key: Key, index: usize) -> Result<Value, Fault> {
        let (spec, engine) = (&self.world.spec, &self.world.engine);
        let role = role_of(spec, &spec.environment.services[key.service])?;
        let Some(node) = &role.offers[index].port else { return Ok(Value::from(())) };
        let value = engine.compile(&role.name.value, node)?.value(engine, &self.root(key.service, key.host))?;
        param::convert(&crate::spec::role::ParamType::Port, &value)
            .map_err(|(what, hint)| Diagnostic::error(node.span, what).hint(hint).into())
    }

    /// What was written for a param: in the environment, else its default.
    fn param_node(&self, service: usize, index: usize) -> Option<&Node> {
        let service = &self.world.spec.environment.services[service];
        let param = &self.world.spec.roles.get(&service.role.value)?.params[index];
        let written = service.params.iter().find(|(name, _)| name.value == param.name.value).map(|(_, node)| node);
        written.filter(|node| node.kind != Kind::Null).or(param.default.as_ref())
    }

    fn circle(&self, key: Key) -> Fault {
        let service = &self.world.spec.environment.services[key.service];
        let Some(role) = self.world.spec.roles.get(&service.role.value) else { return Fault::Reported };
        let (span, what) = match key.what {
            Computed::Param(index) => {
                let span = self.param_node(key.service, index).map_or(service.name.span, |node| node.span);
                (span, format!("`params.{}`", role.params[index].name.value))
            }
            Computed::Port(index) => {
                let offer = &role.offers[index];
                let span = offer.port.as_ref().map_or(offer.name.span, |node| node.span);
                (span, format!("the port of `{}`", offer.name.value))
            }
        };
        Diagnostic::error(span, format!("{what} of service `{}` depends on itself", service.name.value))
            .hint("give one of the values in the circle without a template")
            .into()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
