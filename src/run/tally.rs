//! What was done on each host, for the summary.

use std::collections::{BTreeMap, BTreeSet};

use cc_agent::check::Finding;
use cc_agent::protocol::Outcome;
use cc_plan::plan::Plan;

use super::fleet::Fleet;
use super::schedule::Work;
use crate::report::{HostState, HostSummary, PlanView};

/// Counts of one host.
#[derive(Default)]
struct Count {
    due: BTreeSet<String>,
    unchanged: usize,
    changed: usize,
    failed: usize,
    millis: u64,
}

/// Counts of all hosts.
pub struct Tally {
    order: Vec<String>,
    counts: BTreeMap<String, Count>,
}

impl Tally {
    /// Everything that the plan says is due and nothing done.
    pub fn new(plan: &Plan, view: &PlanView) -> Self {
        let mut counts: BTreeMap<String, Count> = BTreeMap::new();
        for host in &view.hosts {
            let (unchanged, due): (Vec<_>, Vec<_>) =
                host.steps.iter().partition(|step| step.change.is_none() && step.error.is_none());
            let count = Count {
                due: due.into_iter().map(|step| step.id.clone()).collect(),
                unchanged: unchanged.len(),
                ..Count::default()
            };
            counts.insert(host.host.clone(), count);
        }
        Self { order: plan.hosts.iter().map(|host| host.host.clone()).collect(), counts }
    }

    /// How many of a batch's steps the plan expects to change.
    pub fn due_steps(&self, work: &Work) -> usize {
        let due = self.counts.get(&work.host).map(|count| &count.due);
        due.map_or(0, |due| due.iter().filter(|id| work.services.iter().any(|service| owns(service, id))).count())
    }

    /// A host's batch came to its end.
    pub fn applied(&mut self, work: &Work, outcomes: &[Outcome], findings: &[Finding]) {
        let count = self.counts.entry(work.host.clone()).or_default();
        for outcome in outcomes {
            let was_due = count.due.remove(&outcome.id);
            count.millis += outcome.millis;
            match (&outcome.error, outcome.change.is_none()) {
                (Some(_), _) => count.failed += 1,
                (None, false) => {
                    count.changed += 1;
                    count.unchanged -= usize::from(!was_due && count.unchanged > 0);
                }
                (None, true) => count.unchanged += usize::from(was_due),
            }
        }
        // A handler that was expected and whose notifiers found nothing to do has nothing to do either.
        if outcomes.iter().all(|outcome| outcome.error.is_none()) {
            count.due.retain(|id| !(id.contains("/handler:") && work.services.iter().any(|service| owns(service, id))));
        }
        count.failed += findings.iter().filter(|finding| !finding.healthy).count();
    }

    /// A host refused a batch as a whole.
    pub fn refused(&mut self, work: &Work) {
        self.counts.entry(work.host.clone()).or_default().failed += 1;
    }

    /// Checks of a gate were not healthy on a host.
    pub fn sick(&mut self, host: &str, checks: usize) {
        self.counts.entry(host.to_owned()).or_default().failed += checks;
    }

    /// Orphans were removed.
    pub fn pruned(&mut self, host: &str, outcomes: &[Outcome]) {
        let count = self.counts.entry(host.to_owned()).or_default();
        for outcome in outcomes {
            count.millis += outcome.millis;
            match outcome.error {
                Some(_) => count.failed += 1,
                None => count.changed += 1,
            }
        }
    }

    /// One line a host.
    pub fn summaries(&self, fleet: &Fleet) -> Vec<HostSummary> {
        self.order.iter().map(|host| self.summary(host, fleet)).collect()
    }

    fn summary(&self, host: &str, fleet: &Fleet) -> HostSummary {
        let empty = Count::default();
        let count = self.counts.get(host).unwrap_or(&empty);
        let state = match () {
            () if fleet.lost.contains_key(host) => HostState::Unreachable,
            () if count.failed > 0 => HostState::Failed,
            () if !count.due.is_empty() => HostState::Skipped,
            () => HostState::Ok,
        };
        HostSummary {
            host: host.to_owned(),
            state,
            changed: count.changed,
            unchanged: count.unchanged,
            failed: count.failed,
            skipped: count.due.len(),
            millis: count.millis,
        }
    }
}

fn owns(service: &str, step: &str) -> bool {
    step.strip_prefix(service).is_some_and(|rest| rest.starts_with('/'))
}
