//! A run that goes on when its controller or its connection does not, and who comes back to it.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{Overheard, Repository, Stepwise, TestHost};

/// Two stages; the second step of the first goes on until `/srv/go` is there.
fn two_stages(host: &TestHost) -> Repository {
    let repository = Repository::of(&[host]);
    repository.environment("  store: {on: every}\n  front: {on: every}\n");
    repository.role(
        "store",
        "offers: [{name: storage, port: 1}]
resources:
  - file: /srv/first
    content: x
  - command: wait
    shell: \"touch /srv/begun; while [ ! -e /srv/go ]; do sleep 0.05; done; touch /srv/ended\"
    creates: /srv/ended
    notify: handle
  - file: /srv/second
    content: x
handlers:
  handle:
    command: handle
    shell: echo ran >>/srv/handled
    changes: always
",
    );
    repository.role("front", "uses: [storage]\nresources:\n  - file: /srv/last\n    content: x\n");
    repository
}

const STAGE: [&str; 4] =
    ["store/file:/srv/first", "store/command:wait", "store/file:/srv/second", "store/handler:handle"];

/// A deploy that is in the middle of its second step.
fn begun(repository: &Repository, words: &[&str]) -> Overheard {
    let mut deploy = Overheard::start(repository, &[&["t", "deploy", "--yes"], words].concat());
    deploy.until("step_started", "command:wait");
    deploy
}

fn all(host: &TestHost) -> String {
    host.sh("cd /srv; ls; cat handled")
}

const ALL: &str = "begun\nended\nfirst\ngo\nhandled\nlast\nsecond\nran";

#[test]
fn the_agent_that_applies_is_a_unit_of_its_own() {
    let host = TestHost::start();
    let repository = two_stages(&host);
    let deploy = begun(&repository, &[]);
    let unit = host.sh("systemctl list-units --plain --no-legend 'cc-cloud-t-*' | cut -d' ' -f1");
    assert!(unit.starts_with("cc-cloud-t-") && unit.ends_with(".service") && !unit.contains('\n'), "{unit}");
    let process = host.sh(&format!("systemctl show -P MainPID {unit}"));
    assert!(host.sh(&format!("cat /proc/{process}/cgroup")).ends_with(&format!("system.slice/{unit}")));
    let modes = host.sh("cd /var/lib/cc-cloud/t; stat -c '%a %n' . run.json runs runs/*");
    assert!(modes.starts_with("700 .\n600 run.json\n700 runs\n600 runs/"), "{modes}");
    host.sh("touch /srv/go");
    let deploy = deploy.expect(0);
    assert_eq!(deploy.finished(), [STAGE.as_slice(), &["front/file:/srv/last"]].concat());
    assert_eq!(all(&host), ALL);
    assert_eq!(host.sh("systemctl list-units --all --plain --no-legend 'cc-cloud-t-*'"), "");
    assert_eq!(host.sh("ls /var/lib/cc-cloud/t"), "journal\nkept\nledger.json\nlock\nrun.json\nruns");
}

#[test]
fn a_deploy_outlives_its_ssh_session() {
    let host = TestHost::start();
    let repository = two_stages(&host);
    let mut deploy = begun(&repository, &[]);
    host.sh("pkill -KILL -f '^sshd: root@'");
    deploy.until("warning", "its stage goes on there");
    deploy.until("note", "reached again");
    host.sh("touch /srv/go");
    let deploy = deploy.expect(0);
    assert_eq!(deploy.finished(), [STAGE.as_slice(), &["front/file:/srv/last"]].concat());
    assert_eq!(all(&host), ALL);
}

#[test]
fn a_deploy_outlives_a_partition() {
    let host = TestHost::start();
    let repository = two_stages(&host);
    let mut deploy = begun(&repository, &["--timeout", "1"]);
    host.partition();
    host.sh("touch /srv/go");
    deploy.until("warning", "its stage goes on there");
    // The stage ends while nobody can be told.
    host.sh("while [ -e /var/lib/cc-cloud/t/socket ]; do sleep 0.05; done");
    host.reunite();
    let deploy = deploy.expect(0);
    assert_eq!(deploy.finished(), [STAGE.as_slice(), &["front/file:/srv/last"]].concat());
    assert_eq!(all(&host), ALL);
}

#[test]
fn another_machine_attaches_and_goes_on() {
    let host = TestHost::start();
    let (repository, elsewhere) = (two_stages(&host), two_stages(&host));
    begun(&repository, &[]).kill();

    let refused = elsewhere.run(&["t", "deploy", "--yes"]).expect(5);
    assert!(refused.stderr.contains("is at work on host, since"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`cc-cloud t attach 20"), "{}", refused.stderr);

    let mut first = Overheard::start(&elsewhere, &["t", "attach"]);
    first.until("step_started", "command:wait");
    // Whoever leaves disturbs nobody.
    let mut second = Overheard::start(&repository, &["t", "attach"]);
    second.until("step_started", "command:wait");
    second.signal("INT");
    host.sh("touch /srv/go");
    let first = first.expect(0);
    assert_eq!(first.finished(), STAGE);
    assert_eq!(host.sh("ls /srv/last 2>&1 || true"), "ls: cannot access '/srv/last': No such file or directory");

    // What was approved is not asked again.
    let resumed = elsewhere.run(&["t", "resume", "--json"]).expect(0);
    let steps: Vec<_> = resumed.events("step_finished").iter().map(|event| event["step"].clone()).collect();
    assert!(steps.iter().any(|step| step == "front/file:/srv/last"), "{steps:?}");
    assert_eq!(all(&host), ALL);
    let nothing = elsewhere.run(&["t", "resume"]).expect(0);
    assert!(nothing.stderr.contains("nothing to go on with"), "{}", nothing.stderr);
    elsewhere.run(&["t", "attach"]).expect(1);
}

#[test]
fn a_plan_that_is_no_longer_the_approved_one_is_asked_about() {
    let host = TestHost::start();
    let repository = two_stages(&host);
    begun(&repository, &[]).kill();
    host.sh("touch /srv/go");
    repository.role("front", "uses: [storage]\nresources:\n  - file: /srv/last\n    content: other\n");
    let asked = repository.run(&["t", "resume"]).expect(64);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    repository.run(&["t", "resume", "--yes"]).expect(0);
    assert_eq!(host.sh("cat /srv/last"), "other");
}

#[test]
fn who_attaches_may_stop_the_run() {
    let host = TestHost::start();
    let repository = two_stages(&host);
    begun(&repository, &[]).kill();
    let mut attached = Overheard::start(&repository, &["t", "attach", "--stop"]);
    attached.until("step_started", "command:wait");
    host.sh("touch /srv/go");
    let attached = attached.expect(1);
    assert_eq!(attached.finished(), STAGE[..2]);
    repository.run(&["t", "resume"]).expect(0);
    assert_eq!(all(&host), ALL);
}

#[test]
fn a_run_that_was_cut_after_a_step_ends_like_one_that_was_not() {
    let host = TestHost::start();
    let (run, elsewhere) = (Stepwise::new(&host), Stepwise::new(&host));
    let deploy = run.begin(0);
    run.release();
    deploy.expect(0);
    run.assert_done("an uninterrupted run");
    for steps in [0, 17, Stepwise::STEPS] {
        run.without_its_agent(steps);
    }
    for steps in [1, 39, Stepwise::STEPS] {
        run.without_its_controller(steps, &elsewhere.repository);
    }
}

#[test]
fn where_there_are_no_units_it_is_said() {
    let host = TestHost::start();
    let repository = two_stages(&host);
    host.sh("chmod -x /usr/bin/systemd-run; touch /srv/go");
    let deploy = repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert!(deploy.stderr.contains("may end with the connection: systemd-run"), "{}", deploy.stderr);
    assert_eq!(all(&host), ALL);
}
