//! Plan and deploy on real hosts, through the command, as a person uses it.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::io::{BufRead, BufReader};

use support::{Fleet, Repository, TestHost};

/// What a plan may leave on a host: the agent.
const WATCHED: [&str; 6] = ["/etc", "/opt", "/srv", "/root", "/usr/local", "/home"];

const SITE: &str = "\
resources:
  - directory: /srv/site
    mode: \"0755\"
  - file: /srv/site/plain
    content: \"plain\\n\"
    mode: \"0640\"
  - template: /srv/site/settings
    source: settings.j2
    notify: note the change
handlers:
  note the change:
    command: note the change
    shell: echo ran >>/srv/site/handled
    changes: always
health:
  - command: [test, -e, /srv/site/plain]
";

/// What changed on a host since `before`. The watched folders' own times are left out: the containers' file system shows
/// those of an upper layer only after the folder has been opened. What is in the folders is compared whole.
fn changes(host: &TestHost, before: &support::Snapshot) -> Vec<String> {
    let own = |line: &String| !WATCHED.iter().any(|folder| line.starts_with(&format!("~ {folder}:")));
    before.differences(&host.snapshot(&WATCHED)).into_iter().filter(own).collect()
}

fn booted() -> TestHost {
    let host = TestHost::start();
    host.sh("systemctl is-system-running --wait");
    host
}

fn site(host: &TestHost) -> Repository {
    let repository = Repository::of(&[host]);
    repository.environment("  site: {on: every, colour: green}\n");
    repository.role("site", &format!("params:\n  colour: {{type: string, doc: Colour}}\n{SITE}"));
    repository.write("roles/site/templates/settings.j2", "colour = {{ params.colour }}\nhost = {{ host.name }}\n");
    repository
}

#[test]
fn a_plan_shows_the_change_and_touches_nothing_and_a_second_deploy_does_nothing() {
    let host = booted();
    let repository = site(&host);
    let before = host.snapshot(&WATCHED);
    let plan = repository.run(&["t", "plan", "--detailed-exitcode"]).expect(2);
    assert!(plan.stdout.contains("+ template /srv/site/settings"), "{}", plan.stdout);
    assert!(plan.stdout.contains("+colour = green"), "{}", plan.stdout);
    assert_eq!(changes(&host, &before), Vec::<String>::new());
    let left = host.sh("find /var/lib/cc-cloud -type f | sed 's/-[0-9a-f]*$//' | sort -u");
    assert_eq!(left, "/var/lib/cc-cloud/agent", "a plan leaves the agent and nothing else");

    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(host.sh("cat /srv/site/settings; cat /srv/site/handled"), "colour = green\nhost = host\nran");
    assert_eq!(host.sh("stat -c '%a %U' /srv/site/plain"), "640 root");

    let settled = host.snapshot(&WATCHED);
    let again = repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert!(again.stdout.contains("no changes"), "{}", again.stdout);
    repository.run(&["t", "plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(changes(&host, &settled), Vec::<String>::new());
}

#[test]
fn an_edit_on_the_host_shows_as_a_diff_and_is_mended() {
    let host = TestHost::start();
    let repository = site(&host);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    host.sh("sed -i s/green/red/ /srv/site/settings; chmod 600 /srv/site/plain");
    let plan = repository.run(&["t", "plan"]).expect(0);
    for part in ["-colour = red", "+colour = green", "mode: 0600 → 0640", "! handler note the change"] {
        assert!(plan.stdout.contains(part), "no `{part}` in\n{}", plan.stdout);
    }
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(host.sh("grep -c green /srv/site/settings; wc -l </srv/site/handled"), "1\n2");
}

#[test]
fn nobody_to_ask_and_no_yes_changes_nothing() {
    let host = TestHost::start();
    let run = site(&host).run(&["t", "deploy"]).expect(64);
    assert!(run.stderr.contains("--yes"), "{}", run.stderr);
    assert_eq!(host.sh("ls /srv"), "");
}

#[test]
fn no_change_takes_at_most_ten_round_trips_whatever_the_number_of_steps() {
    let host = TestHost::start();
    let repository = Repository::of(&[&host]);
    repository.environment("  many: {on: every}\n");
    repository.role(
        "many",
        "resources:\n  - directory: /srv/many\n  - file: /srv/many/{{ item }}\n    each: range(100)\n    content: \"{{ item }}\"\n",
    );
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    std::fs::write(host.known_hosts(), "").unwrap();
    for command in [&["t", "plan", "--json"][..], &["t", "deploy", "--yes", "--json"]] {
        let run = repository.run(command).expect(0);
        let traffic = &run.events("traffic")[0];
        let trips = traffic["hosts"][0]["round_trips"].as_u64().unwrap();
        assert!(trips <= 10, "{command:?}: {trips} round trips");
    }
}

#[test]
fn a_failing_host_stops_what_depends_on_it_and_nothing_else() {
    let fleet = Fleet::start(&["db", "web", "mail"]);
    let hosts: Vec<&TestHost> = fleet.hosts().collect();
    let repository = Repository::of(&hosts);
    repository.environment("  store: {on: db_group}\n  front: {on: web_group}\n  post: {on: mail_group}\n");
    repository.role(
        "store",
        "offers: [{name: storage, port: 1}]\nresources:\n  - command: break\n    shell: \"echo reason >&2; exit 7\"\n    creates: /srv/never\n",
    );
    repository.role("front", "uses: [storage]\nresources:\n  - file: /srv/front\n    content: x\n");
    repository.role("post", "resources:\n  - file: /srv/post\n    content: x\n");
    let run = repository.run(&["t", "deploy", "--yes"]).expect(1);
    for part in [
        "db: service store, step command:break",
        "| reason",
        "not begun: front on web",
        "it uses store, which failed on db",
    ] {
        assert!(run.stderr.contains(part), "no `{part}` in\n{}", run.stderr);
    }
    assert_eq!(fleet["mail"].sh("cat /srv/post"), "x");
    assert_eq!(fleet["web"].sh("ls /srv"), "");
}

#[test]
fn a_host_that_is_down_is_unreachable_and_the_others_are_deployed() {
    let fleet = Fleet::start(&["one", "two"]);
    let hosts: Vec<&TestHost> = fleet.hosts().collect();
    let repository = Repository::of(&hosts);
    repository.environment("  post: {on: every}\n");
    repository.role("post", "resources:\n  - file: /srv/post\n    content: x\n");
    fleet["two"].sh("systemctl stop ssh.socket ssh.service");
    let run = repository.run(&["t", "deploy", "--yes", "--timeout", "5"]).expect(4);
    assert!(run.stdout.contains("unreachable"), "{}", run.stdout);
    assert_eq!(fleet["one"].sh("cat /srv/post"), "x");
}

/// The first wish of Ansible's users for ten years: a handler that was notified runs, even when the run is killed before it.
#[test]
fn a_handler_that_is_pending_when_the_controller_is_killed_runs_in_the_next_deploy() {
    let host = TestHost::start();
    let repository = Repository::of(&[&host]);
    repository.environment("  site: {on: every}\n");
    repository.role(
        "site",
        "resources:\n  - file: /srv/changed\n    content: x\n    notify: handle\n  - command: wait\n    shell: \"while [ ! -e /srv/go ]; do sleep 0.1; done\"\n    unless: \"[ -e /srv/go ]\"\nhandlers:\n  handle:\n    command: handle\n    shell: echo ran >>/srv/handled\n    changes: always\n",
    );
    let mut child = repository.spawn(&["t", "deploy", "--yes"]);
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let seen = stderr.lines().map_while(Result::ok).find(|line| line.contains("file:/srv/changed"));
    assert!(seen.is_some(), "the first step was reported");
    child.kill().unwrap();
    child.wait().unwrap();
    host.sh("pkill -KILL -f 'agent-[0-9a-f]' ; touch /srv/go; rm -f /srv/handled");

    let plan = repository.run(&["t", "plan"]).expect(0);
    assert!(plan.stdout.contains("still pending from a run that was cut off"), "{}", plan.stdout);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(host.sh("cat /srv/handled"), "ran");
    let again = repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert!(again.stdout.contains("no changes"), "{}", again.stdout);
}

#[test]
fn ctrl_c_finishes_the_running_step_and_starts_no_other() {
    let host = TestHost::start();
    let repository = Repository::of(&[&host]);
    repository.environment("  site: {on: every}\n");
    repository.role(
        "site",
        "resources:\n  - file: /srv/first\n    content: x\n  - command: wait\n    shell: \"touch /srv/begun; while [ ! -e /srv/go ]; do sleep 0.1; done; touch /srv/ended\"\n    creates: /srv/ended\n  - file: /srv/last\n    content: x\n",
    );
    let mut child = repository.spawn(&["t", "deploy", "--yes"]);
    host.sh("until [ -e /srv/begun ]; do sleep 0.1; done");
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = stderr.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("interrupted: finishing the running steps")));
    host.sh("touch /srv/go");
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(host.sh("ls /srv"), "begun\nended\nfirst\ngo");
}

#[test]
fn what_left_the_environment_is_an_orphan_until_it_is_pruned() {
    let host = TestHost::start();
    let repository = site(&host);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    repository.role(
        "site",
        "params:\n  colour: {type: string, doc: Colour}\nresources:\n  - directory: /srv/site\n    mode: \"0755\"\n",
    );
    let plan = repository.run(&["t", "plan"]).expect(0);
    assert!(plan.stdout.contains("- site/file /srv/site/plain"), "{}", plan.stdout);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(host.sh("ls /srv/site/plain"), "/srv/site/plain", "without --prune nothing is removed");
    repository.run(&["t", "deploy", "--yes", "--prune"]).expect(0);
    assert_eq!(host.sh("ls /srv/site"), "handled");
    let again = repository.run(&["t", "plan", "--detailed-exitcode"]).expect(0);
    assert!(!again.stdout.contains("orphan"), "{}", again.stdout);
}

#[test]
fn leave_nothing_removes_the_agent_too() {
    let host = booted();
    let repository = site(&host);
    let before = host.snapshot(&WATCHED);
    repository.run(&["t", "plan", "--leave-nothing"]).expect(0);
    assert_eq!(changes(&host, &before), Vec::<String>::new());
    assert_eq!(host.sh("find / -xdev -path '*cc-cloud*' -name 'agent-*'"), "");
}
