//! What preflight said before a run.

use cc_preflight::{Finding, Verdict, Waiver};
use serde::{Deserialize, Serialize};

/// What preflight said before a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Why it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Failures, accepted ones too, and warnings that would block another phase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<GateFinding>,
}

/// A finding in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateFinding {
    /// The check.
    pub id: String,
    /// The host, the pair of hosts, or nothing for the environment.
    pub subject: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was observed.
    pub observed: String,
    /// Who has accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
}

impl Gate {
    /// A run that began without it.
    pub fn skipped(reason: &str) -> Self {
        Self { skipped: Some(reason.to_owned()), ..Self::default() }
    }

    /// A run that it let through.
    pub fn passed(findings: &[Finding]) -> Self {
        let told = |finding: &&Finding| {
            finding.verdict == Verdict::Fail || finding.verdict == Verdict::Warn && !finding.blocks.is_empty()
        };
        let short = |finding: &Finding| GateFinding {
            id: finding.id.clone(),
            subject: finding.subject(),
            verdict: finding.verdict,
            observed: finding.observed.clone(),
            waiver: finding.waiver.clone(),
        };
        Self { skipped: None, findings: findings.iter().filter(told).map(short).collect() }
    }
}
