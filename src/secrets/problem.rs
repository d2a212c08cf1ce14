//! Something wrong with a secrets file.

use std::fmt;

pub use cc_plan::diagnostic::Severity;

/// One thing that is wrong with a secrets file, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Line in the file, from 1; `None` when it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, one sentence without a full stop. Never holds a secret value.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// An error at a line.
    pub fn error(line: impl Into<Option<usize>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, line: line.into(), message: message.into(), hint: None }
    }

    /// A warning at a line.
    pub fn warning(line: impl Into<Option<usize>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(line, message) }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
