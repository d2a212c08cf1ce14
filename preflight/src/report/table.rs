//! For a person at a terminal: hosts with the worst findings first, what to do below each.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::Report;
use super::group::Group;
use super::look::Look;
use super::mark::Mark;
use super::plain::one_line;
use super::sentences::remarks;
use super::summary::counts;
use crate::finding::Finding;

/// Narrowest terminal on which ids and what was observed stand side by side, in columns.
const SIDE_BY_SIDE: usize = 64;
/// Columns before the id: two of indent, glyph, space, the longest verdict, two of space.
const BEFORE_ID: usize = 12;
/// Longest text of a tool that is shown, in characters; `--json` and the other reports have all of it.
const LONGEST: usize = 240;

/// What was found. Passes and skips are only counted unless `all`.
pub fn render(report: &Report, look: Look, all: bool) -> String {
    let mut text = String::new();
    let shown = |finding: &&&Finding| all || !Mark::of(finding).is_good();
    let groups = report.groups();
    let ids = groups.iter().flat_map(|group| group.findings.iter().filter(shown)).map(|finding| finding.id.width());
    let column = ids.max().unwrap_or(0);
    for group in &groups {
        write_heading(&mut text, group, look);
        for finding in group.findings.iter().filter(shown) {
            write_finding(&mut text, finding, column, look, all);
        }
    }
    if !groups.is_empty() {
        text.push('\n');
    }
    write_deviations(&mut text, report, look);
    write_summary(&mut text, report, look);
    text
}

fn write_heading(text: &mut String, group: &Group<'_>, look: Look) {
    if !text.is_empty() {
        text.push('\n');
    }
    let (name, counts) = (one_line(group.name()), counts(|mark| group.count(mark)));
    let fits = name.width() + 2 + counts.width() <= look.width;
    let _ = if fits {
        writeln!(text, "{}  {}", look.bold(&name), look.dim(&counts))
    } else {
        let name = look.wrap(&name, 0, 0).join("\n");
        writeln!(text, "{}\n{}", look.bold(&name), look.dim(look.paragraph(&counts, 2).trim_end()))
    };
}

/// One finding: verdict, id, observed → expected; below it what belongs to it, a line each.
fn write_finding(text: &mut String, finding: &Finding, column: usize, look: Look, all: bool) {
    let mark = Mark::of(finding);
    let verdict = look.mark(mark, &format!("{} {:<6}", mark.glyph(), mark.name()));
    let id = one_line(&finding.id);
    let sentence = sentence(finding, all);
    let beside = look.width >= SIDE_BY_SIDE;
    let indent = if beside { BEFORE_ID + column + 2 } else { 4 };
    if beside {
        let lines = look.wrap(&sentence, indent, indent);
        let _ = writeln!(text, "  {verdict}  {id}{:gap$}{}", "", lines[0], gap = column + 2 - id.width().min(column));
        for line in &lines[1..] {
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    } else {
        let _ = writeln!(text, "  {verdict}  {id}");
        text.push_str(&look.paragraph(&sentence, indent));
    }
    for remark in remarks(finding) {
        let lines = look.wrap(&remark, indent, indent + 2);
        let _ = writeln!(text, "{:indent$}{}", "", lines[0]);
        for line in &lines[1..] {
            let _ = writeln!(text, "{:1$}{line}", "", indent + 2);
        }
    }
}

/// `→ db1: blocked → open`: the other host of a pair, what was observed and what is expected.
fn sentence(finding: &Finding, all: bool) -> String {
    let cut = |text: &str| {
        let text = one_line(text);
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) if !all => format!("{}… (cut: --json has all of it)", &text[..end]),
            _ => text,
        }
    };
    let mut sentence = String::new();
    if let Some(to) = &finding.to {
        let _ = write!(sentence, "→ {}: ", one_line(to));
    }
    sentence.push_str(&cut(&finding.observed));
    if !finding.expected.is_empty() {
        let _ = write!(sentence, " → {}", cut(&finding.expected));
    }
    sentence
}

fn write_deviations(text: &mut String, report: &Report, look: Look) {
    let deviations = report.deviations();
    if deviations.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", look.bold("Changed by the environment's policy"));
    for deviation in deviations {
        text.push_str(&look.paragraph(&one_line(&deviation), 2));
    }
    text.push('\n');
}

fn write_summary(text: &mut String, report: &Report, look: Look) {
    let mark = if report.stopping().is_empty() { Mark::Pass } else { Mark::Fail };
    for line in look.wrap(&one_line(&report.summary()), 0, 0) {
        let _ = writeln!(text, "{}", look.mark(mark, &line));
    }
}
