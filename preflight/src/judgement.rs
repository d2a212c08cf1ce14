//! What a check says of a subject.

use cc_plan::source::Span;

use crate::about::Phase;
use crate::finding::Verdict;
use crate::place::Place;
use crate::scene::Scene;

/// What a check says of a subject: a judgement, or that the answers do not tell.
pub type Judged = Result<Judgement, Unmeasured>;

/// A verdict with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What was observed, one line.
    pub observed: String,
    /// What is expected, one line.
    pub expected: String,
    /// What to do, where it is more precise than the check's own words.
    pub fix: Option<String>,
    /// What this failure blocks, where that is less than the check does.
    pub blocks: Option<&'static [Phase]>,
    /// Where in the environment's files it is written, where it is.
    pub place: Option<Place>,
}

/// The answers do not tell. It is never a pass: a failure where the check blocks something, else a warning.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmeasured {
    /// Why: "`smartctl` is not on this host".
    pub why: String,
    /// What to do so that it can be measured.
    pub fix: Option<String>,
}

impl Judgement {
    /// As expected.
    pub fn pass(observed: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, observed, expected)
    }

    /// Good enough to go on.
    pub fn warn(observed: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(Verdict::Warn, observed, expected)
    }

    /// Not to go on with.
    pub fn fail(observed: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, observed, expected)
    }

    /// Not applicable after all, for the observed reason.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Skip, reason, "")
    }

    /// Only a person can answer, for the observed reason.
    pub fn attest(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Attest, reason, "an attestation")
    }

    fn new(verdict: Verdict, observed: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { verdict, observed: observed.into(), expected: expected.into(), fix: None, blocks: None, place: None }
    }

    /// With more precise words on what to do.
    #[must_use]
    pub fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// A failure that blocks less than the check does.
    #[must_use]
    pub fn blocking(self, blocks: &'static [Phase]) -> Self {
        Self { blocks: Some(blocks), ..self }
    }

    /// With the place in the files that it is about.
    #[must_use]
    pub fn at(self, scene: &Scene<'_>, span: Span) -> Self {
        Self { place: Some(Place::of(&scene.spec.sources, span)), ..self }
    }

    /// The worst of several; the first of equals. `None` of none.
    pub fn worst(judgements: impl IntoIterator<Item = Self>) -> Option<Self> {
        judgements.into_iter().reduce(|worst, next| if next.verdict > worst.verdict { next } else { worst })
    }
}

impl Unmeasured {
    /// For this reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), fix: None }
    }

    /// For a host that was not reached; the same words whatever was to be measured, so that they are said once.
    pub(crate) fn unreached(host: &str, message: &str) -> Self {
        // Errors of a connection begin with the host's name.
        let message = message.strip_prefix(host).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message);
        Self::new(format!("{host} could not be reached: {message}"))
            .fix(format!("let {host} be reached, as its finding of acc.ssh or acc.sudo says, then run preflight again"))
    }

    /// For a host that was lost in the middle.
    pub(crate) fn lost(host: &str, why: &str) -> Self {
        Self::new(format!("{host} stopped answering: {why}"))
            .fix(format!("see whether {host} still runs and is reached, then run preflight again"))
    }

    /// With what to do so that it can be measured.
    #[must_use]
    pub fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }
}
