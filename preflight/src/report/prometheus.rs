//! For monitoring: Prometheus' text format, as the textfile collector of the node exporter reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Report;
use super::mark::Mark;
use super::plain::one_line;

/// One gauge a finding, how many there are of each kind, whether the phase is blocked, and when this was measured.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    write_findings(&mut text, report);
    let environment = label(report.environment.as_deref().unwrap_or_default());
    head(&mut text, "cc_cloud_preflight_findings", "Findings of the last preflight by verdict.");
    for mark in Mark::ALL {
        let count = report.findings.iter().filter(|finding| Mark::of(finding) == mark).count();
        let verdict = mark.name();
        let _ = writeln!(
            text,
            "cc_cloud_preflight_findings{{environment=\"{environment}\",verdict=\"{verdict}\"}} {count}"
        );
    }
    head(&mut text, "cc_cloud_preflight_blocked", "Whether the last preflight blocks its phase: 1 if it does.");
    let (phase, blocked) = (report.phase.name(), u8::from(!report.stopping().is_empty()));
    let _ = writeln!(text, "cc_cloud_preflight_blocked{{environment=\"{environment}\",phase=\"{phase}\"}} {blocked}");
    head(
        &mut text,
        "cc_cloud_preflight_last_run_timestamp_seconds",
        "When the last preflight ended, in seconds since 1970.",
    );
    let ended = report.finished.as_second();
    let _ = writeln!(text, "cc_cloud_preflight_last_run_timestamp_seconds{{environment=\"{environment}\"}} {ended}");
    text
}

fn write_findings(text: &mut String, report: &Report) {
    // A series may come only once: of two findings with the same labels the worse one counts.
    let mut series: BTreeMap<(String, String, String), u8> = BTreeMap::new();
    for finding in &report.findings {
        let (host, to) = (finding.host.as_deref().unwrap_or_default(), finding.to.as_deref().unwrap_or_default());
        let value = series.entry((label(&finding.id), label(host), label(to))).or_default();
        *value = level(Mark::of(finding)).max(*value);
    }
    let help = "How a host stands with a check: 0 pass, 1 skip, 2 attest, 3 warn, 4 waived, 5 fail.";
    head(text, "cc_cloud_preflight_check", help);
    let environment = label(report.environment.as_deref().unwrap_or_default());
    for ((check, host, to), value) in series {
        let _ = writeln!(
            text,
            "cc_cloud_preflight_check{{environment=\"{environment}\",check=\"{check}\",host=\"{host}\",to=\"{to}\"}} {value}"
        );
    }
}

/// Higher is worse, so that `> 2` alerts on what somebody has to look at and `== 5` on what blocks.
fn level(mark: Mark) -> u8 {
    match mark {
        Mark::Pass => 0,
        Mark::Skip => 1,
        Mark::Attest => 2,
        Mark::Warn => 3,
        Mark::Waived => 4,
        Mark::Fail => 5,
    }
}

fn head(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

/// The value of a label, between double quotes.
fn label(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
