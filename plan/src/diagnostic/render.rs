//! Findings for people: message, file:line:column, the line underlined, what to do.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::{Diagnostic, Diagnostics, Severity};
use crate::source::{SourceFile, Sources, Span};

/// Columns that a message needs at least to be wrapped sensibly.
const LEAST_WIDTH: usize = 20;

/// Shows all findings. `width` is the terminal's in columns; text is wrapped and long lines are cut
/// to it. Everything is said without colour too.
pub fn render(diagnostics: &Diagnostics, sources: &Sources, color: bool, width: usize) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width.max(LEAST_WIDTH));
    let mut text = String::new();
    for diagnostic in diagnostics.iter() {
        text.push_str(&renderer.render(&[group(diagnostic, sources, width)]));
        text.push_str("\n\n");
    }
    text
}

fn group<'s>(diagnostic: &'s Diagnostic, sources: &'s Sources, width: usize) -> Group<'s> {
    let (level, name) = match diagnostic.severity {
        Severity::Error => (Level::ERROR, "error: "),
        Severity::Warning => (Level::WARNING, "warning: "),
    };
    let mut group = Group::with_title(level.primary_title(wrap(&diagnostic.message, width, name.len())));
    if let Some(span) = diagnostic.span {
        let file = sources.get(span.file);
        let primary = AnnotationKind::Primary;
        let label = diagnostic.label.as_deref();
        group = match &diagnostic.related {
            _ if diagnostic.conceal => {
                let (line, column) = sources.position(span);
                group.element(Origin::path(file.path.to_string_lossy()).line(line).char_column(column))
            }
            _ if file.text.is_empty() => group.element(Origin::path(file.path.to_string_lossy())),
            Some((other, what)) if other.file == span.file => {
                group.element(snippet(file, &[(span, primary, label), (*other, AnnotationKind::Context, Some(what))]))
            }
            Some((other, what)) => group
                .element(snippet(file, &[(span, primary, label)]))
                .element(snippet(sources.get(other.file), &[(*other, AnnotationKind::Context, Some(what))])),
            None => group.element(snippet(file, &[(span, primary, label)])),
        };
    }
    match &diagnostic.hint {
        Some(hint) => {
            // `  = hint: ` after as many columns as the line numbers take.
            group.element(Level::HELP.with_name("hint").message(wrap(hint, width, 12)))
        }
        None => group,
    }
}

/// The lines of a file that hold the places, and only those: files may be long.
fn snippet<'s>(
    file: &'s SourceFile,
    places: &[(Span, AnnotationKind, Option<&'s str>)],
) -> Snippet<'s, Annotation<'s>> {
    let ranges: Vec<Range<usize>> = places.iter().map(|(span, ..)| visible(*span, &file.text)).collect();
    let start = ranges.iter().map(|range| range.start).min().unwrap_or(0);
    let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
    let start = file.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = file.text[end..].find('\n').map_or(file.text.len(), |at| end + at);
    let line = file.text[..start].matches('\n').count() + 1;
    let annotations = places.iter().zip(ranges).map(|((_, kind, label), range)| {
        let label = label.map(normalize_untrusted_str);
        kind.span(range.start - start..range.end - start).label(label)
    });
    Snippet::source(&file.text[start..end]).line_start(line).path(file.path.to_string_lossy()).annotations(annotations)
}

/// The first line of a place, so that a long entry is not drawn as a whole; cut to whole characters.
fn visible(span: Span, text: &str) -> Range<usize> {
    let whole = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = whole(span.start);
    let end = whole(span.end).max(start);
    let end = text[start..end].find('\n').map_or(end, |at| start + at);
    start..start + text[start..end].trim_end().len()
}

/// Wraps at spaces. `indent` is how many columns stand before the first line.
fn wrap(text: &str, width: usize, indent: usize) -> String {
    let room = width.saturating_sub(indent).max(LEAST_WIDTH);
    let mut wrapped = String::new();
    let mut column = 0;
    for word in normalize_untrusted_str(text).split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > room {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn example() -> (Diagnostics, Sources) {
        let mut sources = Sources::default();
        let environment =
            sources.add("environments/local/environment.yml", "services:\n  web: {on: webworker}\n  db: {on: db}\n");
        let inventory = sources.add("inventories/local.yml", "hosts:\n  web1: {groups: [webworkers]}\n");
        let mut diagnostics = Diagnostics::default();
        let span = Span { file: environment, start: 22, end: 31 };
        diagnostics.push(
            Diagnostic::error(span, "unknown group or host `webworker`")
                .related(Span { file: inventory, start: 26, end: 36 }, "a group of this inventory")
                .hint("did you mean `webworkers`?"),
        );
        diagnostics.push(Diagnostic::warning(Span { file: environment, start: 12, end: 45 }, "a place of two lines"));
        diagnostics.push(Diagnostic::missing_file("there is no inventories/other.yml").hint("write one"));
        (diagnostics, sources)
    }

    #[test]
    fn findings_are_shown_with_their_lines() {
        let (diagnostics, sources) = example();
        insta::assert_snapshot!(render(&diagnostics, &sources, false, 100));
    }

    #[test]
    fn a_narrow_terminal_is_enough() {
        let (diagnostics, sources) = example();
        insta::assert_snapshot!(render(&diagnostics, &sources, false, 40));
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let (diagnostics, sources) = example();
        let colored = render(&diagnostics, &sources, true, 100);
        assert!(colored.contains('\u{1b}'));
        let mut plain = String::new();
        let mut rest = colored.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&plain), words(&render(&diagnostics, &sources, false, 100)));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut sources = Sources::default();
        let file = sources.add("a.yml", "key: \u{1b}[2Jx\n");
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(Diagnostic::error(Span { file, start: 5, end: 10 }, "bad \u{1b}[31m value").hint("\u{7}ring"));
        let text = render(&diagnostics, &sources, false, 80);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }

    #[test]
    fn json_has_the_same_places() {
        let (diagnostics, sources) = example();
        insta::assert_snapshot!(super::super::to_json(&diagnostics, &sources));
    }
}
