//! How changes roll over hosts: canaries, budgets, order, pauses and gates, on real hosts.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{Fleet, Repository, TestHost};

/// A service that breaks where `/srv/broken` is.
const FRAGILE: &str = "\
resources:
  - file: /srv/setting
    content: \"{{ params.setting }}\"
    notify: restart
handlers:
  restart:
    command: restart
    shell: date +%s%N >/srv/restarted; [ ! -e /srv/broken ]
    changes: always
params:
  setting: {type: string, doc: Anything}
";

fn farm(rollout: &str, environment: &str) -> (Fleet, Repository) {
    let fleet = Fleet::start(&["one", "two", "three", "four"]);
    let hosts: Vec<&TestHost> = fleet.hosts().collect();
    let repository = Repository::of(&hosts);
    repository.environment(&format!("  web: {{on: every, setting: new, rollout: {rollout}}}\n{environment}"));
    repository.role("web", FRAGILE);
    (fleet, repository)
}

/// Those of the hosts on which the file is.
fn with<'f>(fleet: &'f Fleet, file: &str) -> Vec<&'f str> {
    let there = |host: &&TestHost| host.try_exec(&["test", "-e", file]).code == 0;
    fleet.hosts().filter(there).map(|host| host.name.as_str()).collect()
}

#[test]
fn a_canary_that_fails_leaves_the_others_untouched() {
    let (fleet, repository) = farm("{canary: 1, order: reverse}", "");
    fleet["four"].sh("touch /srv/broken");
    let run = repository.run(&["t", "deploy", "--yes"]).expect(1);
    assert!(run.stderr.contains("not begun: web on three, two, one: it failed on four"), "{}", run.stderr);
    assert_eq!(with(&fleet, "/srv/setting"), ["four"]);

    fleet["four"].sh("rm /srv/broken");
    let run = repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert!(run.stderr.contains("batch 2/2: web on three, two, one"), "{}", run.stderr);
    assert_eq!(with(&fleet, "/srv/restarted"), ["one", "two", "three", "four"]);
}

#[test]
fn a_budget_that_is_spent_stops_before_the_next_host_and_the_next_run_touches_only_the_rest() {
    let (fleet, repository) = farm("{batches: [1], max_failed: 4}", "rollout: {max_failed: 1}\n");
    for name in ["one", "three"] {
        fleet[name].sh("touch /srv/broken");
    }
    let run = repository.run(&["t", "deploy", "--yes"]).expect(1);
    for part in [
        "stopped: the run failed on one, three: more than max_failed 1",
        "failed: one, three",
        "done: two",
        "untouched: four",
    ] {
        assert!(run.stderr.contains(part), "no `{part}` in\n{}", run.stderr);
    }
    assert_eq!(with(&fleet, "/srv/setting"), ["one", "two", "three"]);

    let before = fleet["two"].sh("cat /srv/restarted");
    for name in ["one", "three"] {
        fleet[name].sh("rm /srv/broken");
    }
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(with(&fleet, "/srv/setting"), ["one", "two", "three", "four"]);
    assert_eq!(fleet["two"].sh("cat /srv/restarted"), before, "what is done is not done twice");
}

#[test]
fn hosts_that_are_out_of_reach_are_not_failed_ones() {
    let (fleet, repository) = farm("{batches: [1], max_failed: 0, max_unreachable: 1}", "");
    // Of the three hosts that keep the lock, two have to answer: the fourth is none of them.
    fleet["four"].sh("systemctl stop ssh.socket ssh.service");
    repository.run(&["t", "deploy", "--yes", "--timeout", "5"]).expect(4);
    assert_eq!(with(&fleet, "/srv/setting"), ["one", "two", "three"]);

    fleet["three"].sh("systemctl stop ssh.socket ssh.service");
    repository.environment("  web: {on: every, setting: newer, rollout: {batches: [1], max_unreachable: 1}}\n");
    let run = repository.run(&["t", "deploy", "--yes", "--timeout", "5"]).expect(4);
    assert!(run.stderr.contains("it cannot reach four, three: more than max_unreachable 1"), "{}", run.stderr);
    assert_eq!(fleet["one"].sh("cat /srv/setting"), "new");
}

#[test]
fn a_gate_asks_a_service_that_did_not_change_and_shows_its_log() {
    let (fleet, repository) = farm("{batches: [1], gate: [proxy], pause: 1s}", "  proxy: {on: four_group}\n");
    repository.role(
        "proxy",
        "resources:\n  - unit: proxy.service\n    content: |\n      [Service]\n      ExecStart=/bin/sh -c 'echo proxy is up; exec sleep infinity'\n      [Install]\n      WantedBy=multi-user.target\n  - service: proxy.service\n    enabled: true\n    running: true\nhealth:\n  - command: [test, \"!\", -e, /srv/closed]\n",
    );
    // The first time the proxy comes after the web hosts: there is nothing to ask yet.
    let run = repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert!(run.stderr.contains("pausing 1 s before the next batch"), "{}", run.stderr);

    repository.environment(
        "  web: {on: every, setting: newer, rollout: {batches: [1], gate: [proxy]}}\n  proxy: {on: four_group}\n",
    );
    fleet["four"].sh("touch /srv/closed");
    let run = repository.run(&["t", "deploy", "--yes", "--health-deadline", "1"]).expect(1);
    for part in ["its gate did not open: proxy on four", "not begun: web on two, three, four", "proxy is up"] {
        assert!(run.stderr.contains(part), "no `{part}` in\n{}", run.stderr);
    }
    assert_eq!(fleet["two"].sh("cat /srv/setting"), "new");
}
