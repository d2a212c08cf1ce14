//! For a person at a terminal: hosts with the worst findings first, what to do below each.

use std::fmt::Write as _;

use cc_plan::counted;
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

/// Ids that are named of findings that stand as one.
const NAMED: usize = 4;

/// What was found. Passes and skips are only counted unless `all`, and what several checks say alike stands once.
pub fn render(report: &Report, look: Look, all: bool) -> String {
    let mut text = String::new();
    let groups = report.groups();
    let rows = |group: &Group<'_>| rows(group, all);
    let labels = groups.iter().flat_map(rows).map(|row| row.label.width());
    let column = labels.max().unwrap_or(0);
    for group in &groups {
        write_heading(&mut text, group, look);
        for row in rows(group) {
            write_row(&mut text, &row, column, look);
        }
    }
    if !groups.is_empty() {
        text.push('\n');
    }
    write_deviations(&mut text, report, look);
    write_summary(&mut text, report, look);
    text
}

/// One finding, or several that say the same.
struct Row {
    mark: Mark,
    /// The check's id, or how many checks there are.
    label: String,
    /// What was observed and what is expected.
    sentence: String,
    /// What belongs to it, a line each.
    remarks: Vec<String>,
}

/// The rows of a group. A host that was not reached is told once, not for each of its checks.
fn rows(group: &Group<'_>, all: bool) -> Vec<Row> {
    let shown: Vec<&Finding> =
        group.findings.iter().copied().filter(|finding| all || !Mark::of(finding).is_good()).collect();
    let alike = |one: &&Finding, next: &&Finding| {
        let said =
            |finding: &Finding| (Mark::of(finding), finding.to.clone(), finding.observed.clone(), remarks(finding));
        !all && one.unmeasured && next.unmeasured && said(one) == said(next)
    };
    shown.chunk_by(alike).map(|same| Row::of(same, all)).collect()
}

impl Row {
    /// That of findings that say the same; of one, everything that there is to say.
    fn of(findings: &[&Finding], all: bool) -> Self {
        let first = findings[0];
        let (mark, remarks) = (Mark::of(first), remarks(first));
        if findings.len() == 1 {
            return Self { mark, label: one_line(&first.id), sentence: sentence(first, &first.expected, all), remarks };
        }
        let named: Vec<&str> = findings.iter().take(NAMED).map(|finding| finding.id.as_str()).collect();
        let more = match findings.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more (--all lists them)"),
        };
        let which = one_line(&format!("{}{more}", named.join(", ")));
        let remarks = [which].into_iter().chain(remarks).collect();
        Self { mark, label: counted(findings.len(), "check"), sentence: sentence(first, "", all), remarks }
    }
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

/// One row: verdict, id, observed → expected; below it what belongs to it, a line each.
fn write_row(text: &mut String, row: &Row, column: usize, look: Look) {
    let verdict = look.mark(row.mark, &format!("{} {:<6}", row.mark.glyph(), row.mark.name()));
    let beside = look.width >= SIDE_BY_SIDE;
    let indent = if beside { BEFORE_ID + column + 2 } else { 4 };
    if beside {
        let lines = look.wrap(&row.sentence, indent, indent);
        let gap = column + 2 - row.label.width().min(column);
        let _ = writeln!(text, "  {verdict}  {}{:gap$}{}", row.label, "", lines[0]);
        for line in &lines[1..] {
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    } else {
        let _ = writeln!(text, "  {verdict}  {}", row.label);
        text.push_str(&look.paragraph(&row.sentence, indent));
    }
    for remark in &row.remarks {
        let lines = look.wrap(remark, indent, indent + 2);
        let _ = writeln!(text, "{:indent$}{}", "", lines[0]);
        for line in &lines[1..] {
            let _ = writeln!(text, "{:1$}{line}", "", indent + 2);
        }
    }
}

/// `→ db1: blocked → open`: the other host of a pair, what was observed and what is expected.
fn sentence(finding: &Finding, expected: &str, all: bool) -> String {
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
    if !expected.is_empty() {
        let _ = write!(sentence, " → {}", cut(expected));
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
