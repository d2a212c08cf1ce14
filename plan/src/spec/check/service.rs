//! Services: where they stand, what they give their role, what they use.

use std::collections::BTreeSet;

use super::param_value::mismatch;
use super::reference::unknown;
use super::{Draft, Read};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::environment::{SERVICE_KEYS, Service};
use crate::spec::role::ParamType;
use crate::spec::{Environment, Inventory, Role};

pub(super) fn check(draft: &Draft<'_>, found: &mut Diagnostics) {
    let Some(environment) = &draft.environment else { return };
    for service in &environment.value.services {
        let role = draft.roles.get(&service.role.value);
        placement(environment, service, role, draft.inventory.as_ref(), found);
        if let Some(role) = role {
            params(service, role, environment.complete, found);
            uses(draft, environment, service, role, found);
        }
    }
    if let Some(inventory) = &draft.inventory
        && !found.has_errors()
    {
        idle_hosts(&environment.value, &inventory.value, found);
    }
}

fn placement(
    environment: &Read<Environment>,
    service: &Service,
    role: Option<&Read<Role>>,
    inventory: Option<&Read<Inventory>>,
    found: &mut Diagnostics,
) {
    if service.on.is_empty() && environment.complete && !found.has_error_within(service.span) {
        let external = &environment.value.external;
        let offers = role.into_iter().flat_map(|role| &role.value.offers);
        let served = external.contains_key(&service.name.value)
            || offers.into_iter().any(|offer| external.contains_key(&offer.name.value));
        if !served {
            let message = format!("service `{}` is placed on no host", service.name.value);
            let hint = "write `on:` with groups or hosts, or describe under `external` what others run";
            found.push(Diagnostic::error(service.name.span, message).hint(hint));
        }
    }
    let Some(inventory) = inventory.filter(|inventory| inventory.complete) else { return };
    let hosts = &inventory.value.hosts;
    let groups = hosts.iter().flat_map(|host| &host.groups).map(|group| group.value.as_str());
    let known: BTreeSet<&str> = hosts.iter().map(|host| host.name.value.as_str()).chain(groups).collect();
    let known: Vec<&str> = known.into_iter().collect();
    for target in service.on.iter().filter(|target| !known.contains(&target.as_str())) {
        found.push(unknown("group or host", target, &known));
    }
}

fn params(service: &Service, role: &Read<Role>, complete: bool, found: &mut Diagnostics) {
    let (name, params) = (&service.role.value, &role.value.params);
    for (key, node) in &service.params {
        match params.iter().find(|param| param.name.value == key.value) {
            Some(param) => {
                if let Some(mismatch) = mismatch(&param.kind, node) {
                    let what = format!("param `{}` of role `{name}`", key.value);
                    // What should have been a secret's name may be its value.
                    let conceal = param.kind == ParamType::Secret && node.as_map().is_none();
                    let instead = if conceal { "something else".to_owned() } else { node.describe() };
                    let message = format!("{what}: expected {}, found {instead}", mismatch.expected);
                    let error = Diagnostic { hint: mismatch.hint, conceal, ..Diagnostic::error(node.span, message) };
                    found.push(error.related(param.name.span, "declared here"));
                }
            }
            None if role.complete => {
                let known: Vec<&str> =
                    params.iter().map(|param| param.name.value.as_str()).chain(SERVICE_KEYS).collect();
                found.push(unknown(&format!("param of role `{name}`:"), key, &known));
            }
            None => {}
        }
    }
    let given = |name: &str| service.params.iter().any(|(key, _)| key.value == name);
    for param in params {
        let required = param.default.is_none() && !param.optional && !given(&param.name);
        if required && complete && !found.has_error_within(param.name.span) {
            let message = format!("service `{}` needs `{}`", service.name.value, param.name.value);
            let error = Diagnostic::error(service.name.span, message).related(param.name.span, "declared here");
            let example = match param.kind {
                ParamType::Secret => format!("{}: {{secret: name}}", param.name.value),
                _ => format!("{}: …", param.name.value),
            };
            let doc = if param.doc.is_empty() { String::new() } else { format!(" ({})", param.doc) };
            found.push(error.hint(format!("write `{example}`{doc}")));
        }
    }
}

/// What the service says of offers: that its role uses them, and that who is named makes them.
fn uses(
    draft: &Draft<'_>,
    environment: &Read<Environment>,
    service: &Service,
    role: &Read<Role>,
    found: &mut Diagnostics,
) {
    let wanted: Vec<&str> = role.value.uses.iter().map(|wanted| wanted.name.value.as_str()).collect();
    for (offer, target) in &service.uses {
        if role.complete && !wanted.contains(&offer.as_str()) {
            let message = format!("role `{}` does not use `{offer}`", service.role.value);
            let uses = if wanted.is_empty() {
                "it uses nothing".to_owned()
            } else {
                format!("it uses: {}", wanted.join(", "))
            };
            found.push(Diagnostic::error(target.span, message).hint(uses));
            continue;
        }
        let Some(other) = environment.value.services.iter().find(|other| other.name.value == target.value) else {
            continue;
        };
        let Some(role) = draft.roles.get(&other.role.value).filter(|role| role.complete) else { continue };
        if !role.value.offers.iter().any(|made| made.name.value == *offer) {
            let message = format!("service `{}` does not offer `{offer}`", target.value);
            found.push(Diagnostic::error(target.span, message).related(other.name.span, "the service"));
        }
    }
}

fn idle_hosts(environment: &Environment, inventory: &Inventory, found: &mut Diagnostics) {
    let targets: BTreeSet<&str> =
        environment.services.iter().flat_map(|service| &service.on).map(|target| target.value.as_str()).collect();
    for host in &inventory.hosts {
        let names = host.groups.iter().chain([&host.name]);
        if !names.into_iter().any(|name| targets.contains(name.value.as_str())) {
            let message = format!("no service is placed on host `{}`", host.name.value);
            found.push(
                Diagnostic::warning(host.name.span, message).hint("place one on one of its groups, or remove the host"),
            );
        }
    }
}
