//! Where in a file something is written.

use cc_plan::source::{Sources, Span};
use serde::{Deserialize, Serialize};

/// Where in a file something is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file's path, relative to the repository.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The beginning of a span.
    pub fn of(sources: &Sources, span: Span) -> Self {
        let (line, column) = sources.position(span);
        Self { file: sources.get(span.file).path.display().to_string(), line, column }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
