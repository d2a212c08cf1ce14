//! For code scanning: SARIF 2.1.0. A rule for each check, a result for each failure and warning.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use serde_json::{Value, json};

use super::Report;
use super::mark::Mark;
use super::plain::{harmless, one_line};
use super::sentences::sentences;
use crate::about::About;
use crate::finding::{Finding, Verdict};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Everything as one log with one run.
pub fn render(report: &Report) -> String {
    let results: Vec<Value> = report.findings.iter().filter_map(|finding| result(report, finding)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "cc-cloud preflight",
                "version": report.version,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": report.checks.iter().map(|about| rule(about)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("preflight/{}/", one_line(report.name()))},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "startTimeUtc": report.started.to_string(),
                "endTimeUtc": report.finished.to_string(),
            }],
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(about: &About) -> Value {
    json!({
        "id": about.id,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": format!("{} {}", about.measures, about.why)},
        "help": {"text": format!("{}\n\nAsked for by: {}", about.fix, about.source)},
        "defaultConfiguration": {"level": if about.blocks.is_empty() { "warning" } else { "error" }},
        "properties": {
            "vantage": about.vantage,
            "blocks": about.blocks,
            "tags": ["preflight", about.id.split('.').next().unwrap_or_default()],
        },
    })
}

/// A failure or a warning. What somebody has accepted is there, and suppressed.
fn result(report: &Report, finding: &Finding) -> Option<Value> {
    let level = match finding.verdict {
        Verdict::Fail => "error",
        Verdict::Warn => "warning",
        Verdict::Attest | Verdict::Pass | Verdict::Skip => return None,
    };
    let subject = finding.subject();
    let on = if subject.is_empty() { String::new() } else { format!("{subject}: ") };
    let text = format!("{on}{}", sentences(finding).join("\n"));
    let mut result = json!({
        "ruleId": finding.id,
        "level": level,
        "message": {"text": harmless(&text)},
        "locations": [location(report, finding)],
        "partialFingerprints": {"checkAndHosts/v1": format!("{} {subject}", finding.id)},
        "properties": {
            "unmeasured": finding.unmeasured,
            "blocks": finding.blocks,
            "at": finding.at,
            "evidenceSha256": finding.evidence.sha256,
        },
    });
    // A rule that this version has no more stands in no list.
    if let Some(index) = report.checks.iter().position(|about| about.id == finding.id) {
        result["ruleIndex"] = json!(index);
    }
    if let Some(waiver) = finding.waiver.as_ref().filter(|_| Mark::of(finding) == Mark::Waived) {
        let why = format!("{} until {}: {}", waiver.owner, waiver.until, waiver.reason);
        result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": harmless(&why)}]);
    }
    Some(result)
}

/// The line that is wrong, or the environment's file: what is asked of a host is asked by it, and code scanning refuses results
/// without a file. Hosts are logical locations.
fn location(report: &Report, finding: &Finding) -> Value {
    let mut location = json!({});
    if let Some(place) = &finding.place {
        let region = json!({"startLine": place.line, "startColumn": place.column});
        location["physicalLocation"] = json!({"artifactLocation": {"uri": uri(&place.file)}, "region": region});
    } else if let Some(environment) = &report.environment {
        let file = format!("environments/{environment}/environment.yml");
        location["physicalLocation"] = json!({"artifactLocation": {"uri": uri(&file)}});
    }
    let hosts = finding.host.iter().chain(&finding.to);
    let logical: Vec<Value> = hosts.map(|host| json!({"name": host, "kind": "host"})).collect();
    if !logical.is_empty() {
        location["logicalLocations"] = json!(logical);
    }
    location
}

/// A path as a relative reference: what has a meaning in one, or is no printable ASCII, is written in hexadecimal.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let written =
        path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    written.collect()
}
