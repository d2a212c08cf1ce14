//! For programs: objects for a stream, or one document.

use serde_json::{Map, Value, json};

use super::Report;
use super::mark::Mark;
use super::size_name;
use crate::finding::Finding;

/// The version of these objects. A new major number breaks readers; anything else only adds.
const SCHEMA: &str = "1.0";

/// One object for what was checked, one for each finding, one for the summary. `type` tells which.
pub fn objects(report: &Report) -> Vec<Value> {
    let typed = |kind: &str, fields: Map<String, Value>| {
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(kind));
        object.extend(fields);
        Value::Object(object)
    };
    let mut objects = vec![typed("preflight", head(report))];
    objects.extend(report.findings.iter().map(|finding| typed("preflight_finding", fields(finding))));
    objects.push(typed("preflight_summary", summary(report)));
    objects
}

/// Everything as one document.
pub fn document(report: &Report) -> String {
    let mut document = head(report);
    document.insert("summary".to_owned(), Value::Object(summary(report)));
    let findings = report.findings.iter().map(|finding| Value::Object(fields(finding)));
    document.insert("findings".to_owned(), findings.collect());
    format!("{:#}\n", Value::Object(document))
}

fn head(report: &Report) -> Map<String, Value> {
    object(json!({
        "schema": SCHEMA,
        "cc_cloud": report.version,
        "environment": report.environment,
        "size": size_name(report.size),
        "phase": report.phase.name(),
        "started": report.started.to_string(),
        "finished": report.finished.to_string(),
        "hosts": report.hosts,
        "deviations": report.deviations(),
    }))
}

/// A finding, and whether it stops the phase, so that no reader has to work that out.
fn fields(finding: &Finding) -> Map<String, Value> {
    let mut fields = object(serde_json::to_value(finding).unwrap_or_default());
    fields.insert("stops".to_owned(), json!(finding.stops()));
    fields
}

fn summary(report: &Report) -> Map<String, Value> {
    let counts = Mark::ALL.map(|mark| {
        let count = report.findings.iter().filter(|finding| Mark::of(finding) == mark).count();
        (mark.name().to_owned(), json!(count))
    });
    object(json!({
        "counts": Map::from_iter(counts),
        "blocked": !report.stopping().is_empty(),
        "text": report.summary(),
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
