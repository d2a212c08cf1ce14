//! Annotations of GitHub Actions: lines on standard output that the runner shows beside the files.
//!
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use super::Report;
use super::mark::Mark;
use super::plain::one_line;
use super::sentences::sentences;
use crate::finding::Finding;

/// One line for each finding that somebody has to look at, the worst first.
pub fn render(report: &Report) -> String {
    let groups = report.groups();
    let mut found: Vec<&Finding> = groups.iter().flat_map(|group| group.findings.iter().copied()).collect();
    found.retain(|finding| !Mark::of(finding).is_good());
    found.sort_by_key(|finding| Mark::of(finding));
    found.into_iter().map(annotation).collect()
}

fn annotation(finding: &Finding) -> String {
    let mark = Mark::of(finding);
    let command = match mark {
        Mark::Fail => "error",
        Mark::Warn => "warning",
        Mark::Waived | Mark::Attest | Mark::Pass | Mark::Skip => "notice",
    };
    let mut properties: Vec<String> = match &finding.place {
        Some(place) => vec![
            format!("file={}", property(&one_line(&place.file))),
            format!("line={}", place.line),
            format!("col={}", place.column),
        ],
        None => Vec::new(),
    };
    let subject = finding.subject();
    let on = if subject.is_empty() { String::new() } else { format!(" on {subject}") };
    properties.push(format!("title={}", property(&format!("{}: {}{on}", mark.name(), finding.id))));
    let mut message = one_line(&finding.title);
    for sentence in sentences(finding) {
        message.push('\n');
        message.push_str(&sentence);
    }
    format!("::{command} {}::{}\n", properties.join(","), data(&message))
}

/// A message: percent signs and line ends would end or change the command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: colons and commas as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
