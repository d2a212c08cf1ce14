//! The names in `secrets/<env>.yml`. Values are sealed there one by one, so that names are readable without a key.

use super::Context;
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::spec::check::SecretNames;

/// The names under `values`.
pub(super) fn load(context: &mut Context<'_>, environment: &str) -> SecretNames {
    let path = context.repository.secrets_file(environment);
    if !path.exists() {
        return SecretNames::NoFile;
    }
    let Some(document) = context.read_yaml(&path) else { return SecretNames::Unreadable };
    if !document.complete {
        return SecretNames::Unreadable;
    }
    match document.root.get("values") {
        None | Some(Node { kind: Kind::Null, .. }) => SecretNames::Names(std::collections::BTreeSet::new()),
        Some(values) => match values.as_map() {
            Some(entries) => SecretNames::Names(entries.iter().map(|(name, _)| name.value.clone()).collect()),
            None => {
                context.report(Diagnostic::error(values.span, "expected a mapping from names to sealed values"));
                SecretNames::Unreadable
            }
        },
    }
}
