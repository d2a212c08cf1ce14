//! A plan in short.

use std::collections::BTreeMap;

use cc_agent::change::ChangeKind;
use serde::{Deserialize, Serialize};

use crate::report::{HostView, PENDING, PlanView, StepView};

/// Changed steps that a record lists; the counts always have all. Bounds a record to a few hundred kilobytes.
pub(super) const LISTED: usize = 1000;

/// A plan in short: how many of what on which host, and which steps. Differences are not kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Counts by host, in inventory order.
    pub hosts: Vec<HostCount>,
    /// Steps that change, equal ones of several hosts once.
    pub steps: Vec<StepIntent>,
    /// How many more there are than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: usize,
}

/// What is going to happen on a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostCount {
    /// The host.
    pub host: String,
    /// Steps by kind of change; those without any too.
    pub counts: BTreeMap<ChangeKind, usize>,
    /// What is there and no longer in the environment.
    pub orphans: usize,
    /// Why nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
}

/// A step that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepIntent {
    /// `service/type:identity`.
    pub step: String,
    /// The kind of change.
    pub kind: ChangeKind,
    /// The hosts on which it does.
    pub hosts: Vec<String>,
}

pub(super) fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Intent {
    /// What a plan is going to change.
    pub fn of(plan: &PlanView) -> Self {
        let mut intent = Self { hosts: plan.hosts.iter().map(HostCount::of).collect(), ..Self::default() };
        let mut places: BTreeMap<(&str, ChangeKind), usize> = BTreeMap::new();
        let mut listed = 0;
        for host in &plan.hosts {
            for step in host.steps.iter().filter(|step| !step.change.is_none()) {
                if listed == LISTED {
                    intent.unlisted += 1;
                    continue;
                }
                listed += 1;
                let place = places.entry((&step.id, step.change.kind)).or_insert_with(|| {
                    intent.steps.push(StepIntent::of(step));
                    intent.steps.len() - 1
                });
                intent.steps[*place].hosts.push(host.host.clone());
            }
        }
        intent
    }

    /// How many steps have this kind of change.
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.hosts.iter().filter_map(|host| host.counts.get(&kind)).sum()
    }

    /// For a person: `2 to create, 1 to update on 2 hosts`.
    pub fn summary(&self) -> String {
        let parts = PENDING.map(|(kind, label)| (self.count(kind), label));
        let orphans = (self.hosts.iter().map(|host| host.orphans).sum(), "orphans");
        let parts: Vec<String> = parts
            .into_iter()
            .chain([orphans])
            .filter(|(count, _)| *count > 0)
            .map(|(count, label)| format!("{count} {label}"))
            .collect();
        let hosts = self.hosts.len();
        let on = if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") };
        if parts.is_empty() { format!("no changes on {on}") } else { format!("{} on {on}", parts.join(", ")) }
    }
}

impl HostCount {
    fn of(host: &HostView) -> Self {
        let mut counts = BTreeMap::new();
        for step in &host.steps {
            *counts.entry(step.change.kind).or_default() += 1;
        }
        Self { host: host.host.clone(), counts, orphans: host.orphans.len(), unreachable: host.unreachable.clone() }
    }
}

impl StepIntent {
    fn of(step: &StepView) -> Self {
        Self { step: step.id.clone(), kind: step.change.kind, hosts: Vec::new() }
    }
}
