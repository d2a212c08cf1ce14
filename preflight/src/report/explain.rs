//! `cc-cloud explain`: what a check is, for a person at a terminal.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::entry::{basis, figures, sections};
use super::look::Look;
use crate::about::About;

/// Columns of the headings.
const HEADINGS: usize = 14;

/// One check: what it measures, why, against what, and how to mend what it finds.
pub fn render(about: &About, look: Look) -> String {
    let mut text = String::new();
    for line in look.wrap(&format!("{}: {}", about.id, about.title), 0, 2) {
        let indent = if text.is_empty() { "" } else { "  " };
        let _ = writeln!(text, "{indent}{}", look.bold(&line));
    }
    text.push('\n');
    for section in sections(about) {
        write_section(&mut text, section.heading, &section.text, look);
        if section.heading == "fix" {
            write_thresholds(&mut text, about, look);
        }
    }
    text
}

/// All checks, a line each.
pub fn list(checks: &[&'static About], look: Look) -> String {
    let mut text = String::new();
    let column = checks.iter().map(|about| about.id.width()).max().unwrap_or(0) + 2;
    for about in checks {
        let lines = look.wrap(about.title, column, column);
        for (index, line) in lines.iter().enumerate() {
            let id = if index == 0 { about.id } else { "" };
            let padding = column - id.width();
            let _ =
                writeln!(text, "{}{:padding$}{line}", if id.is_empty() { String::new() } else { look.bold(id) }, "");
        }
    }
    let last = format!("{} checks; `cc-cloud explain ID` says more of one", checks.len());
    let _ = write!(text, "\n{}", look.paragraph(&last, 0));
    text
}

fn write_section(text: &mut String, heading: &str, content: &str, look: Look) {
    let lines = look.wrap(content, HEADINGS, HEADINGS);
    let _ = writeln!(text, "{}{}", look.bold(&format!("{heading:HEADINGS$}")), lines[0]);
    for line in &lines[1..] {
        let _ = writeln!(text, "{:HEADINGS$}{line}", "");
    }
}

fn write_thresholds(text: &mut String, about: &About, look: Look) {
    for (index, threshold) in about.thresholds.iter().enumerate() {
        let heading = if index == 0 { "thresholds" } else { "" };
        write_section(text, heading, &format!("{}: {}", threshold.id, figures(threshold)), look);
        for line in [threshold.doc, &basis(threshold)] {
            text.push_str(&look.paragraph(line, HEADINGS + 2));
        }
    }
}
