//! The texts that people wrote into an environment and its inventory.

use cc_plan::node::{Kind, Node};
use cc_plan::source::{Span, Spanned};
use cc_plan::spec::Spec;

/// A text with where it stands.
pub(super) struct Written<'s> {
    /// `services.web.site`.
    pub(super) path: String,
    /// The last key of the path that is a name: `site`.
    pub(super) key: &'s str,
    pub(super) text: &'s str,
    pub(super) span: Span,
    /// Whether it is the name of a secret: `{secret: name}`.
    pub(super) secret: bool,
}

/// All texts: params of services, what others run, addresses and params of hosts, names in the policy.
pub(super) fn texts(spec: &Spec) -> Vec<Written<'_>> {
    let mut all = Vec::new();
    let environment = &spec.environment;
    for service in &environment.services {
        entries(&format!("services.{}", service.name.value), &service.params, &mut all);
    }
    for (name, external) in &environment.external {
        spanned(format!("external.{name}.address"), "address", &external.address, &mut all);
        entries(&format!("external.{name}"), &external.params, &mut all);
    }
    for host in &spec.inventory.hosts {
        if let Some(address) = &host.address {
            spanned(format!("hosts.{}.address", host.name.value), "address", address, &mut all);
        }
        entries(&format!("hosts.{}.params", host.name.value), &host.params, &mut all);
    }
    let policy = &environment.policy.preflight;
    policy.site.iter().for_each(|site| spanned("policy.preflight.site".to_owned(), "site", site, &mut all));
    for site in &policy.alternate_sites {
        spanned("policy.preflight.alternate_sites".to_owned(), "alternate_sites", site, &mut all);
    }
    for address in &policy.egress {
        spanned("policy.preflight.egress".to_owned(), "egress", address, &mut all);
    }
    policy.proxy.iter().for_each(|proxy| spanned("policy.preflight.proxy".to_owned(), "proxy", proxy, &mut all));
    all
}

fn spanned<'s>(path: String, key: &'s str, text: &'s Spanned<String>, all: &mut Vec<Written<'s>>) {
    all.push(Written { path, key, text: &text.value, span: text.span, secret: false });
}

fn entries<'s>(path: &str, entries: &'s [(Spanned<String>, Node)], all: &mut Vec<Written<'s>>) {
    for (name, node) in entries {
        collect(format!("{path}.{}", name.value), &name.value, node, all);
    }
}

fn collect<'s>(path: String, key: &'s str, node: &'s Node, all: &mut Vec<Written<'s>>) {
    match &node.kind {
        Kind::String(text) => all.push(Written { path, key, text, span: node.span, secret: false }),
        Kind::List(items) => items.iter().for_each(|item| collect(path.clone(), key, item, all)),
        Kind::Map(map) => match map.as_slice() {
            [(name, Node { kind: Kind::String(text), span })] if name.value == "secret" => {
                all.push(Written { path, key, text, span: *span, secret: true });
            }
            _ => entries(&path, map, all),
        },
        _ => {}
    }
}
