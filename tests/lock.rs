//! Two people at once, on real hosts: who holds the lock, what ends it, what a former holder can still do.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command};

use support::{Fleet, Repository, Run, TestHost};

/// A step that waits for the test.
const SLOW: &str = "resources:\n  - command: wait\n    shell: \"touch /srv/begun; while [ ! -e /srv/go ]; do sleep 0.1; done; touch /srv/ended\"\n    creates: /srv/ended\n";

fn slow(host: &TestHost) -> Repository {
    let repository = Repository::of(&[host]);
    repository.environment("  site: {on: every}\n");
    repository.role("site", SLOW);
    repository
}

/// A deploy that is in the middle of its step.
fn at_work(repository: &Repository, host: &TestHost, options: &[&str]) -> Holder {
    let mut child = repository.spawn(&[&["t", "deploy", "--yes"], options].concat());
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    host.sh("until [ -e /srv/begun ]; do sleep 0.1; done");
    Holder { child, lines }
}

struct Holder {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Holder {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// What it said until it ended, and its exit code.
    fn end(mut self) -> (Option<i32>, String) {
        let said: Vec<String> = self.lines.map_while(Result::ok).collect();
        (self.child.wait().unwrap().code(), said.join("\n"))
    }

    /// Reads on until a line has this in it.
    fn says(&mut self, part: &str) {
        let mut said = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            if line.contains(part) {
                return;
            }
            said.push(line);
        }
        panic!("no `{part}` in\n{}", said.join("\n"));
    }
}

/// The row of the lock in `status`.
fn lock(repository: &Repository) -> String {
    let run = repository.run(&["t", "status"]).expect(0);
    run.stdout
        .lines()
        .find(|line| line.trim_start().starts_with("lock"))
        .unwrap_or_else(|| panic!("{run:?}"))
        .to_owned()
}

fn contains(run: &Run, parts: &[&str]) {
    for part in parts {
        assert!(run.stderr.contains(part), "no `{part}` in\n{}", run.stderr);
    }
}

#[test]
fn of_two_who_deploy_one_is_refused_and_told_who_the_other_is_or_waits() {
    let host = TestHost::start();
    let repository = slow(&host);
    let first = at_work(&repository, &host, &[]);
    let second = repository.run(&["t", "deploy", "--yes"]).expect(5);
    contains(&second, &["somebody else is at work", ", run 2", "`deploy`", "last heartbeat", "--lock-timeout"]);
    assert!(lock(&repository).contains("held"));
    repository.run(&["t", "plan"]).expect(0);
    let alive = repository.run(&["t", "unlock"]).expect(5);
    contains(&alive, &["the heartbeat was seen to move", "--force --reason TEXT"]);

    let mut child = repository.spawn(&["t", "deploy", "--yes", "--lock-timeout", "120"]);
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut third = Holder { child, lines };
    third.says("waiting for the lock's holder");
    host.sh("touch /srv/go");
    assert_eq!(first.end().0, Some(0));
    assert_eq!(third.end().0, Some(0));
    assert!(lock(&repository).contains("free"));
}

#[test]
fn ctrl_c_gives_the_lock_back_and_a_killed_command_of_this_machine_is_known_to_be_gone() {
    let host = TestHost::start();
    let repository = slow(&host);
    let mut first = at_work(&repository, &host, &[]);
    first.signal("INT");
    first.says("interrupted: finishing the running steps");
    host.sh("touch /srv/go");
    assert_eq!(first.end().0, Some(130));
    assert!(lock(&repository).contains("free"));

    host.sh("rm /srv/*");
    let second = at_work(&repository, &host, &[]);
    second.signal("KILL");
    second.end();
    host.sh("touch /srv/go; until flock -n /var/lib/cc-cloud/t/lock true; do sleep 0.1; done");
    assert!(lock(&repository).contains("held"));
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert!(lock(&repository).contains("free"));
}

/// The heartbeat goes on over a connection of its own, also where the host that keeps the lock is the one that was cut off.
#[test]
fn the_lock_outlives_a_connection_that_is_cut() {
    let host = TestHost::start();
    let repository = slow(&host);
    let mut first = at_work(&repository, &host, &[]);
    host.sh("pkill -KILL -f '^sshd: root@'");
    first.says("reached again");
    let alive = repository.run(&["t", "unlock"]).expect(5);
    contains(&alive, &["the heartbeat was seen to move"]);
    host.sh("touch /srv/go");
    let (code, said) = first.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(lock(&repository).contains("free"));
}

/// The holder is stopped as by a laptop that sleeps; a colleague takes over and deploys something else to the second host.
#[test]
fn a_holder_that_stands_still_is_followed_after_its_lease_and_its_late_changes_are_refused() {
    let fleet = Fleet::start(&["one", "two"]);
    let hosts: Vec<&TestHost> = fleet.hosts().collect();
    let site = |content: &str| {
        let repository = Repository::of(&hosts);
        repository.environment("  store: {on: one_group}\n  front: {on: two_group}\n");
        repository.role("store", &format!("offers: [{{name: storage, port: 1}}]\n{SLOW}"));
        let front = format!("uses: [storage]\nresources:\n  - file: /srv/front\n    content: {content}\n");
        repository.role("front", &front);
        repository
    };
    let (old, new) = (site("old"), site("new"));
    let first = at_work(&old, &fleet["one"], &["--lock-lease", "3"]);
    first.signal("STOP");
    let second = new.run(&["t", "deploy", "--yes", "--limit", "two", "--lock-timeout", "120"]).expect(0);
    contains(&second, &["waiting for the lock's holder"]);
    assert_eq!(fleet["two"].sh("cat /srv/front"), "new");

    fleet["one"].sh("touch /srv/go; until [ -e /srv/ended ]; do sleep 0.1; done");
    first.signal("CONT");
    let (code, said) = first.end();
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("the environment's lock was lost during the run"), "{said}");
    assert_eq!(fleet["two"].sh("cat /srv/front"), "new");
    assert!(lock(&new).contains("free"));
}

#[test]
fn unlock_ends_a_lock_that_stands_still_and_by_force_one_that_does_not() {
    let host = TestHost::start();
    let repository = slow(&host);
    assert!(repository.run(&["t", "unlock"]).expect(0).stderr.contains("t is not locked"));
    let first = at_work(&repository, &host, &["--lock-lease", "3"]);
    first.signal("STOP");
    let unlocked = repository.run(&["t", "unlock"]).expect(0);
    contains(&unlocked, &["watching the heartbeat", "t is unlocked; it was locked by"]);
    first.signal("CONT");
    host.sh("touch /srv/go");
    let (code, said) = first.end();
    assert_eq!(code, Some(5), "{said}");

    host.sh("rm /srv/*");
    let mut second = at_work(&repository, &host, &["--lock-lease", "3"]);
    let run = repository.run(&["t", "unlock", "--force", "--reason", "the laptop is lost"]).expect(0);
    contains(&run, &["t is unlocked"]);
    second.says("the environment's lock was lost during the run");
    host.sh("touch /srv/go");
    let (code, said) = second.end();
    assert_eq!(code, Some(5), "{said}");
}

#[test]
fn one_of_three_keepers_may_be_down_and_two_stop_the_deploy_before_its_first_change() {
    let fleet = Fleet::start(&["one", "two", "three"]);
    let hosts: Vec<&TestHost> = fleet.hosts().collect();
    let repository = Repository::of(&hosts);
    repository.environment("  post: {on: every}\n");
    repository.role("post", "resources:\n  - file: /srv/post\n    content: x\n");
    fleet["one"].sh("systemctl stop ssh.socket ssh.service");
    let run = repository.run(&["t", "deploy", "--yes", "--timeout", "5"]).expect(4);
    contains(&run, &["host one does not answer", "the environment's lock is kept without it"]);
    assert_eq!(fleet["two"].sh("cat /srv/post; rm /srv/post"), "x");

    fleet["two"].sh("systemctl stop ssh.socket ssh.service");
    let run = repository.run(&["t", "deploy", "--yes", "--timeout", "5"]).expect(4);
    contains(&run, &["2 of the 3 keepers", "host one does not answer", "host two does not answer"]);
    assert_eq!(fleet["three"].sh("cat /srv/post; ls /srv"), "xpost");

    for name in ["one", "two"] {
        fleet[name].sh("systemctl start ssh.service");
    }
    repository.run(&["t", "deploy", "--yes", "--limit", "three"]).expect(0);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(fleet["one"].sh("cat /srv/post"), "x");
}

#[test]
fn a_frozen_environment_refuses_deploys_and_says_why() {
    let host = TestHost::start();
    let repository = Repository::of(&[&host]);
    repository.environment("  post: {on: every}\n");
    repository.role("post", "resources:\n  - file: /srv/post\n    content: x\n");
    let past = repository.run(&["t", "freeze", "--until", "2020-01-01", "--why", "x"]).expect(64);
    contains(&past, &["2020-01-02T00:00:00Z is in the past"]);
    repository.run(&["t", "freeze", "--until", "3h", "--why", "end of the quarter"]).expect(0);
    let refused = repository.run(&["t", "deploy", "--yes"]).expect(5);
    contains(&refused, &["the environment is frozen until", "end of the quarter", "`cc-cloud t unfreeze`"]);
    assert_eq!(host.sh("ls /srv"), "");
    assert!(repository.run(&["t", "status"]).expect(0).stdout.contains("frozen"));
    repository.run(&["t", "plan"]).expect(0);
    repository.run(&["t", "unfreeze"]).expect(0);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert!(repository.run(&["t", "status"]).expect(0).stdout.contains("ended by"));
    assert!(repository.run(&["t", "unfreeze"]).expect(0).stderr.contains("t is not frozen"));
}

/// What a flipped bit, a full disk or an old backup leaves.
#[test]
fn a_damaged_record_is_named_and_replaced_by_force() {
    let host = TestHost::start();
    let repository = Repository::of(&[&host]);
    repository.environment("  post: {on: every}\n");
    repository.role("post", "resources:\n  - file: /srv/post\n    content: x\n");
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    host.sh("rm /srv/post; printf '{\"token\":' >/var/lib/cc-cloud/t/kept/lock");
    let refused = repository.run(&["t", "deploy", "--yes"]).expect(1);
    contains(&refused, &["host host", "its record `lock` is damaged", "`unlock --force --reason TEXT`"]);
    assert_eq!(host.sh("ls /srv"), "");
    repository.run(&["t", "unlock", "--force", "--reason", "a damaged record"]).expect(0);
    repository.run(&["t", "deploy", "--yes"]).expect(0);

    // A host that was restored from an old copy, or another first host: its lock begins at 1 again.
    host.sh("rm /var/lib/cc-cloud/t/kept/lock; rm /srv/post");
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(host.sh("cat /srv/post"), "x");
}
