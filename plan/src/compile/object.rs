//! The names in templates, as objects that compute what they are asked for.
//!
//! - `params.*`
//! - `host.{name, address, groups, params.*}` and the facts `host.{memory, cpus, arch, os.{id, version, codename}, hostname,
//!   systemd, virtualization}`
//! - `hosts.<name>.{name, address, groups, params}`; `groups.<group>`, a list of host names
//! - `service.name`
//! - `services.<service>.{name, role, hosts, address, port, params}`: hosts is a list like `hosts`, address is the first
//!   host's, port the first offer's, params are as on the first host
//! - `uses.<offer>.{service, hosts, address, port, params}`: what this role's `uses` stand for; none when it is optional and
//!   nobody makes it; for something external, service is none
//! - `clients`: the hosts of services that use this one
//! - `external.<name>.{address, port, …}`
//! - `environment.{name, size}`
//! - `item` inside `each`

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::scope::HostScope;
use super::topology::Target;
use crate::spec::Role;

/// Everything that a template sees.
#[derive(Debug)]
pub(crate) struct Root {
    scope: Arc<HostScope>,
    service: usize,
    host: usize,
    item: Option<Value>,
}

const ROOT_NAMES: &[&str] =
    &["params", "host", "hosts", "groups", "service", "services", "uses", "clients", "external", "environment"];

impl Root {
    /// What the templates of a service see on a host.
    pub(crate) fn new(scope: Arc<HostScope>, service: usize, host: usize, item: Option<Value>) -> Self {
        Self { scope, service, host, item }
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let (scope, world) = (&self.scope, &self.scope.world);
        let view =
            |view| Value::from_object(View { scope: Arc::clone(scope), service: self.service, host: self.host, view });
        match key {
            "params" => Some(view(Names::Params)),
            "host" => Some(view(Names::Host)),
            "hosts" => Some(view(Names::Hosts)),
            "groups" => Some(world.groups.clone()),
            "service" => Some(world.service[self.service].clone()),
            "services" => Some(view(Names::Services)),
            "uses" => Some(view(Names::Uses)),
            "clients" => Some(hosts(scope, &world.topology.services[self.service].clients)),
            "external" => Some(view(Names::External)),
            "environment" => Some(world.environment.clone()),
            "item" => self.item.clone(),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let item = self.item.is_some().then_some("item");
        Enumerator::Values(ROOT_NAMES.iter().copied().chain(item).map(Value::from).collect())
    }
}

/// A part of the scope.
#[derive(Debug)]
struct View {
    scope: Arc<HostScope>,
    /// Of whom: the service whose templates look, or the one that is looked at.
    service: usize,
    host: usize,
    view: Names,
}

/// Which part.
#[derive(Clone, Copy, Debug)]
enum Names {
    /// `params`.
    Params,
    /// `host`.
    Host,
    /// `hosts`.
    Hosts,
    /// `hosts.<name>`.
    OtherHost,
    /// `services`.
    Services,
    /// `services.<name>`.
    Service,
    /// `uses`.
    Uses,
    /// `uses.<offer>`, by the index among the service's uses.
    Use(usize),
    /// `external`.
    External,
}

impl View {
    fn role(&self, service: usize) -> Option<&Role> {
        let spec = &self.scope.world.spec;
        spec.roles.get(&spec.environment.services[service].role.value)
    }

    fn at(&self, service: usize, host: usize, view: Names) -> Value {
        Value::from_object(Self { scope: Arc::clone(&self.scope), service, host, view })
    }

    fn host(&self, key: &str) -> Option<Value> {
        Some(match key {
            "name" => Value::from(self.scope.world.spec.inventory.hosts[self.host].name.value.as_str()),
            "address" => self.scope.address(self.host),
            "groups" => {
                self.scope.world.spec.inventory.hosts[self.host].groups.iter().map(|g| g.value.as_str()).collect()
            }
            "params" => self.scope.world.host_params[self.host].clone(),
            _ => return None,
        })
    }

    fn fact(&self, key: &str) -> Option<Value> {
        let facts = || self.scope.facts(self.host, key);
        Some(match key {
            "memory" => Value::from(facts().memory),
            "cpus" => Value::from(facts().cpus),
            "arch" => Value::from(facts().arch.as_str()),
            "os" => {
                let os = &facts().os;
                Value::from_pairs([("id", &os.id), ("version", &os.version), ("codename", &os.codename)])
            }
            "hostname" => Value::from(facts().hostname.as_str()),
            "systemd" => Value::from(facts().systemd),
            "virtualization" => Value::from(facts().virtualization.as_str()),
            _ => return None,
        })
    }

    /// What is seen of a service: by its name, or through an offer.
    fn service(&self, service: usize, offer: Option<&str>, key: &str) -> Option<Value> {
        let placed = &self.scope.world.topology.services[service];
        let written = &self.scope.world.spec.environment.services[service];
        let first = placed.hosts.first().copied();
        Some(match key {
            "name" if offer.is_none() => Value::from(written.name.value.as_str()),
            "service" if offer.is_some() => Value::from(written.name.value.as_str()),
            "role" if offer.is_none() => Value::from(written.role.value.as_str()),
            "hosts" => hosts(&self.scope, &placed.hosts),
            "address" => first.map_or(Value::from(()), |host| self.scope.address(host)),
            "params" => first.map_or(Value::from(()), |host| self.at(service, host, Names::Params)),
            "port" => {
                let role = self.role(service)?;
                let index = offer.map_or(Some(0), |offer| role.offers.iter().position(|o| o.name.value == offer));
                match (first, index) {
                    (Some(host), Some(index)) if index < role.offers.len() => self.scope.port(service, host, index),
                    _ => Value::from(()),
                }
            }
            _ => return None,
        })
    }

    fn used(&self, index: usize, key: &str) -> Option<Value> {
        let world = &self.scope.world;
        let used = &world.topology.services[self.service].uses[index];
        match used.target.as_ref()? {
            Target::Service(service) => self.service(*service, Some(&used.offer), key),
            Target::External(name) => {
                let external = world.external.get(name)?;
                Some(match key {
                    "address" => external.address.clone(),
                    "port" => external.port.clone(),
                    "params" => external.params.clone(),
                    "service" => Value::from(()),
                    "hosts" => {
                        let address = external.address.clone();
                        let host = Value::from_pairs([("name", address.clone()), ("address", address)]);
                        Value::from(vec![host])
                    }
                    _ => return None,
                })
            }
        }
    }
}

impl Object for View {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let world = &self.scope.world;
        match self.view {
            Names::Params => {
                let index = self.role(self.service)?.params.iter().position(|param| param.name.value == key)?;
                Some(self.scope.param(self.service, self.host, index))
            }
            Names::Host => self.host(key).or_else(|| self.fact(key)),
            Names::OtherHost => self.host(key),
            Names::Hosts => {
                let host = *world.host_index.get(key)?;
                Some(self.at(self.service, host, Names::OtherHost))
            }
            Names::Services => {
                let service = *world.service_index.get(key)?;
                Some(self.at(service, self.host, Names::Service))
            }
            Names::Service => self.service(self.service, None, key),
            Names::Uses => {
                let uses = &world.topology.services[self.service].uses;
                let index = uses.iter().position(|used| used.offer == key)?;
                let absent = uses[index].target.is_none();
                Some(if absent { Value::from(()) } else { self.at(self.service, self.host, Names::Use(index)) })
            }
            Names::Use(index) => self.used(index, key),
            Names::External => Some(world.external.get(key)?.flat.clone()),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let world = &self.scope.world;
        let names: Vec<&str> = match self.view {
            Names::Params => match self.role(self.service) {
                Some(role) => role.params.iter().map(|param| param.name.value.as_str()).collect(),
                None => Vec::new(),
            },
            Names::Host => vec![
                "name",
                "address",
                "groups",
                "params",
                "memory",
                "cpus",
                "arch",
                "os",
                "hostname",
                "systemd",
                "virtualization",
            ],
            Names::OtherHost => vec!["name", "address", "groups", "params"],
            Names::Hosts => world.spec.inventory.hosts.iter().map(|host| host.name.value.as_str()).collect(),
            Names::Services => world.spec.environment.services.iter().map(|s| s.name.value.as_str()).collect(),
            Names::Service => vec!["name", "role", "hosts", "address", "port", "params"],
            Names::Uses => world.topology.services[self.service].uses.iter().map(|used| used.offer.as_str()).collect(),
            Names::Use(_) => vec!["service", "hosts", "address", "port", "params"],
            Names::External => world.external.keys().map(String::as_str).collect(),
        };
        Enumerator::Values(names.into_iter().map(Value::from).collect())
    }
}

/// Hosts as templates see those of others.
fn hosts(scope: &Arc<HostScope>, indexes: &[usize]) -> Value {
    let host = |host: &usize| View { scope: Arc::clone(scope), service: 0, host: *host, view: Names::OtherHost };
    indexes.iter().map(|index| Value::from_object(host(index))).collect()
}
