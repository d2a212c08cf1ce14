//! What happened on hosts, in the words that a run and the history have for it.

use std::fmt::Write as _;

use cc_agent::change::ChangeKind;
use cc_agent::check::Finding;
use cc_agent::protocol::StepError;

use super::event::{HostState, HostSummary};
use super::style::Style;
use super::table;

/// One row a host.
pub fn summary(hosts: &[HostSummary], style: Style) -> String {
    let rows: Vec<Vec<String>> = hosts.iter().map(|host| summary_row(host, style)).collect();
    let columns = ["HOST", "RESULT", "CHANGED", "UNCHANGED", "FAILED", "SKIPPED", "TIME"];
    table::render(&columns, &rows, style)
}

fn summary_row(host: &HostSummary, style: Style) -> Vec<String> {
    let name = host.state.name();
    let state = match host.state {
        HostState::Ok => style.good(name),
        HostState::Failed | HostState::Unreachable => style.bad(name),
        HostState::Skipped => style.warn(name),
    };
    let counts = [host.changed, host.unchanged, host.failed, host.skipped].map(|count| count.to_string());
    [host.host.clone(), state].into_iter().chain(counts).chain([duration(host.millis)]).collect()
}

/// A step that is done, on one line without its end.
pub fn step_done(style: Style, host: &str, step: &str, kind: ChangeKind, millis: u64) -> String {
    let mark = style.change(kind, &kind.symbol().to_string());
    format!("  {mark} {host}: {step} {}", style.dim(&duration(millis)))
}

/// What a health check found; `host` is empty for the smoke test.
pub fn check(style: Style, host: &str, finding: &Finding) -> String {
    let place = if host.is_empty() { String::new() } else { format!("{host}: ") };
    let mark = if finding.healthy { style.good("ok") } else { style.bad("FAILED") };
    let mut text = format!("  {mark} {place}{} {}: {}\n", finding.service, finding.check, finding.observed);
    for log in &finding.log {
        let _ = writeln!(text, "      {log}");
    }
    text
}

/// A failed step with everything that helps to mend it.
pub fn step_error(style: Style, host: &str, step: &str, error: &StepError) -> String {
    let (service, name) = step.split_once('/').unwrap_or(("", step));
    let mut text = format!("{} {host}: service {service}, step {name}: {}\n", style.bad("failed"), error.message);
    if let Some(command) = &error.command {
        let _ = writeln!(text, "  command: {command}");
    }
    for line in &error.output {
        let _ = writeln!(text, "  | {line}");
    }
    if let Some(hint) = &error.hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}

/// Milliseconds for a person.
pub fn duration(millis: u64) -> String {
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} m {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}
