#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use cc_plan::plan::{HostPlan, Stage};
use cc_plan::spec::environment::{BatchSize, Budget, Rollout};

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
        budget: Budget::default(),
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
    let rolling = Rollout { canary: 1, ..Rollout::default() };
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
    schedule.losses().failed("db1", "db");
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
    schedule.losses().failed("web1", "web");
    assert_eq!(schedule.next_batch(), None);
    assert_eq!(schedule.blocked()[0].hosts, ["web2", "web3"]);
}

#[test]
fn an_unreachable_host_keeps_its_dependents_back_but_not_its_fellows() {
    let plan = sites();
    let mut schedule = Schedule::new(&plan, everything(&plan), ["web1".to_owned()]);
    assert_eq!(names(&schedule.next_batch().unwrap()), ["db1:db"]);
    assert_eq!(names(&schedule.next_batch().unwrap()), ["web2:web"], "the canary is a host that is there");
    assert_eq!(names(&schedule.next_batch().unwrap()), ["web3:web"]);
    assert_eq!(schedule.next_batch(), None);
    let blocked: Vec<_> = schedule.blocked().iter().map(|b| (b.service.as_str(), b.reason.as_str())).collect();
    assert_eq!(blocked, [("proxy", "it uses web, which cannot be reached on web1")]);
}

#[test]
fn a_host_that_is_lost_in_the_middle_stops_its_fellows() {
    let plan = sites();
    let mut schedule = Schedule::new(&plan, everything(&plan), []);
    schedule.next_batch();
    schedule.next_batch();
    schedule.losses().lost("web1");
    assert_eq!(schedule.next_batch(), None);
    assert_eq!(schedule.blocked()[0].reason, "it lost web1");
}

/// A site of `count` web hosts in batches of 1, a quarter, and the rest.
fn farm(count: usize, rollout: Rollout, budget: Budget) -> Plan {
    let hosts: Vec<String> = (1..=count).map(|number| format!("web{number:02}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let batches = vec![BatchSize::Hosts(1), BatchSize::Percent(25), BatchSize::Percent(100)];
    Plan { budget, ..plan(vec![vec![service("web", &hosts, &[], Rollout { batches, ..rollout })]]) }
}

/// Works one host at a time; `fails` says whose turn ends badly. Returns the hosts that began.
fn work_through(schedule: &mut Schedule, fails: impl Fn(&str) -> bool) -> Vec<String> {
    let mut begun = Vec::new();
    while let Some(batch) = schedule.next_batch() {
        for work in batch.work {
            let Some(work) = schedule.begin(work) else { continue };
            if fails(&work.host) {
                schedule.losses().failed(&work.host, "web");
            }
            begun.push(work.host);
        }
    }
    begun
}

#[test]
fn a_canary_that_fails_leaves_nineteen_of_twenty_hosts_untouched() {
    let plan = farm(20, Rollout::default(), Budget::default());
    let mut schedule = Schedule::new(&plan, everything(&plan), []);
    assert_eq!(work_through(&mut schedule, |_| true), ["web01"]);
    assert_eq!(schedule.standing().untouched.len(), 19);
}

#[test]
fn the_budget_counts_over_the_whole_run_and_stops_before_the_next_host() {
    let plan = farm(20, Rollout { max_failed: 2, ..Rollout::default() }, Budget::default());
    let mut schedule = Schedule::new(&plan, everything(&plan), []);
    // One in each batch: a budget that began anew with each would let all of them pass.
    let begun = work_through(&mut schedule, |host| ["web01", "web03", "web08"].contains(&host));
    assert_eq!(begun.last().unwrap(), "web08");
    let standing = schedule.standing();
    assert_eq!(standing.failed, ["web01", "web03", "web08"]);
    assert_eq!((standing.done.len(), standing.untouched.len()), (5, 12));
    assert_eq!(schedule.blocked()[0].reason, "it failed on web01, web03, web08: more than max_failed 2");
}

#[test]
fn the_budget_of_the_environment_stops_services_that_have_nothing_to_do_with_each_other() {
    let both = vec![service("db", &["db1", "db2"], &[], Rollout::default())];
    let other = vec![service("mail", &["mail1"], &["none"], Rollout::default())];
    let budget = Budget { max_failed: Some(0), max_unreachable: None };
    let plan = Plan { budget, ..plan(vec![both, other]) };
    let mut schedule = Schedule::new(&plan, everything(&plan), []);
    let batch = schedule.next_batch().unwrap();
    assert!(schedule.begin(batch.work[0].clone()).is_some());
    schedule.losses().failed("db1", "db");
    assert!(schedule.begin(batch.work[1].clone()).is_none());
    assert_eq!(schedule.next_batch(), None);
    assert_eq!(schedule.stopped(), Some("the run failed on db1"));
    let standing = schedule.standing();
    assert_eq!((standing.failed, standing.untouched), (vec!["db1".to_owned()], vec!["db2".to_owned(), "mail1".into()]));
}

#[test]
fn unreachable_is_not_failed() {
    let rollout = Rollout { max_failed: 0, max_unreachable: Some(1), ..Rollout::default() };
    let plan = farm(4, rollout, Budget::default());
    let mut schedule = Schedule::new(&plan, everything(&plan), ["web04".to_owned()]);
    assert_eq!(work_through(&mut schedule, |_| false), ["web01", "web02", "web03"]);
    let mut schedule = Schedule::new(&plan, everything(&plan), ["web03".to_owned(), "web04".to_owned()]);
    assert!(work_through(&mut schedule, |_| false).is_empty());
    assert_eq!(schedule.blocked()[0].reason, "it cannot reach web03, web04: more than max_unreachable 1");
}

#[test]
fn hosts_come_in_the_order_that_is_written() {
    let last_first = farm(3, Rollout { order: HostOrder::Reverse, ..Rollout::default() }, Budget::default());
    let mut schedule = Schedule::new(&last_first, everything(&last_first), []);
    assert_eq!(work_through(&mut schedule, |_| false), ["web03", "web02", "web01"]);
}

#[test]
fn a_gate_that_does_not_open_stops_the_service_and_who_uses_it() {
    let plan = sites();
    let mut schedule = Schedule::new(&plan, everything(&plan), []);
    schedule.next_batch();
    schedule.next_batch();
    schedule.losses().closed("web", "proxy on proxy1: tcp 443: refused");
    assert_eq!(schedule.next_batch(), None);
    let blocked: Vec<_> = schedule.blocked().iter().map(|b| b.reason.as_str()).collect();
    assert_eq!(
        blocked,
        ["its gate did not open: proxy on proxy1: tcp 443: refused", "it uses web, which was not begun on web2, web3"]
    );
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
