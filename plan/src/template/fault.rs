//! From the template engine's errors to findings at the right place.

use std::ops::Range;

use minijinja::{Environment, ErrorKind, Value};

use super::engine::{FUEL, PRINTS_NONE};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources, Span};
use crate::suggest::closest;

/// Why a value could not be had.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The finding has been reported where it arose: in a param that this value uses.
    Reported,
    /// A finding.
    New(Box<Diagnostic>),
}

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::New(Box::new(diagnostic))
    }
}

/// Marks an engine's error whose finding has been reported already.
#[derive(Debug, thiserror::Error)]
#[error("reported already")]
struct Reported;

/// The value that stands for one that could not be had and whose finding has been reported: whoever uses it fails quietly.
pub(crate) fn reported() -> Value {
    Value::from(minijinja::Error::new(ErrorKind::InvalidOperation, "reported already").with_source(Reported))
}

/// What is needed to explain an error.
pub(super) struct Explanation<'a> {
    pub env: &'a Environment<'static>,
    pub sources: &'a Sources,
    /// The file of a role's template, by its name in the environment.
    pub locate: &'a dyn Fn(&str) -> Option<FileId>,
    /// Place of the value that was evaluated.
    pub span: Span,
    /// The value's text, as the engine got it.
    pub text: &'a str,
    /// What it was evaluated in, for suggestions.
    pub context: Option<&'a Value>,
}

impl Explanation<'_> {
    /// The finding for an error.
    pub(super) fn explain(&self, error: &minijinja::Error) -> Fault {
        let chain = chain(error);
        let Some(cause) = chain.last() else { return Fault::Reported };
        let span = chain.iter().rev().find_map(|e| self.place(e)).unwrap_or(self.span);
        let undefined = undefined_in(cause.detail().unwrap_or_default());
        match undefined.filter(|_| cause.kind() != ErrorKind::TemplateNotFound) {
            Some(expression) => self.describe_undefined(expression, self.narrowed(expression, span)).into(),
            None => self.describe(cause, span).into(),
        }
    }

    /// The finding for an expression that gave nothing.
    pub(super) fn undefined(&self, expression: &str) -> Fault {
        self.describe_undefined(expression, self.narrowed(expression, self.span)).into()
    }

    /// The expression's own place near `span`: the engine underlines only the last attribute, or the whole statement.
    fn narrowed(&self, expression: &str, span: Span) -> Span {
        let text = &self.sources.get(span.file).text;
        let touches = |at: usize| at < span.end.max(span.start + 1) && at + expression.len() > span.start;
        let found = text.match_indices(expression).map(|(at, _)| at).find(|at| touches(*at));
        found.map_or(span, |start| Span { file: span.file, start, end: start + expression.len() })
    }

    fn place(&self, error: &minijinja::Error) -> Option<Span> {
        let (name, line) = (error.name().unwrap_or_default(), error.line());
        if let Some(file) = (self.locate)(name) {
            let text = &self.sources.get(file).text;
            let range = error.range().filter(|range| text.get(range.clone()).is_some());
            let range = range.or_else(|| line_range(text, line?))?;
            return Some(Span { file, start: range.start, end: range.end });
        }
        let raw = self.sources.get(self.span.file).text.get(self.span.start..self.span.end)?;
        let range = error.range()?;
        let snippet = self.text.get(range.clone()).filter(|s| !s.trim().is_empty())?;
        // YAML may have folded, indented or escaped the text: the same snippet, counted from the front, is the same place.
        let before = self.text[..range.start].matches(snippet).count();
        let (at, _) = raw.match_indices(snippet).nth(before)?;
        let start = self.span.start + at;
        Some(Span { file: self.span.file, start, end: start + snippet.len() })
    }

    fn describe(&self, error: &minijinja::Error, span: Span) -> Diagnostic {
        let detail = error.detail().unwrap_or_default();
        match error.kind() {
            ErrorKind::UndefinedError => Diagnostic::error(span, "a value here is undefined"),
            ErrorKind::OutOfFuel => {
                Diagnostic::error(span, format!("the template does not end: it was stopped after {FUEL} instructions"))
                    .hint("look for a loop over a very long list, or a macro that calls itself")
            }
            ErrorKind::UnknownFilter => self.unknown(span, "filter", word(detail, 1), super::filter::NAMES),
            ErrorKind::UnknownTest => Diagnostic::error(span, format!("unknown test `{}`", word(detail, 1))),
            ErrorKind::UnknownFunction => self.unknown(span, "function", word(detail, 0), &["range", "dict", "namespace"]),
            ErrorKind::SyntaxError => Diagnostic::error(span, format!("template syntax: {detail}")),
            ErrorKind::TemplateNotFound => {
                let name = detail.split(['"', '\'']).nth(1).unwrap_or(detail);
                Diagnostic::error(span, format!("template `{name}` does not exist"))
                    .hint("a template can include only templates of its own role, named by their path below `templates/`")
            }
            ErrorKind::UnknownMethod => Diagnostic::error(span, format!("{detail}; methods of Python's types do not exist here"))
                .hint("use a filter: `{{ text | upper }}`"),
            _ if detail == PRINTS_NONE => Diagnostic::error(span, PRINTS_NONE)
                .hint("it is optional and was not given: guard it with `{% if … %}` or give a value with `| default('…', true)`"),
            kind if detail.is_empty() => Diagnostic::error(span, kind.to_string()),
            _ if detail == "recursion limit exceeded" => {
                Diagnostic::error(span, "this includes, or calls, itself without an end")
                    .hint("guard it with an `{% if %}` that becomes false")
            }
            _ => match detail.strip_prefix("tried to use ").and_then(|rest| rest.split_once(" operator on unsupported types ")) {
                Some((operator, types)) => operator_fails(span, operator, types),
                None => split_hint(span, detail),
            },
        }
    }

    fn describe_undefined(&self, expression: &str, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(span, format!("`{expression}` is undefined"));
        let (base, name) = match expression.rsplit_once('.') {
            Some((base, name)) => (Some(base), name),
            None => (None, expression),
        };
        let Some(context) = self.context else { return diagnostic };
        let object = match base {
            None => Some(context.clone()),
            Some(base) => {
                self.env.compile_expression_owned(base.to_owned()).ok().and_then(|e| e.eval(context.clone()).ok())
            }
        };
        let Some(keys) = object.and_then(|object| names_in(&object)) else { return diagnostic };
        let shown = |name: &str| base.map_or_else(|| name.to_owned(), |base| format!("{base}.{name}"));
        match closest(name, keys.iter().map(String::as_str)) {
            Some(name) => diagnostic.hint(format!("did you mean `{}`?", shown(name))),
            None if keys.is_empty() => diagnostic,
            None => diagnostic.hint(format!("known: {}", list(&keys, &shown))),
        }
    }

    fn unknown(&self, span: Span, what: &str, name: &str, known: &[&str]) -> Diagnostic {
        let diagnostic = Diagnostic::error(span, format!("unknown {what} `{name}`"));
        match closest(name, known.iter().copied()) {
            Some(known) => diagnostic.hint(format!("did you mean `{known}`?")),
            None => diagnostic,
        }
    }
}

/// The error and what caused it, outermost first; empty when its finding has been reported already.
fn chain(error: &minijinja::Error) -> Vec<&minijinja::Error> {
    let mut chain = vec![error];
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if cause.is::<Reported>() {
            return Vec::new();
        }
        chain.extend(cause.downcast_ref::<minijinja::Error>());
        next = cause.source();
    }
    chain
}

fn names_in(object: &Value) -> Option<Vec<String>> {
    if object.kind() != minijinja::value::ValueKind::Map {
        return None;
    }
    Some(object.try_iter().ok()?.filter_map(|key| key.as_str().map(str::to_owned)).collect())
}

fn list(names: &[String], shown: &dyn Fn(&str) -> String) -> String {
    const MOST: usize = 8;
    let mut text = names.iter().take(MOST).map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text.push_str(&format!(" and {} more", names.len() - MOST));
    }
    text
}

/// A message of our own filters: what is wrong, then after a newline what to do.
fn split_hint(span: Span, detail: &str) -> Diagnostic {
    match detail.split_once('\n') {
        Some((message, hint)) => Diagnostic::error(span, message).hint(hint),
        None => Diagnostic::error(span, detail),
    }
}

fn operator_fails(span: Span, operator: &str, types: &str) -> Diagnostic {
    // The only plain objects in a scope are secrets, and functions, which nobody adds to anything.
    let message = format!("`{operator}` can't be applied to {}", types.replace("plain object", "secret"));
    let diagnostic = Diagnostic::error(span, message);
    if operator == "+" { diagnostic.hint("to join texts of whatever type, write `~`") } else { diagnostic }
}

/// The expression in "`…` is undefined", with which the engine ends a detail when it knows.
fn undefined_in(detail: &str) -> Option<&str> {
    let (before, _) = detail.split_once("` is undefined")?;
    before.rsplit_once('`').map(|(_, expression)| expression)
}

fn word(detail: &str, index: usize) -> &str {
    detail.split_whitespace().nth(index).unwrap_or(detail)
}

fn line_range(text: &str, line: usize) -> Option<Range<usize>> {
    let content = text.split('\n').nth(line.checked_sub(1)?)?;
    let start = content.as_ptr() as usize - text.as_ptr() as usize;
    let indent = content.len() - content.trim_start().len();
    Some(start + indent..start + content.trim_end().len().max(indent))
}
