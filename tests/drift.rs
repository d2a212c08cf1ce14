//! What drifted and who moved, on real hosts, through the command.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;

use support::{Fleet, Repository, Run, TestHost};

fn site(hosts: &[&TestHost]) -> Repository {
    let repository = Repository::of(hosts);
    repository.environment("  site: {on: every}\n");
    role(&repository, "green", "");
    repository
}

/// The role with this colour in two files, and with more resources.
fn role(repository: &Repository, colour: &str, more: &str) {
    repository.role(
        "site",
        &format!(
            "resources:\n  - directory: /srv/site\n  - file: /srv/site/one\n    content: \"{colour}\\n\"\n  \
             - file: /srv/site/two\n    content: \"{colour}\\n\"\n  - file: /srv/site/three\n    content: \"three\\n\"\n    \
             mode: \"0640\"\n  - command: in every deploy\n    shell: \"true\"\n    changes: always\n{more}"
        ),
    );
}

/// Steps by cause: `("host", "site/file:/srv/site/one")`.
fn causes(run: &Run) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let drift = &run.events("drift")[0];
    let hosts = drift["hosts"].as_array().unwrap().iter();
    let drifted = hosts.flat_map(|host| host["drifted"].as_array().unwrap());
    drifted.map(|one| (text(&one["cause"]), text(&one["step"]))).collect()
}

#[test]
fn it_is_told_whether_the_spec_or_the_host_moved_or_both() {
    let host = TestHost::start();
    let repository = site(&[&host]);
    let before = repository.run(&["t", "drift", "--json"]).expect(2);
    assert_eq!(causes(&before).iter().filter(|(cause, _)| cause == "never").count(), 4, "{:?}", causes(&before));

    repository.run(&["t", "deploy", "--yes"]).expect(0);
    let none = repository.run(&["t", "drift"]).expect(0);
    assert!(none.stdout.starts_with("Drift: none; 5 as deployed on 1 host"), "{}", none.stdout);

    let watched = ["/srv/site", "/var/lib/cc-cloud/t"];
    host.sh("echo red >/srv/site/two; chmod 600 /srv/site/three; touch -d '2026-01-02 03:04:05 UTC' /srv/site/two");
    role(&repository, "blue", "");
    let settled = host.snapshot(&watched);
    let found = repository.run(&["t", "drift", "--json", "--junit", "drift.xml"]).expect(2);
    let expected = [
        ("both", "site/file:/srv/site/two"),
        ("host", "site/file:/srv/site/three"),
        ("spec", "site/file:/srv/site/one"),
    ];
    assert_eq!(causes(&found), expected.map(|(cause, step)| (cause.to_owned(), step.to_owned())));
    assert_eq!(settled.differences(&host.snapshot(&watched)), Vec::<String>::new(), "drift changes nothing");
    let junit = fs::read_to_string(repository.path("drift.xml")).unwrap();
    assert!(junit.contains("tests=\"4\" failures=\"3\" errors=\"0\""), "{junit}");

    let text = repository.run(&["t", "drift"]).expect(2).stdout;
    for part in [
        "the spec and the host changed since the last deploy\n  ~ site/file /srv/site/two  (host)\n",
        "-red\n      +blue\n",
        " by run 2",
        "; modified 2026-01-02 03:04:05 UTC, owner root\n",
        "Drift: 1 changed in the spec and on the host, 1 changed on the host, 1 changed in the spec; 2 as deployed on 1 host\n",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }

    repository.run(&["t", "deploy", "--yes"]).expect(0);
    repository.run(&["t", "drift"]).expect(0);
}

#[test]
fn a_package_tells_who_removed_it() {
    let host = TestHost::start();
    let repository = site(&[&host]);
    role(&repository, "green", "  - package: hello\n");
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    host.sh("useradd ana && SUDO_UID=$(id -u ana) apt-get -qq -y remove hello");
    let text = repository.run(&["t", "drift"]).expect(2).stdout;
    for part in ["  + site/package hello  (host)\n", "`apt-get -qq -y remove hello` at 2", ", asked for by ana (1"] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

#[test]
fn orphans_are_drift_until_they_are_gone() {
    let host = TestHost::start();
    let repository = site(&[&host]);
    role(&repository, "green", "  - file: /srv/site/old\n    content: x\n");
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    role(&repository, "green", "");
    let found = repository.run(&["t", "drift", "--json"]).expect(2);
    assert_eq!(causes(&found), [("orphan".to_owned(), "site/file:/srv/site/old".to_owned())]);
    host.sh("rm /srv/site/old");
    repository.run(&["t", "drift"]).expect(0);
}

#[test]
fn of_a_secret_it_is_told_that_it_changed_and_never_what() {
    let host = TestHost::start();
    let repository = Repository::of(&[&host]);
    repository.environment("  site: {on: every, password: {secret: site_password}}\n");
    repository.role(
        "site",
        "params:\n  password: {type: secret, doc: Password}\nresources:\n  - file: /srv/password\n    content: \"{{ params.password }}\"\n",
    );
    repository.run(&["t", "secrets", "keygen"]).expect(0);
    repository.run(&["t", "secrets", "set", "site_password", "--random"]).expect(0);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    let old = host.sh("cat /srv/password");
    repository.run(&["t", "secrets", "set", "site_password", "--random", "--replace"]).expect(0);
    let found = repository.run(&["t", "drift", "--json"]).expect(2);
    assert_eq!(causes(&found), [("spec_at_least".to_owned(), "site/file:/srv/password".to_owned())]);
    let text = repository.run(&["t", "drift"]).expect(2).stdout;
    assert!(text.contains("-(hidden)\n      +(secret)\n"), "{text}");
    assert!(!repository.printed.borrow().contains(&old));
}

#[test]
fn a_host_that_does_not_answer_is_not_taken_for_one_without_drift() {
    let fleet = Fleet::start(&["one", "two"]);
    let hosts: Vec<&TestHost> = fleet.hosts().collect();
    let repository = site(&hosts);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    fleet["two"].sh("systemctl stop ssh.socket ssh.service");
    let run = repository.run(&["t", "drift", "--timeout", "5", "--junit", "drift.xml"]).expect(4);
    assert!(run.stdout.contains("Drift: none; 5 as deployed on 1 host; 1 unreachable"), "{}", run.stdout);
    assert!(fs::read_to_string(repository.path("drift.xml")).unwrap().contains("<error message=\"two: "));
    let run = repository.run(&["t", "drift", "--limit", "one"]).expect(0);
    assert!(run.stdout.contains("Drift: none"), "{}", run.stdout);
}

/// Cheap enough for cron, and in nobody's way: no round trip more than a plan, and no lock.
#[test]
fn it_takes_no_round_trip_more_than_a_plan_and_waits_for_no_deploy() {
    let host = TestHost::start();
    let repository = site(&[&host]);
    role(
        &repository,
        "green",
        "  - command: wait\n    shell: \"touch /srv/begun; while [ ! -e /srv/go ]; do sleep 0.1; done\"\n    unless: \"[ -e /srv/go ]\"\n",
    );
    let mut deploy = repository.spawn(&["t", "deploy", "--yes"]);
    host.sh("until [ -e /srv/begun ]; do sleep 0.1; done");
    let found = repository.run(&["t", "drift", "--json"]).expect(2);
    let unfinished = causes(&found);
    assert!(unfinished.iter().any(|(_, step)| step == "site/command:wait"), "{unfinished:?}");
    host.sh("touch /srv/go");
    assert!(deploy.wait().unwrap().success());
    let trips = |run: &Run| run.events("traffic")[0]["hosts"][0]["round_trips"].as_u64().unwrap();
    let drift = repository.run(&["t", "drift", "--json"]).expect(0);
    let plan = repository.run(&["t", "plan", "--json"]).expect(0);
    assert_eq!(trips(&drift), trips(&plan));
}
