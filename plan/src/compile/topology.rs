//! Which services stand on which hosts, what they use of each other, and the stages that follow from it.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Span;
use crate::spec::environment::Service;
use crate::spec::role::Use;
use crate::spec::{Role, Spec};
use crate::suggest::closest;
use crate::template::Fault;

/// Services, hosts and offers by index, so that nothing is looked up by name again.
#[derive(Debug)]
pub(crate) struct Topology {
    /// In environment order.
    pub services: Vec<Placed>,
}

/// A service in its place.
#[derive(Debug)]
pub(crate) struct Placed {
    /// Indexes of its hosts in inventory order.
    pub hosts: Vec<usize>,
    /// What its role's `uses` stand for, in written order.
    pub uses: Vec<Used>,
    /// Indexes of the hosts of services that use it, in inventory order.
    pub clients: Vec<usize>,
    /// Its stage, from 0.
    pub stage: usize,
}

/// An offer that a service uses.
#[derive(Debug)]
pub(crate) struct Used {
    /// The offer's name.
    pub offer: String,
    /// Who makes it; `None` when it is optional and nobody does.
    pub target: Option<Target>,
}

/// Who makes an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A service by index.
    Service(usize),
    /// Something in `external`, by name.
    External(String),
}

impl Topology {
    /// Resolves a spec.
    ///
    /// # Errors
    /// Offers that nobody or several make, services that use each other in a circle.
    pub(crate) fn new(spec: &Spec) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::default();
        let mut report = |fault| {
            if let Fault::New(diagnostic) = fault {
                found.push(*diagnostic);
            }
        };
        let mut services: Vec<Placed> = Vec::new();
        for (index, service) in spec.environment.services.iter().enumerate() {
            let uses = match role_of(spec, service) {
                Ok(role) => role.uses.iter().map(|wanted| resolve(spec, index, wanted)).collect(),
                Err(fault) => vec![Err(fault)],
            };
            let uses = uses.into_iter().filter_map(|used| used.map_err(&mut report).ok());
            services.push(Placed {
                hosts: hosts_of(spec, service),
                uses: uses.collect(),
                clients: Vec::new(),
                stage: 0,
            });
        }
        if let Err(fault) = stages(spec, &mut services) {
            report(fault);
        }
        if found.has_errors() {
            return Err(found);
        }
        for index in 0..services.len() {
            let users = services.iter().filter(|s| s.uses.iter().any(|u| u.target == Some(Target::Service(index))));
            let clients: BTreeSet<usize> = users.flat_map(|user| user.hosts.iter().copied()).collect();
            services[index].clients = clients.into_iter().collect();
        }
        Ok(Self { services })
    }
}

impl Topology {
    /// Indexes of the hosts whose services use one offer of a service, in inventory order.
    pub(crate) fn clients_of(&self, service: usize, offer: &str) -> BTreeSet<usize> {
        let target = Some(Target::Service(service));
        let uses = |placed: &&Placed| placed.uses.iter().any(|used| used.offer == offer && used.target == target);
        self.services.iter().filter(uses).flat_map(|placed| placed.hosts.iter().copied()).collect()
    }
}

impl Placed {
    /// Indexes of the services that it uses, each once, in environment order.
    pub(crate) fn used_services(&self) -> BTreeSet<usize> {
        let indexes = self.uses.iter().filter_map(|used| match &used.target {
            Some(Target::Service(index)) => Some(*index),
            _ => None,
        });
        indexes.collect()
    }
}

/// The role of a service.
pub(crate) fn role_of<'s>(spec: &'s Spec, service: &Service) -> Result<&'s Role, Fault> {
    spec.roles.get(&service.role.value).ok_or_else(|| {
        let diagnostic = Diagnostic::error(service.role.span, format!("unknown role `{}`", service.role.value));
        match closest(&service.role, spec.roles.keys().map(String::as_str)) {
            Some(name) => diagnostic.hint(format!("did you mean `{name}`?")),
            None => diagnostic,
        }
        .into()
    })
}

fn hosts_of(spec: &Spec, service: &Service) -> Vec<usize> {
    let hosts = spec.inventory.hosts.iter().enumerate();
    hosts
        .filter(|(_, host)| {
            service.on.iter().any(|on| on.value == host.name.value || host.groups.iter().any(|g| g.value == on.value))
        })
        .map(|(index, _)| index)
        .collect()
}

fn resolve(spec: &Spec, index: usize, wanted: &Use) -> Result<Used, Fault> {
    let environment = &spec.environment;
    let service = &environment.services[index];
    let offer = &wanted.name.value;
    let used = |target| Ok(Used { offer: offer.clone(), target });
    if let Some(name) = service.uses.get(offer) {
        if let Some(target) = environment.services.iter().position(|s| s.name.value == name.value) {
            return used(Some(Target::Service(target)));
        }
        if environment.external.contains_key(&name.value) {
            return used(Some(Target::External(name.value.clone())));
        }
        let known = environment.services.iter().map(|s| s.name.value.as_str());
        let diagnostic = Diagnostic::error(name.span, format!("`{}` is neither a service nor external", name.value));
        return Err(match closest(name, known.chain(environment.external.keys().map(String::as_str))) {
            Some(name) => diagnostic.hint(format!("did you mean `{name}`?")).into(),
            None => diagnostic.into(),
        });
    }
    let offering: Vec<usize> = (0..environment.services.len())
        .filter(|other| *other != index && offers(spec, &environment.services[*other], offer))
        .collect();
    match offering.as_slice() {
        [one] => used(Some(Target::Service(*one))),
        [] if environment.external.contains_key(offer) => used(Some(Target::External(offer.clone()))),
        [] if wanted.optional => used(None),
        [] => Err(nobody(spec, service, wanted)),
        several => {
            let names: Vec<&str> = several.iter().map(|i| environment.services[*i].name.value.as_str()).collect();
            let message = format!("several services offer `{offer}`: {}", names.join(", "));
            let hint = format!("say which one `{}` uses: `uses: {{{offer}: {}}}`", service.name.value, names[0]);
            Err(Diagnostic::error(service.name.span, message).hint(hint).into())
        }
    }
}

fn offers(spec: &Spec, service: &Service, offer: &str) -> bool {
    spec.roles.get(&service.role.value).is_some_and(|role| role.offers.iter().any(|o| o.name.value == offer))
}

fn nobody(spec: &Spec, service: &Service, wanted: &Use) -> Fault {
    let offer = &wanted.name.value;
    let mut diagnostic = if offers(spec, service, offer) {
        let message = format!("service `{}` uses `{offer}`, which only it itself offers", service.name.value);
        Diagnostic::error(service.name.span, message)
            .hint(format!("remove `{offer}` from the `uses` of role `{}`", service.role.value))
    } else {
        let message = format!("service `{}` uses `{offer}`, which nothing offers", service.name.value);
        Diagnostic::error(service.name.span, message)
            .hint(format!("place a service whose role offers `{offer}`, or describe it under `external:`"))
    };
    diagnostic.related = Some((wanted.name.span, "used here".to_owned()));
    diagnostic.into()
}

/// Longest paths: a service's stage is one more than the highest stage of what it uses.
fn stages(spec: &Spec, services: &mut [Placed]) -> Result<(), Fault> {
    let uses: Vec<Vec<usize>> = services.iter().map(|s| s.used_services().into_iter().collect()).collect();
    let mut stage: Vec<Option<usize>> = vec![None; services.len()];
    for (index, service) in services.iter_mut().enumerate() {
        let mut path = Vec::new();
        service.stage = longest(index, &uses, &mut stage, &mut path).map_err(|circle| -> Fault {
            let names: Vec<&str> = circle.iter().map(|i| spec.environment.services[*i].name.value.as_str()).collect();
            let span: Span = spec.environment.services[circle[0]].name.span;
            Diagnostic::error(span, format!("services use each other in a circle: {}", names.join(" → ")))
                .hint("one of them must do without the other, or take it from `external:`")
                .into()
        })?;
    }
    Ok(())
}

fn longest(
    index: usize,
    uses: &[Vec<usize>],
    stage: &mut [Option<usize>],
    path: &mut Vec<usize>,
) -> Result<usize, Vec<usize>> {
    if let Some(known) = stage[index] {
        return Ok(known);
    }
    if let Some(start) = path.iter().position(|on_path| *on_path == index) {
        let mut circle = path[start..].to_vec();
        circle.push(index);
        return Err(circle);
    }
    path.push(index);
    let mut result = 0;
    for used in &uses[index] {
        result = result.max(longest(*used, uses, stage, path)? + 1);
    }
    path.pop();
    stage[index] = Some(result);
    Ok(result)
}
