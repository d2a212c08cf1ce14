//! For CI systems: JUnit's XML as Jenkins, GitLab, Azure DevOps and the Ant tasks read it; one suite a host, one case a finding.

use std::fmt::Write as _;

use super::Report;
use super::group::Group;
use super::mark::Mark;
use super::markup::escape;
use super::plain::one_line;
use super::sentences::sentences;
use crate::finding::Finding;

/// A failure is a failure; one that could not be measured an error; what is waived, skipped or open to an attestation is skipped
/// with its reason; a warning is a case that passes and is told in the suite's output.
pub fn render(report: &Report) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for (index, group) in report.groups().iter().enumerate() {
        write_suite(&mut text, report, group, index);
    }
    text.push_str("</testsuites>\n");
    text
}

fn write_suite(text: &mut String, report: &Report, group: &Group<'_>, index: usize) {
    let count = |wanted: &str| group.findings.iter().filter(|finding| element(finding) == Some(wanted)).count();
    // The schema of the Ant tasks has no time zone in its times.
    let timestamp = report.started.strftime("%Y-%m-%dT%H:%M:%S");
    let _ = writeln!(
        text,
        "  <testsuite id=\"{index}\" package=\"preflight\" name=\"{}\" hostname=\"{}\" timestamp=\"{timestamp}\" time=\"{:.3}\" \
         tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        attribute(&format!("preflight of {}: {}", report.name(), group.name())),
        attribute(group.host.unwrap_or("localhost")),
        report.finished.duration_since(report.started).as_secs_f64().max(0.0),
        group.findings.len(),
        count("failure"),
        count("error"),
        count("skipped"),
    );
    let (size, phase) = (super::size_name(report.size), report.phase.name());
    let _ = writeln!(text, "    <properties>");
    for (name, value) in [("version", report.version.as_str()), ("size", size), ("phase", phase)] {
        let _ = writeln!(text, "      <property name=\"{name}\" value=\"{}\"/>", attribute(value));
    }
    let _ = writeln!(text, "    </properties>");
    for finding in &group.findings {
        write_case(text, finding);
    }
    let _ = writeln!(text, "    <system-out>{}</system-out>", escape(&warnings(group)));
    text.push_str("    <system-err/>\n  </testsuite>\n");
}

fn write_case(text: &mut String, finding: &Finding) {
    let to = finding.to.as_ref().map(|to| format!(" → {to}")).unwrap_or_default();
    let name = attribute(&format!("{}{to}", finding.title));
    let class = attribute(&finding.id);
    let _ = write!(text, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"");
    match element(finding) {
        None => text.push_str("/>\n"),
        Some(element) => {
            let message = attribute(&format!("{}: {}", Mark::of(finding).name(), finding.observed));
            let content = escape(&sentences(finding).join("\n"));
            let _ = writeln!(
                text,
                ">\n      <{element} type=\"{class}\" message=\"{message}\">{content}</{element}>\n    </testcase>"
            );
        }
    }
}

/// What stands inside of the case.
fn element(finding: &Finding) -> Option<&'static str> {
    match Mark::of(finding) {
        Mark::Fail if finding.unmeasured => Some("error"),
        Mark::Fail => Some("failure"),
        Mark::Waived | Mark::Attest | Mark::Skip => Some("skipped"),
        Mark::Warn | Mark::Pass => None,
    }
}

fn warnings(group: &Group<'_>) -> String {
    let warned = group.findings.iter().filter(|finding| Mark::of(finding) == Mark::Warn);
    let lines = warned.map(|finding| {
        let subject = finding.to.as_ref().map(|to| format!(" → {to}")).unwrap_or_default();
        format!("warn: {}{}: {}\n", one_line(&finding.id), one_line(&subject), sentences(finding).join("; "))
    });
    lines.collect()
}

fn attribute(text: &str) -> String {
    escape(&one_line(text))
}
