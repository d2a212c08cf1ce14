//! What goes wrong in the middle of a deploy: a disk that is full, a host that freezes, a person who wants out.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command};

use support::{Fleet, Repository, TestHost};

/// Three steps, the second of which goes on until `/srv/go` is there.
const WAITS: &str = "\
resources:
  - file: /srv/first
    content: x
  - command: wait
    shell: \"touch /srv/begun; while [ ! -e /srv/go ]; do sleep 0.1; done; touch /srv/ended\"
    creates: /srv/ended
  - file: /srv/last
    content: x
";

fn waiting(hosts: &[&TestHost]) -> Repository {
    let repository = Repository::of(hosts);
    repository.environment("  post: {on: every}\n").role("post", WAITS);
    repository
}

/// Lets the second step end, and waits until nothing is at work.
fn go_on(host: &TestHost) {
    host.sh("touch /srv/go; while [ -e /var/lib/cc-cloud/t/socket ]; do sleep 0.05; done");
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Reads what the command says until a line has this text.
fn until(stderr: &mut BufReader<ChildStderr>, text: &str) {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "ended without `{text}`");
    }
}

#[test]
fn a_full_disk_fails_the_step_with_the_reason_and_leaves_no_half_of_a_file() {
    let host = TestHost::start_with(&[("/small", "size=64k")]);
    let repository = Repository::of(&[&host]);
    repository.environment("  post: {on: every}\n");
    let role = "resources:\n  - file: /small/file\n    content: \"{{ 'text ' * SIZE }}\"\n";
    repository.role("post", &role.replace("SIZE", "100"));
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    let before = host.snapshot(&["/small"]);

    repository.role("post", &role.replace("SIZE", "100000"));
    let failed = repository.run(&["t", "deploy", "--yes"]).expect(1);
    for part in ["host: service post, step file:/small/file", "/small", "No space left on device", "hint: "] {
        assert!(failed.stderr.contains(part), "no `{part}` in\n{}", failed.stderr);
    }
    let left: Vec<String> = before.differences(&host.snapshot(&["/small"]));
    assert!(left.iter().all(|line| line.starts_with("~ /small: ")), "{left:?}");

    repository.role("post", &role.replace("SIZE", "1000"));
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    repository.run(&["t", "plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_host_that_freezes_is_lost_and_the_others_go_on() {
    let fleet = Fleet::start(&["one", "two"]);
    let repository = waiting(&fleet.hosts().collect::<Vec<_>>());
    // The time after which a silent host is asked for a sign of life.
    let child = repository.spawn(&["t", "deploy", "--yes", "--timeout", "2", "--reconnect", "3"]);
    for host in fleet.hosts() {
        host.sh("until [ -e /srv/begun ]; do sleep 0.1; done");
    }
    fleet["two"].sh("pkill -STOP sshd");
    fleet["one"].sh("touch /srv/go");
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    for part in ["two: the connection was lost", "hint: the host or its network went away"] {
        assert!(said.contains(part), "no `{part}` in\n{said}");
    }
    assert_eq!(fleet["one"].sh("cat /srv/last"), "x");

    fleet["two"].sh("pkill -CONT sshd");
    go_on(&fleet["two"]);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(fleet["two"].sh("cat /srv/last"), "x");
}

#[test]
fn ctrl_c_twice_stops_at_once_and_the_next_deploy_goes_on() {
    let host = TestHost::start();
    let repository = waiting(&[&host]);
    let mut child = repository.spawn(&["t", "deploy", "--yes"]);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    host.sh("until [ -e /srv/begun ]; do sleep 0.1; done");
    interrupt(&child);
    until(&mut stderr, "press Ctrl-C again");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(host.sh("ls /srv"), "begun\nfirst");

    go_on(&host);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(host.sh("ls /srv"), "begun\nended\nfirst\ngo\nlast");
}
