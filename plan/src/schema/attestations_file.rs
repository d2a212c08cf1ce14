//! `environments/<env>/attestations.yml` as it is written.

use schemars::JsonSchema;

use super::quantity_types::Date;

/// What only a person knows, and has answered for: contracts, batteries, locked doors. `cc-cloud <env> preflight attest` adds one.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "attestations file")]
#[expect(dead_code, reason = "only the schema of this type is used")]
pub(super) struct AttestationsFile {
    /// The attestations, in any order. The newest of a check counts.
    attestations: Option<Vec<AttestationEntry>>,
}

/// An answer that only a person can give, with where it is written down: `link`, `file`, or both.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "attestation")]
#[expect(dead_code, reason = "only the schema of this type is used")]
struct AttestationEntry {
    /// The check, such as `hw.ups`.
    check: String,
    /// Host that it holds for; every host when absent.
    host: Option<String>,
    /// Who says so.
    owner: String,
    /// When it was said. The check asks again when its time is over.
    date: Date,
    /// Address of the document that shows it.
    link: Option<String>,
    /// Path of the document, relative to the repository.
    file: Option<String>,
}
