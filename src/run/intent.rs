//! What a run was begun for, for who goes on with it.

use cc_agent::protocol::{LastRun, Origin};
use cc_plan::plan::Plan;
use serde::{Deserialize, Serialize};

use super::selection::Selection;
use crate::operator::Operator;

/// What was approved when a run was begun. Every host that it changes keeps it, so that another machine can go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The part of the environment.
    #[serde(flatten)]
    pub selection: Selection,
    /// Whether orphans are removed at the end.
    pub prune: bool,
    /// Digest of the plan that was approved.
    pub plan: String,
}

impl Intent {
    /// The intent of a run with this plan.
    pub fn new(selection: &Selection, prune: bool, plan: &Plan) -> Self {
        // A plan that has no digest is equal to no other one: it is asked about again.
        Self { selection: selection.clone(), prune, plan: plan.digest().unwrap_or_default() }
    }

    /// What a host kept of a run; `None` when it is of another version of cc-cloud.
    pub fn of(last: &LastRun) -> Option<Self> {
        serde_json::from_value(last.origin.note()).ok()
    }

    /// Whether this plan was approved.
    pub fn covers(&self, plan: &Plan) -> bool {
        !self.plan.is_empty() && plan.digest().is_ok_and(|digest| digest == self.plan)
    }

    /// For the hosts.
    pub fn origin(&self) -> Origin {
        Origin::new(&Operator::here().to_string(), &serde_json::to_value(self).unwrap_or_default())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use cc_agent::protocol::RunState;

    use super::*;

    #[test]
    fn a_host_gives_back_what_it_was_told() {
        let selection = Selection { limit: vec!["web".to_owned()], ..Selection::default() };
        let intent = Intent { selection, prune: true, plan: "abc".to_owned() };
        let origin = intent.origin();
        assert!(origin.owner().contains('@'));
        let last = LastRun { run: "r".to_owned(), origin, since: 0, age: 0, state: RunState::Cut };
        assert_eq!(Intent::of(&last).unwrap(), intent);
        let other = LastRun { origin: Origin::default(), ..last };
        assert_eq!(Intent::of(&other), None);
    }
}
