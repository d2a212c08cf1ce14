//! When hooks run.

use std::fmt;

/// When hooks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before `plan` connects to hosts.
    BeforePlan,
    /// When `plan` has shown what would change.
    AfterPlan,
    /// Before `deploy` connects to hosts and takes the environment's lock.
    BeforeDeploy,
    /// When a deploy has done what its plan said, and the lock is free again.
    AfterDeploy,
    /// When an approved deploy has not, and the lock is free again.
    OnFailure,
}

impl Point {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 5] =
        [Self::BeforePlan, Self::AfterPlan, Self::BeforeDeploy, Self::AfterDeploy, Self::OnFailure];

    /// What its hooks' files are named.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforePlan => "before-plan",
            Self::AfterPlan => "after-plan",
            Self::BeforeDeploy => "before-deploy",
            Self::AfterDeploy => "after-deploy",
            Self::OnFailure => "on-failure",
        }
    }

    /// Whether a hook that fails stops what would come.
    pub fn can_stop(self) -> bool {
        matches!(self, Self::BeforePlan | Self::BeforeDeploy)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.name() == name)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
