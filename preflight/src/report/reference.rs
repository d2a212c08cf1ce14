//! The reference page of the book, from the same text as `explain`.

use std::fmt::Write as _;

use super::entry::{basis, figures, sections};
use crate::about::About;

const HEAD: &str = "\
<!-- Made from the checks by `UPDATE_DOCS=1 cargo test -p cc-preflight --test reference`; do not edit. -->
# Preflight checks

`cc-cloud <env> preflight` asks each of these. `cc-cloud explain ID` prints the same text. A figure is *documented* where a document
names it, and *proposed* where none does; `policy.preflight.thresholds` of the environment changes either, and the report says so.

";

/// The page.
pub fn render(checks: &[&'static About]) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| check | what must hold | blocks |\n|---|---|---|\n");
    for about in checks {
        let blocks: Vec<&str> = about.blocks.iter().map(|phase| phase.name()).collect();
        let _ = writeln!(
            text,
            "| [`{0}`](#{1}) | {2} | {3} |",
            about.id,
            anchor(about),
            cell(about.title),
            blocks.join(", ")
        );
    }
    for about in checks {
        write_check(&mut text, about);
    }
    text
}

fn write_check(text: &mut String, about: &About) {
    let _ = writeln!(text, "\n## {}\n\n{}.\n", about.id, about.title);
    for section in sections(about) {
        let _ = writeln!(text, "- **{}**: {}", section.heading, prose(&section.text));
    }
    if about.thresholds.is_empty() {
        return;
    }
    text.push_str("\n| threshold | figure | what | from |\n|---|---|---|---|\n");
    for threshold in about.thresholds {
        let (id, figures) = (threshold.id, figures(threshold));
        let _ = writeln!(text, "| `{id}` | {figures} | {} | {} |", cell(threshold.doc), cell(&basis(threshold)));
    }
}

/// As mdBook and GitHub make it of a heading: lower case, without dots.
fn anchor(about: &About) -> String {
    about.id.replace('.', "")
}

fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|")
}

/// Outside of code, a `<` begins a tag and a `*` emphasis.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let shown = parts.map(|(index, part)| match index % 2 {
        0 => part.replace('<', "&lt;").replace('*', "\\*"),
        _ => part.to_owned(),
    });
    shown.collect::<Vec<_>>().join("`")
}
