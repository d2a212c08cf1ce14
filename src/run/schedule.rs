//! Which steps run where and when: stages, batches, and what a failure stops. Pure, so that it can be tested without hosts.

use std::collections::{BTreeMap, BTreeSet};

use cc_plan::plan::{Plan, StageService};

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
    /// One entry a host.
    pub work: Vec<Work>,
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
    failures: BTreeMap<String, BTreeSet<String>>,
    lost: BTreeSet<String>,
    blocked: Vec<Blocked>,
}

impl<'p> Schedule<'p> {
    /// A schedule of what is due. `lost` are hosts that cannot be reached.
    pub fn new(plan: &'p Plan, due: Due, lost: impl IntoIterator<Item = String>) -> Self {
        let lost: BTreeSet<String> = lost.into_iter().collect();
        let mut failures: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for service in plan.stages.iter().flat_map(|stage| &stage.services) {
            let missing: BTreeSet<String> = service.hosts.iter().filter(|host| lost.contains(*host)).cloned().collect();
            if !missing.is_empty() {
                failures.insert(service.name.clone(), missing);
            }
        }
        Self { plan, due, stage: 0, batch: 0, failures, lost, blocked: Vec::new() }
    }

    /// How many stages have something due.
    pub fn stages(&self) -> usize {
        self.plan.stages.iter().filter(|stage| stage.services.iter().any(|service| self.is_due(service))).count()
    }

    /// A service failed on a host.
    pub fn failed(&mut self, host: &str, service: &str) {
        self.failures.entry(service.to_owned()).or_default().insert(host.to_owned());
    }

    /// A host was lost: everything on it that had not been done has failed.
    pub fn lost(&mut self, host: &str) {
        self.lost.insert(host.to_owned());
        for service in self.plan.stages.iter().skip(self.stage).flat_map(|stage| &stage.services) {
            if service.hosts.iter().any(|on| on == host) && self.due.contains(host, &service.name) {
                self.failures.entry(service.name.clone()).or_default().insert(host.to_owned());
            }
        }
    }

    /// Services that were not begun so far, each once.
    pub fn blocked(&self) -> &[Blocked] {
        &self.blocked
    }

    /// The next batch that has something to do; `None` at the end.
    pub fn next_batch(&mut self) -> Option<Batch> {
        while let Some(stage) = self.plan.stages.get(self.stage) {
            let due: Vec<&StageService> = stage.services.iter().filter(|service| self.is_due(service)).collect();
            let of = due.iter().map(|service| self.batches(service).len()).max().unwrap_or(0);
            while self.batch < of {
                let number = self.batch;
                self.batch += 1;
                let work = self.work(&due, number);
                if !work.is_empty() {
                    return Some(Batch { stage: self.stage, number, of, work });
                }
            }
            self.stage += 1;
            self.batch = 0;
        }
        None
    }

    fn is_due(&self, service: &StageService) -> bool {
        service.hosts.iter().any(|host| self.due.contains(host, &service.name))
    }

    /// The service's hosts that are due, in its batches.
    fn batches(&self, service: &StageService) -> Vec<Vec<String>> {
        let hosts: Vec<String> =
            service.hosts.iter().filter(|host| self.due.contains(host, &service.name)).cloned().collect();
        service.rollout.split(&hosts).into_iter().map(<[String]>::to_vec).collect()
    }

    fn work(&mut self, due: &[&StageService], number: usize) -> Vec<Work> {
        let mut work: BTreeMap<usize, Work> = BTreeMap::new();
        for service in due {
            let Some(hosts) = self.batches(service).into_iter().nth(number) else { continue };
            if let Some(reason) = self.obstacle(service, number) {
                self.block(&service.name, hosts, reason);
                continue;
            }
            for host in hosts.into_iter().filter(|host| !self.lost.contains(host)) {
                let Some(position) = self.plan.hosts.iter().position(|plan| plan.host == host) else { continue };
                let steps = self.plan.hosts[position].steps.iter().filter(|step| step.service == service.name);
                let entry =
                    work.entry(position).or_insert_with(|| Work { host, services: Vec::new(), steps: Vec::new() });
                entry.services.push(service.name.clone());
                entry.steps.extend(steps.map(|step| step.id.clone()));
            }
        }
        work.into_values().collect()
    }

    /// Why a service must not begin, or go on to its next batch.
    fn obstacle(&self, service: &StageService, number: usize) -> Option<String> {
        let spent = self.failures.get(&service.name).filter(|hosts| hosts.len() > service.rollout.max_failed);
        // Hosts that were unreachable from the start do not keep the reachable ones of the same service back.
        if let Some(hosts) = spent
            && number > 0
        {
            return Some(format!("it failed on {}", join(hosts)));
        }
        service.uses.iter().find_map(|used| {
            if let Some(blocked) = self.blocked.iter().find(|blocked| blocked.service == *used) {
                return Some(format!("it uses {used}, which was not begun on {}", blocked.hosts.join(", ")));
            }
            let budget = self.service(used).map_or(0, |service| service.rollout.max_failed);
            let hosts = self.failures.get(used).filter(|hosts| hosts.len() > budget)?;
            let lost = hosts.iter().all(|host| self.lost.contains(host));
            let what = if lost { "cannot be reached" } else { "failed" };
            Some(format!("it uses {used}, which {what} on {}", join(hosts)))
        })
    }

    fn service(&self, name: &str) -> Option<&StageService> {
        self.plan.stages.iter().flat_map(|stage| &stage.services).find(|service| service.name == name)
    }

    fn block(&mut self, service: &str, hosts: Vec<String>, reason: String) {
        match self.blocked.iter_mut().find(|blocked| blocked.service == service) {
            Some(blocked) => blocked.hosts.extend(hosts),
            None => self.blocked.push(Blocked { service: service.to_owned(), hosts, reason }),
        }
    }
}

fn join(hosts: &BTreeSet<String>) -> String {
    hosts.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use cc_plan::plan::{HostPlan, Stage};
    use cc_plan::spec::environment::{BatchSize, Rollout};

    use super::*;

    fn service(name: &str, hosts: &[&str], uses: &[&str], rollout: Rollout) -> StageService {
        StageService {
            name: name.to_owned(),
            role: name.to_owned(),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            uses: uses.iter().map(|&used| used.to_owned()).collect(),
            rollout,
        }
    }

    fn plan(stages: Vec<Vec<StageService>>) -> Plan {
        let hosts: BTreeSet<String> = stages.iter().flatten().flat_map(|service| service.hosts.clone()).collect();
        let host = |host| HostPlan {
            host,
            steps: Vec::new(),
            handlers: Vec::new(),
            checks: Vec::new(),
            needs: Vec::new(),
            offers: Vec::new(),
        };
        Plan {
            environment: "test".to_owned(),
            hosts: hosts.into_iter().map(host).collect(),
            stages: stages.into_iter().map(|services| Stage { services }).collect(),
            blobs: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }

    fn everything(plan: &Plan) -> Due {
        let mut due = Due::default();
        for service in plan.stages.iter().flat_map(|stage| &stage.services) {
            for host in &service.hosts {
                due.add(host, &service.name);
            }
        }
        due
    }

    fn sites() -> Plan {
        let rolling = Rollout { canary: 1, batches: vec![BatchSize::Percent(100)], max_failed: 0 };
        plan(vec![
            vec![service("db", &["db1"], &[], Rollout::default()), service("mail", &["web1"], &[], Rollout::default())],
            vec![service("web", &["web1", "web2", "web3"], &["db"], rolling)],
            vec![service("proxy", &["proxy1"], &["web"], Rollout::default())],
        ])
    }

    fn names(batch: &Batch) -> Vec<String> {
        batch.work.iter().map(|work| format!("{}:{}", work.host, work.services.join("+"))).collect()
    }

    #[test]
    fn stages_and_batches_come_in_order() {
        let plan = sites();
        let mut schedule = Schedule::new(&plan, everything(&plan), []);
        assert_eq!(schedule.stages(), 3);
        let batches: Vec<_> = std::iter::from_fn(|| schedule.next_batch()).map(|batch| names(&batch)).collect();
        assert_eq!(
            batches,
            [vec!["db1:db", "web1:mail"], vec!["web1:web"], vec!["web2:web", "web3:web"], vec!["proxy1:proxy"]]
        );
        assert!(schedule.blocked().is_empty());
    }

    #[test]
    fn a_failure_stops_what_depends_on_it_and_nothing_else() {
        let plan = sites();
        let mut schedule = Schedule::new(&plan, everything(&plan), []);
        schedule.next_batch();
        schedule.failed("db1", "db");
        assert_eq!(schedule.next_batch(), None);
        let blocked: Vec<_> = schedule.blocked().iter().map(|b| (b.service.as_str(), b.reason.as_str())).collect();
        assert_eq!(blocked[0], ("web", "it uses db, which failed on db1"));
        assert_eq!(blocked[1].0, "proxy");
    }

    #[test]
    fn a_failed_canary_stops_the_later_batches() {
        let plan = sites();
        let mut schedule = Schedule::new(&plan, everything(&plan), []);
        schedule.next_batch();
        assert_eq!(names(&schedule.next_batch().unwrap()), ["web1:web"]);
        schedule.failed("web1", "web");
        assert_eq!(schedule.next_batch(), None);
        assert_eq!(schedule.blocked()[0].hosts, ["web2", "web3"]);
    }

    #[test]
    fn an_unreachable_host_keeps_its_dependents_back_but_not_its_fellows() {
        let plan = sites();
        let mut schedule = Schedule::new(&plan, everything(&plan), ["web1".to_owned()]);
        assert_eq!(names(&schedule.next_batch().unwrap()), ["db1:db"]);
        assert_eq!(schedule.next_batch(), None, "the canary is the lost host, so the rest of web waits");
        assert_eq!(schedule.blocked().iter().map(|b| b.service.as_str()).collect::<Vec<_>>(), ["web", "proxy"]);
    }

    #[test]
    fn what_is_not_due_is_not_touched() {
        let plan = sites();
        let mut due = Due::default();
        due.add("web2", "web");
        due.add("proxy1", "proxy");
        let mut schedule = Schedule::new(&plan, due, []);
        assert_eq!(schedule.stages(), 2);
        let batches: Vec<_> = std::iter::from_fn(|| schedule.next_batch()).collect();
        assert_eq!(batches.iter().map(names).collect::<Vec<_>>(), [vec!["web2:web"], vec!["proxy1:proxy"]]);
    }
}
