//! MiniJinja with strict undefined, typed values and secrets that print as tokens.
//!
//! What people write in `role.yml` and `environment.yml` becomes a [`Compiled`] value: a constant, one `{{ expression }}`
//! that keeps its type, or text with pieces in it. Files under `templates/` are rendered whole. In both, `{% … %}` on a line
//! of its own leaves no trace (`trim_blocks`, `lstrip_blocks`), the newline at the end of a file stays, nothing is escaped
//! for HTML, an undefined name is an error, and so is printing a value that is none.
//!
//! A template reaches nothing but its scope and the templates of its own role, and runs out of fuel when it does not end.

mod compiled;
mod engine;
mod fault;
mod filter;
mod json;
mod secret_filter;
mod secret_value;

pub use compiled::Compiled;
pub use engine::Engine;
pub use fault::Fault;
pub use json::to_json;
pub use secret_value::SecretValue;

pub(crate) use engine::secret_reference;
pub(crate) use fault::reported;
