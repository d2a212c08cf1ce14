//! The names in `secrets/<env>.yml`. Values are sealed there one by one, so that names are readable without a key.

use std::collections::BTreeSet;

use super::Context;
use crate::diagnostic::Diagnostic;

/// The names under `values`; `None` when there is no such file, or it cannot be read, which has been reported.
pub(super) fn load(context: &mut Context<'_>, environment: &str) -> Option<BTreeSet<String>> {
    let path = context.repository.secrets_file(environment);
    if !path.exists() {
        return None;
    }
    let document = context.read_yaml(&path)?;
    match document.root.get("values").map(|values| (values, values.as_map())) {
        Some((_, Some(entries))) => Some(entries.iter().map(|(name, _)| name.value.clone()).collect()),
        Some((values, None)) if values.kind != crate::node::Kind::Null => {
            context.report(Diagnostic::error(values.span, "expected a mapping from names to sealed values"));
            None
        }
        _ => Some(BTreeSet::new()),
    }
}
