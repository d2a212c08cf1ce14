//! Files that stand beside an environment's: read and checked by the same rules, by whoever needs them.

use std::path::Path;

use serde_json::Value;

use super::conform::conform;
use super::{Context, Invalid};
use crate::diagnostic::Diagnostics;
use crate::node::Node;
use crate::repository::Repository;
use crate::source::Sources;

/// Reads a YAML file and compares it with its schema.
///
/// # Errors
/// [`Invalid`] when it cannot be read, or with everything in which it does not fit.
pub fn read_beside(repository: &Repository<'_>, path: &Path, schema: &Value) -> Result<(Node, Sources), Box<Invalid>> {
    let mut context = Context { repository, sources: Sources::default(), diagnostics: Diagnostics::default() };
    let document = context.read_yaml(path);
    if let Some(document) = &document {
        conform(document, schema, &mut context.diagnostics);
    }
    context.diagnostics.sort();
    match document {
        Some(document) if !context.diagnostics.has_errors() => Ok((document.root, context.sources)),
        _ => Err(Box::new(Invalid { diagnostics: context.diagnostics, sources: context.sources })),
    }
}
