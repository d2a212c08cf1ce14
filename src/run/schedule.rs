//! Which steps run where and when: stages, batches, and what a failure stops. Pure, so that it can be tested without hosts.

use std::collections::BTreeSet;

use cc_plan::plan::{Plan, StageService};
use cc_plan::spec::environment::HostOrder;

use super::losses::Losses;
use crate::report::Standing;

/// The services that have something to do, by host: a step that changes, or a handler that is pending.
#[derive(Clone, Debug, Default)]
pub struct Due(BTreeSet<(String, String)>);

impl Due {
    /// A service has something to do on a host.
    pub fn add(&mut self, host: &str, service: &str) {
        self.0.insert((host.to_owned(), service.to_owned()));
    }

    /// Whether nothing is due.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a service has something to do on a host.
    pub fn contains(&self, host: &str, service: &str) -> bool {
        self.0.contains(&(host.to_owned(), service.to_owned()))
    }
}

/// Work of one host in one batch: one message to its agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The host.
    pub host: String,
    /// Services that change, in stage order.
    pub services: Vec<String>,
    /// All their steps in plan order: one that the plan found unchanged may have to be mended after an earlier one, such
    /// as a package that brings a file which must not be there.
    pub steps: Vec<String>,
}

/// Hosts that change side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// From 0.
    pub stage: usize,
    /// From 0, within the stage.
    pub number: usize,
    /// How many batches the stage has at most.
    pub of: usize,
    /// One entry a host, in the order in which they are to begin.
    pub work: Vec<Work>,
    /// Seconds to wait before it begins.
    pub pause: u64,
    /// Services beside those of the batch that must be healthy after it.
    pub gate: BTreeSet<String>,
}

/// A service that is not begun on some hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The service.
    pub service: String,
    /// Hosts that are left as they are.
    pub hosts: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Walks through the plan's stages and remembers what failed.
pub struct Schedule<'p> {
    plan: &'p Plan,
    due: Due,
    stage: usize,
    batch: usize,
    /// Hosts and services that were handed out to be worked on.
    begun: BTreeSet<(String, String)>,
    losses: Losses,
    blocked: Vec<Blocked>,
    stopped: Option<String>,
}

impl<'p> Schedule<'p> {
    /// A schedule of what is due. `lost` are hosts that cannot be reached.
    pub fn new(plan: &'p Plan, due: Due, lost: impl IntoIterator<Item = String>) -> Self {
        let losses = Losses::new(plan.budget, lost);
        Self { plan, due, stage: 0, batch: 0, begun: BTreeSet::new(), losses, blocked: Vec::new(), stopped: None }
    }

    /// How many stages have something due.
    pub fn stages(&self) -> usize {
        self.plan.stages.iter().filter(|stage| stage.services.iter().any(|service| self.is_due(service))).count()
    }

    /// What failed and what was lost so far.
    pub fn losses(&mut self) -> &mut Losses {
        &mut self.losses
    }

    /// Services that were not begun so far, each once.
    pub fn blocked(&self) -> &[Blocked] {
        &self.blocked
    }

    /// Why the run was stopped before its end, when it lost more hosts than it may.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// The next batch that has something to do; `None` at the end.
    pub fn next_batch(&mut self) -> Option<Batch> {
        while let Some(stage) = self.plan.stages.get(self.stage) {
            if self.stopped.is_none() {
                self.stopped = self.losses.stop_run();
            }
            let due: Vec<&StageService> = stage.services.iter().filter(|service| self.is_due(service)).collect();
            let of = due.iter().map(|service| self.batches(service).len()).max().unwrap_or(0);
            while self.batch < of {
                let number = self.batch;
                self.batch += 1;
                let work = self.work(&due, number);
                if !work.is_empty() {
                    let services = || due.iter().filter(|service| self.batches(service).len() > number);
                    let pause = services().map(|service| service.rollout.pause).max().filter(|_| number > 0);
                    let gate = services().flat_map(|service| &service.rollout.gate);
                    let gate: BTreeSet<String> = gate.map(|service| service.value.clone()).collect();
                    return Some(Batch { stage: self.stage, number, of, work, pause: pause.unwrap_or(0), gate });
                }
            }
            self.stage += 1;
            self.batch = 0;
        }
        None
    }

    /// What of this work may begin now that others of its batch have ended: all of it, unless they have spent what a service,
    /// or the run, may lose.
    pub fn begin(&mut self, mut work: Work) -> Option<Work> {
        self.stopped = self.stopped.take().or_else(|| self.losses.stop_run());
        for name in std::mem::take(&mut work.services) {
            let stop = self.stopped.clone().or_else(|| self.service(&name).and_then(|s| self.losses.stop_service(s)));
            match stop {
                Some(reason) => self.block(&name, vec![work.host.clone()], reason),
                None => work.services.push(name),
            }
        }
        work.steps.retain(|step| work.services.iter().any(|service| owns(service, step)));
        self.begun.extend(work.services.iter().map(|service| (work.host.clone(), service.clone())));
        (!work.services.is_empty()).then_some(work)
    }

    /// Whether a service still has something to do that has not begun.
    pub fn comes_later(&self, service: &str) -> bool {
        self.due.0.iter().any(|due| due.1 == service && !self.begun.contains(due))
    }

    /// Where the hosts stand that had something to do.
    pub fn standing(&self) -> Standing {
        let failed = self.losses.failed_hosts();
        let mut standing = Standing::default();
        let hosts: BTreeSet<&str> = self.due.0.iter().map(|(host, _)| host.as_str()).collect();
        for host in hosts {
            let begun = self.begun.iter().any(|(on, _)| on == host);
            let group = match () {
                () if self.losses.is_lost(host) => &mut standing.unreachable,
                () if failed.contains(host) => &mut standing.failed,
                () if begun => &mut standing.done,
                () => &mut standing.untouched,
            };
            group.push(host.to_owned());
        }
        standing
    }

    fn is_due(&self, service: &StageService) -> bool {
        service.hosts.iter().any(|host| self.due.contains(host, &service.name))
    }

    /// The service's hosts that are due and were there when the run began, in its batches.
    fn batches(&self, service: &StageService) -> Vec<Vec<String>> {
        let due = |host: &&String| self.due.contains(host, &service.name) && !self.losses.was_absent(host);
        let mut hosts: Vec<String> = service.hosts.iter().filter(due).cloned().collect();
        match service.rollout.order {
            HostOrder::Inventory => {}
            HostOrder::Reverse => hosts.reverse(),
            HostOrder::Name => hosts.sort(),
        }
        service.rollout.split(&hosts).into_iter().map(<[String]>::to_vec).collect()
    }

    fn work(&mut self, due: &[&StageService], number: usize) -> Vec<Work> {
        let mut work: Vec<Work> = Vec::new();
        for service in due {
            let Some(hosts) = self.batches(service).into_iter().nth(number) else { continue };
            if let Some(reason) = self.obstacle(service) {
                self.block(&service.name, hosts, reason);
                continue;
            }
            for host in hosts.into_iter().filter(|host| !self.losses.is_lost(host)) {
                let Some(planned) = self.plan.hosts.iter().find(|plan| plan.host == host) else { continue };
                let steps = planned.steps.iter().filter(|step| step.service == service.name);
                let at = work.iter().position(|work| work.host == host).unwrap_or_else(|| {
                    work.push(Work { host, services: Vec::new(), steps: Vec::new() });
                    work.len() - 1
                });
                work[at].services.push(service.name.clone());
                work[at].steps.extend(steps.map(|step| step.id.clone()));
            }
        }
        work
    }

    /// Why a service must not begin, or go on to its next batch.
    fn obstacle(&self, service: &StageService) -> Option<String> {
        let stopped = self.stopped.clone().or_else(|| self.losses.stop_service(service));
        stopped.or_else(|| {
            service.uses.iter().find_map(|used| {
                if let Some(blocked) = self.blocked.iter().find(|blocked| blocked.service == *used) {
                    return Some(format!("it uses {used}, which was not begun on {}", blocked.hosts.join(", ")));
                }
                let trouble = self.losses.trouble(self.service(used)?)?;
                Some(format!("it uses {used}, which {trouble}"))
            })
        })
    }

    fn service(&self, name: &str) -> Option<&'p StageService> {
        self.plan.stages.iter().flat_map(|stage| &stage.services).find(|service| service.name == name)
    }

    fn block(&mut self, service: &str, hosts: Vec<String>, reason: String) {
        match self.blocked.iter_mut().find(|blocked| blocked.service == service) {
            Some(blocked) => blocked.hosts.extend(hosts),
            None => self.blocked.push(Blocked { service: service.to_owned(), hosts, reason }),
        }
    }
}

fn owns(service: &str, step: &str) -> bool {
    step.strip_prefix(service).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
