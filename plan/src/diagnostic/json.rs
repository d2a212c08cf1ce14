//! Findings for programs.

use serde_json::{Map, Value, json};

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::{Sources, Span};

/// One JSON object a line: `severity`, `message`, and where known `file`, `line`, `column`, `end` (`line` and `column` after
/// the last character), `label`, `hint`, `related` (the same for the other place). Lines and columns count from 1.
pub fn to_json(diagnostics: &Diagnostics, sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| format!("{}\n", object(diagnostic, sources))).collect()
}

fn object(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut object = Map::new();
    object.insert("severity".to_owned(), json!(severity));
    object.insert("message".to_owned(), json!(diagnostic.message));
    if let Some(span) = diagnostic.span {
        object.extend(place(span, sources));
    }
    for (key, text) in [("label", &diagnostic.label), ("hint", &diagnostic.hint)] {
        if let Some(text) = text {
            object.insert(key.to_owned(), json!(text));
        }
    }
    if let Some((span, what)) = &diagnostic.related {
        let mut related = place(*span, sources);
        related.insert("message".to_owned(), json!(what));
        object.insert("related".to_owned(), Value::Object(related));
    }
    Value::Object(object)
}

fn place(span: Span, sources: &Sources) -> Map<String, Value> {
    let (line, column) = sources.position(span);
    let (end_line, end_column) = sources.position(Span { start: span.end, ..span });
    let file = sources.get(span.file).path.display().to_string();
    let mut place = Map::new();
    place.insert("file".to_owned(), json!(file));
    place.insert("line".to_owned(), json!(line));
    place.insert("column".to_owned(), json!(column));
    place.insert("end".to_owned(), json!({"line": end_line, "column": end_column}));
    place
}
