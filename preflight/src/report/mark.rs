//! A verdict as it is shown.

use crate::finding::{Finding, Verdict};

/// A verdict as it is shown: a failure that somebody has accepted is one of its own. Ordered from bad to good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Fail,
    Waived,
    Warn,
    Attest,
    Pass,
    Skip,
}

impl Mark {
    /// All of them, the worst first.
    pub(super) const ALL: [Self; 6] = [Self::Fail, Self::Waived, Self::Warn, Self::Attest, Self::Pass, Self::Skip];

    pub(super) fn of(finding: &Finding) -> Self {
        match finding.verdict {
            Verdict::Fail if finding.stops() => Self::Fail,
            Verdict::Fail => Self::Waived,
            Verdict::Warn => Self::Warn,
            Verdict::Attest => Self::Attest,
            Verdict::Pass => Self::Pass,
            Verdict::Skip => Self::Skip,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Waived => "waived",
            Self::Fail => Verdict::Fail.name(),
            Self::Warn => Verdict::Warn.name(),
            Self::Attest => Verdict::Attest.name(),
            Self::Pass => Verdict::Pass.name(),
            Self::Skip => Verdict::Skip.name(),
        }
    }

    /// One column, so that the verdict can be seen without reading.
    pub(super) fn glyph(self) -> char {
        match self {
            Self::Fail => '✗',
            Self::Waived => '~',
            Self::Warn => '!',
            Self::Attest => '?',
            Self::Pass => '✓',
            Self::Skip => '-',
        }
    }

    /// Whether nobody has to look at it.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Pass | Self::Skip)
    }
}
