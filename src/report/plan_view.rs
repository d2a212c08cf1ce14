//! A plan as it is shown: what was compiled, joined with what the hosts observed.

use cc_agent::change::{Change, ChangeKind};
use cc_agent::protocol::{Orphan, StepError};
use serde::{Deserialize, Serialize};

/// The kinds of change that a plan counts, in the order and the words of its summary.
pub const PENDING: [(ChangeKind, &str); 5] = [
    (ChangeKind::Create, "to create"),
    (ChangeKind::Update, "to update"),
    (ChangeKind::Delete, "to delete"),
    (ChangeKind::Run, "to run"),
    (ChangeKind::Unknown, "unknown until apply"),
];

/// The plan of an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanView {
    /// The environment.
    pub environment: String,
    /// Services in stage order: the order of the text.
    pub services: Vec<String>,
    /// Hosts in inventory order.
    pub hosts: Vec<HostView>,
}

/// The plan of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostView {
    /// The host.
    pub host: String,
    /// Why it could not be observed, with its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Its steps in order; without changes too.
    pub steps: Vec<StepView>,
    /// What the ledger has and the spec no longer.
    pub orphans: Vec<Orphan>,
}

/// The plan of one step or handler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// `service/type:identity`.
    pub id: String,
    /// The service.
    pub service: String,
    /// What would change.
    pub change: Change,
    /// Set when the host could not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

impl StepView {
    /// `type identity`, without the service.
    pub fn name(&self) -> String {
        let name = self.id.split_once('/').map_or(self.id.as_str(), |(_, name)| name);
        name.replacen(':', " ", 1)
    }
}

impl PlanView {
    /// How many steps have this kind of change.
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.steps().filter(|step| step.error.is_none() && step.change.kind == kind).count()
    }

    /// Steps whose host could not say what they would do.
    pub fn errors(&self) -> usize {
        self.steps().filter(|step| step.error.is_some()).count()
    }

    /// Hosts that could not be observed.
    pub fn unreachable(&self) -> usize {
        self.hosts.iter().filter(|host| host.unreachable.is_some()).count()
    }

    /// Resources in ledgers that no step mentions.
    pub fn orphans(&self) -> usize {
        self.hosts.iter().map(|host| host.orphans.len()).sum()
    }

    /// Whether a run would do anything, orphans aside.
    pub fn has_changes(&self) -> bool {
        self.steps().any(|step| !step.change.is_none())
    }

    fn steps(&self) -> impl Iterator<Item = &StepView> {
        self.hosts.iter().flat_map(|host| &host.steps)
    }
}
