//! Names that must exist.

use crate::diagnostic::Diagnostic;
use crate::source::Spanned;
use crate::suggest::closest;

/// An error about a name that nothing has, with what is like it or everything that could stand there. Where nothing could,
/// the caller knows what to do.
pub(super) fn unknown(kind: &str, name: &Spanned<String>, known: &[&str]) -> Diagnostic {
    let error = Diagnostic::error(name.span, format!("unknown {kind} `{}`", name.value));
    match closest(name, known.iter().copied()) {
        Some(similar) => error.hint(format!("did you mean `{similar}`?")),
        None if known.is_empty() => error,
        None => error.hint(format!("known: {}", known.join(", "))),
    }
}
