//! The harness itself: a test that trusts it must be able to.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{Fleet, TestHost};

#[test]
fn a_host_can_be_looked_at_past_ssh_and_through_it() {
    let host = TestHost::start_with(&[("/small", "size=64k"), ("/strict", "noexec")]);
    assert_eq!(host.sh("systemctl is-system-running"), "running");
    assert_eq!(
        host.try_exec(&["sh", "-c", "echo out; echo err >&2; exit 3"]),
        support::Output { code: 3, stdout: "out\n".to_owned(), stderr: "err\n".to_owned() }
    );
    let over_ssh = host.ssh("root").arg("id -un").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&over_ssh.stdout), "root\n", "{over_ssh:?}");

    let full = host.try_exec(&["dd", "if=/dev/zero", "of=/small/file", "bs=1k", "count=100"]);
    assert!(full.stderr.contains("No space left"), "{full:?}");
    host.put("/strict/run", "0755", b"#!/bin/sh\n");
    assert_eq!(host.try_exec(&["/strict/run"]).code, 126, "noexec");

    host.put("/root/kept file", "0600", b"kept");
    host.reboot();
    assert_eq!(host.sh("cat '/root/kept file'; systemctl is-system-running"), "keptrunning");
}

#[test]
fn a_snapshot_sees_every_kind_of_change() {
    let host = TestHost::start();
    host.sh("mkdir -p /srv/a && cd /srv/a && echo 1 >same && echo 1 >text && echo 1 >mode && echo 1 >touched \
             && echo 1 >swapped && echo 1 >'with space' && ln -s same link && echo 1 >gone");
    let before = host.snapshot(&["/srv/a"]);
    assert!(before.differences(&host.snapshot(&["/srv/a"])).is_empty(), "looking changes nothing");
    host.sh(
        "cd /srv/a && T=$(stat -c %y text) && echo 2 >text && touch -d \"$T\" text && chmod 600 mode && touch touched \
         && cp -p swapped x && mv x swapped && chown 1 'with space' && ln -sfn text link && rm gone && echo >new",
    );
    let differences = before.differences(&host.snapshot(&["/srv/a"]));
    let changed: Vec<_> = differences.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        changed,
        [
            "~ /srv/a",
            "- /srv/a/gone",
            "~ /srv/a/link",
            "~ /srv/a/mode",
            "~ /srv/a/swapped",
            "~ /srv/a/text",
            "~ /srv/a/touched",
            "~ /srv/a/with space",
            "+ /srv/a/new",
        ]
    );
}

#[test]
fn a_hidden_host_is_reached_through_its_neighbour_only() {
    let fleet = Fleet::start(&["jump", "inner"]);
    fleet.hide("inner");
    let inner = &fleet["inner"];
    let direct = inner.ssh("root").args(["-o", "ConnectTimeout=2", "true"]).output().unwrap();
    assert!(String::from_utf8_lossy(&direct.stderr).contains("timed out"), "{direct:?}");
    let greeting = format!("exec 3<>/dev/tcp/{}/22; head -c 4 <&3", inner.address);
    let greeting = fleet["jump"].exec(&["bash", "-c", &greeting]);
    assert_eq!(greeting, "SSH-");
}

#[tokio::test]
async fn hosts_may_be_used_inside_of_a_runtime() {
    let host = TestHost::start();
    assert_eq!(host.sh("hostname"), "host");
}
