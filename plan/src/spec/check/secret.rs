//! Secrets that are used must have a value.

use std::collections::BTreeSet;

use super::param_value::secret_name;
use super::{Draft, SecretNames};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Kind, Node};
use crate::source::Spanned;
use crate::suggest::closest;

/// Every place that refers to a secret, in the order of the files.
pub(in crate::spec) fn used(draft: &Draft<'_>) -> Vec<Spanned<String>> {
    let mut used = Vec::new();
    if let Some(environment) = &draft.environment {
        let environment = &environment.value;
        environment.services.iter().flat_map(|service| &service.params).for_each(|(_, node)| collect(node, &mut used));
        environment
            .external
            .values()
            .flat_map(|external| &external.params)
            .for_each(|(_, node)| collect(node, &mut used));
        environment.verify.iter().for_each(|node| collect(node, &mut used));
    }
    for role in draft.roles.values() {
        role.value.params.iter().filter_map(|param| param.default.as_ref()).for_each(|node| collect(node, &mut used));
    }
    used
}

/// Findings about secrets that have no value. They are kept apart, because much can be done before secrets are set.
pub(in crate::spec) fn check(draft: &Draft<'_>, used: &[Spanned<String>]) -> Diagnostics {
    let mut found = Diagnostics::default();
    let environment = draft.name;
    let mut reported = BTreeSet::new();
    for name in used {
        if !reported.insert(name.value.clone()) {
            continue;
        }
        let message = match &draft.secrets {
            SecretNames::Unreadable => return found,
            SecretNames::NoFile => {
                format!("the secret `{}` has no value: there is no secrets/{environment}.yml", name.value)
            }
            SecretNames::Names(names) if names.contains(&name.value) => continue,
            SecretNames::Names(_) => format!("the secret `{}` is not in secrets/{environment}.yml", name.value),
        };
        let similar = match &draft.secrets {
            SecretNames::Names(names) => closest(name, names.iter().map(String::as_str)),
            _ => None,
        };
        let hint = match similar {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("set it with `cc-cloud {environment} secrets set {}`", name.value),
        };
        found.push(Diagnostic::error(name.span, message).hint(hint));
    }
    found
}

/// Every `{secret: name}` at any depth.
fn collect(node: &Node, used: &mut Vec<Spanned<String>>) {
    if let Some(name) = secret_name(node) {
        used.extend(name.as_str().map(|text| Spanned::new(text.to_owned(), name.span)));
        return;
    }
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| collect(item, used)),
        Kind::Map(entries) => entries.iter().for_each(|(_, node)| collect(node, used)),
        _ => {}
    }
}
