//! What preflight found.

use serde::{Deserialize, Serialize};

use crate::about::Phase;
use crate::attestation::Attestation;
use crate::evidence::Evidence;
use crate::place::Place;
use crate::waiver::Waiver;

/// How a subject stands with a check; ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does not apply; the reason is what was observed.
    Skip,
    /// As expected.
    Pass,
    /// Only a person can answer, and none has.
    Attest,
    /// Good enough to go on, not good.
    Warn,
    /// Not to go on with.
    Fail,
}

impl Verdict {
    /// One lower-case word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Attest => "attest",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One result of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Host on which, or from which, it was measured; none for the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The other host of a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The verdict in this phase: a failure that does not block it is a warning, one that is waived stays a failure.
    pub verdict: Verdict,
    /// What was observed.
    pub observed: String,
    /// What is expected; empty where nothing was.
    pub expected: String,
    /// Where in the environment's files it is written; none for what was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Phases that it blocks as it stands, whatever the current one is.
    pub blocks: Vec<Phase>,
    /// Why it is asked for.
    pub source: String,
    /// What to do; empty for what needs nothing.
    pub fix: String,
    /// Whether it could not be measured.
    pub unmeasured: bool,
    /// Thresholds of the check that the environment's policy changed: `disk.size.free_fail: 5% instead of 10%`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<String>,
    /// The raw answers.
    pub evidence: Evidence,
    /// When it was measured: RFC 3339, UTC.
    pub at: String,
    /// Until when it holds; the same as `at` for what must be measured again each time.
    pub expires: String,
    /// Who has accepted the failure, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
    /// Who had accepted the failure until a day that is over. It covers nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapsed: Option<Waiver>,
    /// Who has answered for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
}

impl Finding {
    /// Whether it stops a phase: a failure in it that nobody has accepted.
    pub fn stops(&self) -> bool {
        self.verdict == Verdict::Fail && self.waiver.is_none()
    }

    /// For a person: `web1`, `web1 → db1`; empty for the environment.
    pub fn subject(&self) -> String {
        match (&self.host, &self.to) {
            (Some(host), Some(to)) => format!("{host} → {to}"),
            (Some(host), None) => host.clone(),
            _ => String::new(),
        }
    }
}
