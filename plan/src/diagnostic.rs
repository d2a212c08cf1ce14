//! What is wrong in the files, where, and what to do: collected, never just the first.

mod json;
mod render;

pub use json::to_json;
pub use render::render;

use crate::counted;
use crate::source::Span;

/// Findings that are kept: nobody reads more, and a file of another kind has very many.
const LIMIT: usize = 500;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The environment cannot be compiled.
    Error,
    /// It can, but it is probably not what was meant.
    Warning,
}

/// One finding about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, one sentence without a full stop: "unknown group `webworker`".
    pub message: String,
    /// Where; `None` only for a file that is missing as a whole.
    pub span: Option<Span>,
    /// Text under the underlined place, when it adds something.
    pub label: Option<String>,
    /// Another place that belongs to it, with what it is: "first defined here".
    pub related: Option<(Span, String)>,
    /// What to do: "did you mean `webworkers`?".
    pub hint: Option<String>,
    /// Show the place, but not what is written there: it may be a secret.
    pub conceal: bool,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            span: Some(span),
            label: None,
            related: None,
            hint: None,
            conceal: false,
        }
    }

    /// An error about a file that is missing or cannot be read as a whole: the message names it.
    pub fn missing_file(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            span: None,
            label: None,
            related: None,
            hint: None,
            conceal: false,
        }
    }

    /// Something that is probably not meant.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// Adds another place that belongs to it.
    #[must_use]
    pub fn related(mut self, span: Span, what: impl Into<String>) -> Self {
        self.related = Some((span, what.into()));
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// "2 errors and 1 warning"; empty when nothing was found.
    pub fn summary(&self) -> String {
        let counts = [(Severity::Error, "error"), (Severity::Warning, "warning")].map(|(severity, noun)| {
            let count = self.0.iter().filter(|d| d.severity == severity).count();
            (count > 0).then(|| counted(count, noun))
        });
        counts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }

    /// Whether an error has been found inside of a place: what is missing there may be what the error is about.
    pub fn has_error_within(&self, place: Span) -> bool {
        let inside = |span: Span| span.file == place.file && span.start >= place.start && span.end <= place.end;
        self.iter().any(|d| d.severity == Severity::Error && d.span.is_some_and(inside))
    }

    /// By file and place, each once. Where there is an error, a warning has nothing to add.
    pub(crate) fn sort(&mut self) {
        let errors: Vec<_> = self.0.iter().filter(|d| d.severity == Severity::Error).map(|d| d.span).collect();
        self.0.retain(|d| d.severity == Severity::Error || !errors.contains(&d.span));
        self.0.sort_by_key(|d| d.span.map(|span| (span.file, span.start)));
        self.0.dedup();
        if self.0.len() > LIMIT {
            let rest = self.0.split_off(LIMIT).len();
            self.push(
                Diagnostic::missing_file(format!("{rest} more findings are not shown")).hint("correct these first"),
            );
        }
    }

    /// By file and place after [`crate::spec::load`], otherwise as they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}
