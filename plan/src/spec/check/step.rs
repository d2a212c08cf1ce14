//! The resources and handlers of a role.

use std::collections::BTreeMap;

use super::param_value::is_template;
use super::reference::unknown;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::Kind;
use crate::schema::ResourceRule;
use crate::source::Spanned;
use crate::spec::Role;
use crate::spec::role::ResourceSpec;

pub(super) fn check(role: &Role, complete: bool, found: &mut Diagnostics) {
    for resource in &role.resources {
        rules(resource, false, found);
        expression(resource, found);
    }
    for (_, handler) in &role.handlers {
        rules(handler, true, found);
        expression(handler, found);
    }
    identities(role, found);
    if complete {
        role.resources
            .iter()
            .chain(role.handlers.iter().map(|(_, handler)| handler))
            .for_each(|r| source(role, r, found));
        requirements(role, found);
    }
}

/// The name that `requires` and messages use.
fn label(resource: &ResourceSpec) -> String {
    format!("{}:{}", resource.type_name.value, identity(resource))
}

fn identity(resource: &ResourceSpec) -> String {
    match &resource.identity.kind {
        Kind::String(text) => text.clone(),
        Kind::Int(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The rules of the resource's type. A restart or reload is enough for a handler.
fn rules(resource: &ResourceSpec, is_handler: bool, found: &mut Diagnostics) {
    let field = |name: &str| resource.fields.iter().find(|(key, _)| key.value == name).map(|(_, node)| node);
    let state = field("state");
    if state.is_some_and(|state| is_template(state) || state.as_str() == Some("absent")) {
        return;
    }
    if is_handler && (field("restart").is_some() || field("reload").is_some()) {
        return;
    }
    if found.has_error_within(resource.span) {
        return;
    }
    let has = |name: &str| field(name).is_some_and(|node| node.kind != Kind::Null);
    for rule in ResourceRule::of(&resource.type_name) {
        if let Some(violation) = rule.violation(has) {
            let message = format!("{} `{}` {violation}", resource.type_name.value, identity(resource));
            found.push(Diagnostic::error(resource.type_name.span, message).hint(rule.hint));
        }
    }
}

/// A literal `source` must be a template or file of the role. Folders and application files come from elsewhere.
fn source(role: &Role, resource: &ResourceSpec, found: &mut Diagnostics) {
    let kind = resource.type_name.value.as_str();
    let key = if kind == "apt_repository" { "key_source" } else { "source" };
    if !matches!(kind, "template" | "file" | "unit" | "block" | "apt_repository") {
        return;
    }
    let Some(node) = resource.fields.iter().find(|(name, _)| name.value == key).map(|(_, node)| node) else { return };
    let Some(name) = node.as_str().filter(|_| !is_template(node)) else { return };
    let templates = role.templates.keys().map(String::as_str);
    let files = role.files.keys().map(String::as_str);
    let name = Spanned::new(name.to_owned(), node.span);
    let (what, folder, known): (&str, &str, Vec<&str>) = match kind {
        "template" => ("template", "templates", templates.collect()),
        "apt_repository" | "file" => ("file", "files", files.collect()),
        _ => ("template or file", "files", templates.chain(files).collect()),
    };
    if known.contains(&name.as_str()) {
        return;
    }
    let error = unknown(what, &name, &known);
    found.push(match known.is_empty() {
        true => error.hint(format!("the role has none: put it into roles/{}/{folder}/{}", role.name.value, name.value)),
        false => error,
    });
}

/// `when` and `each` are expressions already: braces around them would make text, which is always true.
fn expression(resource: &ResourceSpec, found: &mut Diagnostics) {
    let each = resource.each.as_ref().and_then(|each| each.as_str().map(|text| (text, each.span, "each")));
    let when = resource.when.as_ref().map(|when| (when.as_str(), when.span, "when"));
    for (text, span, key) in when.into_iter().chain(each) {
        let Some(inner) = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) else { continue };
        let error = Diagnostic::error(span, format!("`{key}` is an expression, not a template"));
        found.push(error.hint(format!("write `{key}: {}`", inner.trim())));
    }
}

/// Two steps of one identity would undo each other. With `when`, each may be for other hosts.
fn identities(role: &Role, found: &mut Diagnostics) {
    let mut seen: BTreeMap<(&str, String), &ResourceSpec> = BTreeMap::new();
    for resource in role.resources.iter().filter(|resource| resource.when.is_none()) {
        // A template becomes a file: both at one path are one file.
        let kind = if resource.type_name.value == "template" { "file" } else { &resource.type_name.value };
        let identity = identity(resource);
        if identity.is_empty() || (resource.each.is_some() && is_template(&resource.identity)) {
            continue;
        }
        // Lines and blocks share a file; what tells them apart is another field.
        let part = match kind {
            "line" => Some("text"),
            "block" => Some("name"),
            "postgres_extension" => Some("database"),
            _ => None,
        };
        let part = part.and_then(|part| resource.fields.iter().find(|(key, _)| key.value == part));
        let part = part.and_then(|(_, node)| node.as_str()).unwrap_or_default();
        if let Some(first) = seen.insert((kind, format!("{identity}\0{part}")), resource) {
            let message = format!("{} is described twice", label(resource));
            let error = Diagnostic::error(resource.identity.span, message);
            found.push(error.related(first.identity.span, "first described here").hint("make one of both"));
        }
    }
}

fn requirements(role: &Role, found: &mut Diagnostics) {
    let labels: Vec<String> = role.resources.iter().map(label).collect();
    let known: Vec<&str> = labels.iter().map(String::as_str).collect();
    for (index, resource) in role.resources.iter().enumerate() {
        for name in &resource.requires {
            if name.contains("{{") {
                continue;
            }
            match known.iter().position(|label| *label == name.value) {
                None => found.push(unknown("step", name, &known)),
                Some(at) if at >= index => {
                    let what = if at == index { "itself" } else { "a later step" };
                    let error = Diagnostic::error(name.span, format!("{} requires {what}", label(resource)));
                    let error = error.related(role.resources[at].identity.span, "the required step");
                    found.push(error.hint("steps of a role apply in written order"));
                }
                Some(_) => {}
            }
        }
    }
}
