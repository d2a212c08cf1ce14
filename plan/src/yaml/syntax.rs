//! Errors of the YAML parser in words for people.

use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use super::DEPTH_LIMIT;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// What is wrong with the syntax, where, and what to do about it.
pub(super) fn diagnostic(error: &ScanError, file: FileId, text: &str) -> Diagnostic {
    let start = place(error.marker().byte_offset().unwrap_or(text.len()), text);
    let end = text[start..].chars().next().map_or(start, |character| start + character.len_utf8());
    let (message, hint) = explain(error.kind());
    let diagnostic = Diagnostic::error(Span { file, start, end }, message);
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

/// The nearest place at or before `offset` that shows something: the end of a file has nothing to underline.
fn place(offset: usize, text: &str) -> usize {
    if offset < text.len() && text.is_char_boundary(offset) && !text[offset..].starts_with(['\n', '\r']) {
        return offset;
    }
    let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let trimmed = text[..offset].trim_end();
    trimmed.char_indices().next_back().map_or(0, |(at, _)| at)
}

fn explain(kind: &ErrorKind) -> (String, Option<&'static str>) {
    use ErrorKind as E;
    let (message, hint) = match kind {
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar => {
            return ("a tab cannot indent or separate in YAML".to_owned(), Some("use spaces"));
        }
        E::RecursionLimitExceeded => return (too_deep(), None),
        E::UnclosedQuotedScalar => ("a quoted text is not closed", Some("add the closing quote")),
        E::UnclosedFlowCollection { .. } | E::UnexpectedEofFlowSequence | E::UnexpectedEofFlowMapping => {
            ("a bracket is not closed", Some("add the closing `]` or `}`"))
        }
        E::ExpectedFlowSequenceSeparator => ("expected `,` or `]` in this list", Some("is a closing `]` missing?")),
        E::ExpectedFlowMappingSeparator => ("expected `,` or `}` in this mapping", Some("is a closing `}` missing?")),
        E::MappingValueNotAllowed | E::InvalidColonPlacement => {
            ("a `:` cannot stand here", Some("put text that contains `: ` in quotes; check the indentation"))
        }
        E::UnexpectedCharacter { .. } => {
            return (format!("invalid YAML: {kind}"), Some("put text that begins with a special character in quotes"));
        }
        E::ExpectedBlockMappingKey | E::SimpleKeyExpected | E::InvalidSimpleKey => {
            ("expected `key: value` here", Some("check the indentation, and the `:` after the key"))
        }
        E::InvalidIndentation | E::ExpectedBlockSequenceEntry => {
            ("the indentation does not fit to the lines above", Some("align it with the entries of the same level"))
        }
        _ => return (format!("invalid YAML: {kind}"), None),
    };
    (message.to_owned(), hint)
}

pub(super) fn too_deep() -> String {
    format!("nested deeper than {DEPTH_LIMIT} levels")
}
