//! Everything that is the same for all hosts of one compilation.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use cc_agent::facts::Facts;
use minijinja::Value;

use super::Known;
use super::content::Blob;
use super::topology::Topology;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Kind, Node};
use crate::source::Spanned;
use crate::spec::Spec;
use crate::spec::environment::External;
use crate::template::{Engine, Fault, secret_reference};

/// Everything that is the same for all hosts of one compilation.
#[derive(Debug)]
pub(crate) struct World {
    pub spec: Arc<Spec>,
    pub known: Known,
    pub engine: Engine,
    pub topology: Topology,
    /// Every secret that the environment names.
    pub secrets: BTreeSet<String>,
    /// `environment` in templates.
    pub environment: Value,
    /// `groups` in templates.
    pub groups: Value,
    /// `service` in the templates of each service.
    pub service: Vec<Value>,
    /// Facts of each host, when they are known.
    pub facts: Vec<Option<Facts>>,
    /// Hosts by name.
    pub host_index: HashMap<String, usize>,
    /// Services by name.
    pub service_index: HashMap<String, usize>,
    /// `host.params` of each host.
    pub host_params: Vec<Value>,
    /// `external.<name>` in templates.
    pub external: BTreeMap<String, ExternalValue>,
    /// Folders of the operator's machine that were read, by path and patterns.
    trees: Mutex<HashMap<TreeKey, Result<Blob, Fault>>>,
}

/// A folder, and the patterns of what is left out.
type TreeKey = (String, Vec<String>);

/// Something external, as templates see it.
#[derive(Debug)]
pub(crate) struct ExternalValue {
    pub address: Value,
    pub port: Value,
    pub params: Value,
    /// All of it, params beside address and port.
    pub flat: Value,
}

impl World {
    /// Resolves what does not depend on the host.
    ///
    /// # Errors
    /// Findings of services and their uses, and templates where only plain values may stand.
    pub(crate) fn new(spec: &Spec, known: &Known) -> Result<Self, Diagnostics> {
        let spec = Arc::new(spec.clone());
        let topology = Topology::new(&spec)?;
        let engine = Engine::new(Arc::clone(&spec));
        let mut found = Diagnostics::default();
        let hosts = &spec.inventory.hosts;
        let host_params = hosts.iter().map(|host| plain_map(&engine, &host.params, &mut found)).collect();
        let external = spec.environment.external.iter();
        let external = external.map(|(name, e)| (name.clone(), ExternalValue::new(&engine, e, &mut found))).collect();
        if found.has_errors() {
            return Err(found);
        }
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for host in hosts {
            for group in &host.groups {
                groups.entry(group).or_default().push(&host.name);
            }
        }
        let groups = Value::from_pairs(
            groups.iter().map(|(name, hosts)| (*name, Value::from_iter(hosts.iter().copied().map(Value::from)))),
        );
        let size = serde_json::to_value(spec.environment.size).unwrap_or_default();
        let environment = Value::from_pairs([
            ("name", Value::from(spec.environment.name.value.as_str())),
            ("size", Value::from(size.as_str().unwrap_or_default())),
        ]);
        let services = &spec.environment.services;
        Ok(Self {
            known: known.clone(),
            engine,
            topology,
            secrets: named_secrets(&spec),
            environment,
            groups,
            service: services.iter().map(|s| Value::from_pairs([("name", s.name.value.as_str())])).collect(),
            facts: hosts.iter().map(|host| known.facts.get(&host.name.value).cloned()).collect(),
            host_index: hosts.iter().enumerate().map(|(index, host)| (host.name.value.clone(), index)).collect(),
            service_index: services.iter().enumerate().map(|(index, s)| (s.name.value.clone(), index)).collect(),
            host_params,
            external,
            trees: Mutex::default(),
            spec,
        })
    }

    /// A host's address, when the inventory or its provider has given one.
    pub(crate) fn address(&self, host: usize) -> Option<&str> {
        let host = &self.spec.inventory.hosts[host];
        let written = host.address.as_ref().map(|address| address.value.as_str());
        written.or_else(|| self.known.addresses.get(&host.name.value).map(String::as_str))
    }
}

impl World {
    /// A folder's archive, made once.
    pub(crate) fn tree(
        &self,
        source: &str,
        patterns: &[String],
        make: impl FnOnce() -> Result<Blob, Fault>,
    ) -> Result<Blob, Fault> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.entry((source.to_owned(), patterns.to_vec())).or_insert_with(make).clone()
    }
}

impl ExternalValue {
    fn new(engine: &Engine, external: &External, found: &mut Diagnostics) -> Self {
        let address = Value::from(external.address.value.as_str());
        let port = external.port.map_or(Value::from(()), Value::from);
        let params = plain_map(engine, &external.params, found);
        let own =
            external.params.iter().filter_map(|(key, _)| Some((key.value.clone(), params.get_attr(&key.value).ok()?)));
        let fixed = [("address".to_owned(), address.clone()), ("port".to_owned(), port.clone())];
        let flat = Value::from_pairs(fixed.into_iter().chain(own));
        Self { address, port, params, flat }
    }
}

/// The names in every `{secret: name}`.
fn named_secrets(spec: &Spec) -> BTreeSet<String> {
    fn collect(node: &Node, names: &mut BTreeSet<String>) {
        if let Some(name) = secret_reference(node) {
            names.insert(name.to_owned());
        }
        match &node.kind {
            Kind::List(items) => items.iter().for_each(|item| collect(item, names)),
            Kind::Map(entries) => entries.iter().for_each(|(_, item)| collect(item, names)),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    let services = spec.environment.services.iter().flat_map(|service| &service.params);
    let external = spec.environment.external.values().flat_map(|external| &external.params);
    let hosts = spec.inventory.hosts.iter().flat_map(|host| &host.params);
    services.chain(external).chain(hosts).for_each(|(_, node)| collect(node, &mut names));
    let defaults = spec.roles.values().flat_map(|role| &role.params).filter_map(|param| param.default.as_ref());
    defaults.for_each(|node| collect(node, &mut names));
    names
}

/// Values in which no template may stand: they are read before any scope exists.
fn plain_map(engine: &Engine, entries: &[(Spanned<String>, Node)], found: &mut Diagnostics) -> Value {
    let mut pairs = Vec::new();
    for (key, node) in entries {
        match engine.compile_param("", node).map(|compiled| (compiled.as_constant().cloned(), compiled.span())) {
            Ok((Some(value), _)) => pairs.push((key.value.clone(), value)),
            Ok((None, _)) => found.push(
                Diagnostic::error(first_template(node).span, "templates are not rendered here")
                    .hint("write a plain value; roles and services can compute with it"),
            ),
            Err(Fault::New(diagnostic)) => found.push(*diagnostic),
            Err(Fault::Reported) => {}
        }
    }
    Value::from_pairs(pairs)
}

fn first_template(node: &Node) -> &Node {
    let inside: Vec<&Node> = match &node.kind {
        Kind::List(items) => items.iter().collect(),
        Kind::Map(entries) => entries.iter().map(|(_, item)| item).collect(),
        _ => return node,
    };
    let is_template = |node: &&&Node| match &node.kind {
        Kind::String(text) => text.contains("{{") || text.contains("{%"),
        Kind::List(_) | Kind::Map(_) => true,
        _ => false,
    };
    inside.iter().find(is_template).map_or(node, |inner| first_template(inner))
}
