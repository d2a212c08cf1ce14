//! `environments/<env>/waivers.yml` as it is written.

use schemars::JsonSchema;

use super::quantity_types::Date;

/// Failures of preflight that somebody has accepted for a time. `cc-cloud <env> preflight waive` adds one.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "waivers file")]
#[expect(dead_code, reason = "only the schema of this type is used")]
pub(super) struct WaiversFile {
    /// The waivers, in any order.
    waivers: Option<Vec<WaiverEntry>>,
}

/// A failure that somebody has accepted for a time. It is shown as waived, never hidden.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "waiver")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct WaiverEntry {
    /// The check, such as `os.release`.
    check: String,
    /// Host that it holds for; every host when absent.
    host: Option<String>,
    /// Who answers for it.
    owner: String,
    /// Why the failure is accepted.
    reason: String,
    /// Last day on which it holds, at most a year away. After it, the failure counts again.
    until: Date,
}
