//! What a run has lost so far, and whether it may go on. Budgets count over the whole run, not over a batch: three batches that
//! lose one host each have lost three.

use std::collections::{BTreeMap, BTreeSet};

use cc_plan::plan::StageService;
use cc_plan::spec::environment::Budget;

/// Hosts that failed or were lost. A host that is out of reach has not failed: nothing is known of it.
#[derive(Debug, Default)]
pub struct Losses {
    budget: Budget,
    failed: BTreeMap<String, BTreeSet<String>>,
    lost: BTreeSet<String>,
    /// Those of the lost that were out of reach before the run began.
    absent: BTreeSet<String>,
    /// Services whose gate did not open, with what was found.
    closed: BTreeMap<String, String>,
}

impl Losses {
    /// No losses but the hosts that are out of reach from the start.
    pub fn new(budget: Budget, absent: impl IntoIterator<Item = String>) -> Self {
        let absent: BTreeSet<String> = absent.into_iter().collect();
        Self { budget, lost: absent.clone(), absent, ..Self::default() }
    }

    /// A service failed on a host.
    pub fn failed(&mut self, host: &str, service: &str) {
        self.failed.entry(service.to_owned()).or_default().insert(host.to_owned());
    }

    /// A host went out of reach.
    pub fn lost(&mut self, host: &str) {
        self.lost.insert(host.to_owned());
    }

    /// What a service's gate asks for was not so after one of its batches.
    pub fn closed(&mut self, service: &str, found: &str) {
        self.closed.insert(service.to_owned(), found.to_owned());
    }

    /// Whether a host is out of reach.
    pub fn is_lost(&self, host: &str) -> bool {
        self.lost.contains(host)
    }

    /// Whether a host was out of reach before the run began.
    pub fn was_absent(&self, host: &str) -> bool {
        self.absent.contains(host)
    }

    /// Hosts on which something failed.
    pub fn failed_hosts(&self) -> BTreeSet<&str> {
        self.failed.values().flatten().map(String::as_str).collect()
    }

    /// Why no further host of any service may begin.
    pub fn stop_run(&self) -> Option<String> {
        let failed = self.failed_hosts();
        let lost: BTreeSet<&str> = self.lost.iter().map(String::as_str).collect();
        over("failed on", &failed, ("max_failed", self.budget.max_failed))
            .or_else(|| over("cannot reach", &lost, ("max_unreachable", self.budget.max_unreachable)))
            .map(|why| format!("the run {why}"))
    }

    /// Why no further host of this service may begin.
    pub fn stop_service(&self, service: &StageService) -> Option<String> {
        if let Some(found) = self.closed.get(&service.name) {
            return Some(format!("its gate did not open: {found}"));
        }
        let rollout = &service.rollout;
        let failed = over("failed on", &self.failed_on(service), ("max_failed", Some(rollout.max_failed)));
        let lost = || match rollout.max_unreachable {
            // Those that were away when the plan was shown hold nobody back unless a number was written.
            None => over("lost", &self.lost_of(service, |host| !self.absent.contains(host)), ("", Some(0))),
            most => over("cannot reach", &self.lost_of(service, |_| true), ("max_unreachable", most)),
        };
        failed.or_else(lost).map(|why| format!("it {why}"))
    }

    /// What keeps services that use this one from beginning.
    pub fn trouble(&self, used: &StageService) -> Option<String> {
        if let Some(found) = self.closed.get(&used.name) {
            return Some(format!("did not pass its gate: {found}"));
        }
        let rollout = &used.rollout;
        let failed = over("failed on", &self.failed_on(used), ("max_failed", Some(rollout.max_failed)));
        let most = Some(rollout.max_unreachable.unwrap_or(0));
        let lost = || over("cannot be reached on", &self.lost_of(used, |_| true), ("max_unreachable", most));
        failed.or_else(lost)
    }

    fn failed_on(&self, service: &StageService) -> BTreeSet<&str> {
        self.failed.get(&service.name).into_iter().flatten().map(String::as_str).collect()
    }

    fn lost_of(&self, service: &StageService, counts: impl Fn(&str) -> bool) -> BTreeSet<&str> {
        let lost = self.lost.iter().filter(|host| service.hosts.contains(host));
        lost.map(String::as_str).filter(|host| counts(host)).collect()
    }
}

/// `failed on a, b, more than max_failed 1`, when these are more hosts than that.
fn over(what: &str, hosts: &BTreeSet<&str>, (key, most): (&str, Option<usize>)) -> Option<String> {
    let most = most.filter(|most| hosts.len() > *most)?;
    let hosts = hosts.iter().copied().collect::<Vec<_>>().join(", ");
    // Nobody wonders why the first failure stops where nothing may fail.
    Some(if most == 0 { format!("{what} {hosts}") } else { format!("{what} {hosts}: more than {key} {most}") })
}
