//! A role by itself: its name, its params, and the names that its steps refer to.

use std::collections::BTreeMap;

use super::param_value::mismatch;
use super::reference::unknown;
use super::{Read, step};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::Role;
use crate::spec::environment::SERVICE_KEYS;
use crate::spec::role::{Param, ParamType};

pub(super) fn check(folder: &str, role: &Read<Role>, found: &mut Diagnostics) {
    let Read { value: role, complete } = role;
    if !role.name.value.is_empty() && role.name.value != folder {
        let message = format!("the role is called `{}`, but its folder `{folder}`", role.name.value);
        found.push(Diagnostic::error(role.name.span, message).hint(format!("write `role: {folder}`")));
    }
    role.params.iter().for_each(|param| check_param(param, found));
    twice(role.offers.iter().map(|offer| &offer.name), "offer", found);
    twice(role.uses.iter().map(|wanted| &wanted.name), "used offer", found);
    step::check(role, *complete, found);
    let handlers: Vec<&str> = role.handlers.iter().map(|(name, _)| name.value.as_str()).collect();
    let notified: Vec<&Spanned<String>> = role.resources.iter().flat_map(|resource| &resource.notify).collect();
    if *complete {
        let unknown_names: Vec<_> = notified.iter().filter(|name| !handlers.contains(&name.as_str())).collect();
        unknown_names.iter().for_each(|name| found.push(unknown_handler(name, &handlers)));
        let is_notified = |name: &str| notified.iter().any(|notified| notified.value == name);
        for (name, _) in role.handlers.iter().filter(|(name, _)| unknown_names.is_empty() && !is_notified(name)) {
            let message = format!("no resource notifies handler `{}`", name.value);
            let hint = format!("write `notify: {}`, or remove it", name.value);
            found.push(Diagnostic::warning(name.span, message).hint(hint));
        }
    }
}

fn unknown_handler(name: &Spanned<String>, handlers: &[&str]) -> Diagnostic {
    let error = unknown("handler", name, handlers);
    if handlers.is_empty() {
        let example = format!("`{}: {{service: NAME, restart: true}}`", name.value);
        return error.hint(format!("the role has no handlers: write one below `handlers:`, such as {example}"));
    }
    error
}

fn check_param(param: &Param, found: &mut Diagnostics) {
    let name = &param.name;
    if SERVICE_KEYS.contains(&name.as_str()) {
        let message = format!("a param cannot be called `{}`: that is a key of every service", name.value);
        found.push(Diagnostic::error(name.span, message).hint("choose another name"));
    }
    if param.kind == ParamType::Enum(Vec::new()) {
        let error = Diagnostic::error(name.span, format!("param `{}` has no values", name.value));
        found.push(error.hint("write `values: [first, second]`"));
        return;
    }
    let Some(default) = &param.default else { return };
    if let Some(mismatch) = mismatch(&param.kind, default) {
        let found_instead = default.describe();
        let message = format!("the default of `{}`: expected {}, found {found_instead}", name.value, mismatch.expected);
        found.push(Diagnostic { hint: mismatch.hint, ..Diagnostic::error(default.span, message) });
    }
}

fn twice<'n>(names: impl Iterator<Item = &'n Spanned<String>>, kind: &str, found: &mut Diagnostics) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for name in names {
        if let Some(first) = seen.insert(name, name.span) {
            let message = format!("{kind} `{}` is written twice", name.value);
            found.push(Diagnostic::error(name.span, message).related(first, "first written here"));
        }
    }
}
