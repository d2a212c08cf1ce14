//! Plans that are saved, looked at, and applied exactly as they are or not at all, on real hosts.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use support::{Fleet, Repository, Run, TestHost, agent_binary};

const TEMPLATE: &str = "colour = {{ params.colour }}\nname = {{ host.hostname }}\n";

/// A site with a secret, and the operator's key for it.
fn site(hosts: &[&TestHost]) -> Repository {
    let repository = Repository::of(hosts);
    repository
        .environment("  site: {on: every, colour: green, password: {secret: site_password}}\n  other: {on: every}\n");
    repository.role(
        "site",
        "params:\n  colour: {type: string, doc: Colour}\n  password: {type: secret, doc: Password}\nresources:\n  \
         - directory: /srv/site\n  - template: /srv/site/settings\n    source: settings.j2\n  \
         - file: /srv/site/password\n    content: \"{{ params.password }}\"\n    mode: \"0600\"\n  \
         - file: /srv/site/logo\n    source: logo\n",
    );
    repository.write("roles/site/templates/settings.j2", TEMPLATE).write("roles/site/files/logo", "a logo\n");
    repository.role("other", "resources:\n  - file: /srv/other\n    content: x\n");
    repository.run(&["t", "secrets", "keygen"]).expect(0);
    repository.run(&["t", "secrets", "set", "site_password", "--random"]).expect(0);
    repository
}

/// Says why a plan is stale, and that nothing was done about it.
#[track_caller]
fn stale(run: Run, parts: &[&str]) {
    let run = run.expect(1);
    assert!(run.stderr.contains("friday.plan is stale: "), "{}", run.stderr);
    for part in parts {
        assert!(run.stdout.contains(part), "no `{part}` in\n{}", run.stdout);
    }
    assert!(!run.stdout.contains("RESULT"), "something was applied\n{}", run.stdout);
}

#[test]
fn a_saved_plan_is_shown_applied_without_asking_and_stale_afterwards() {
    let host = TestHost::start();
    let repository = site(&[&host]);
    let saved = repository.run(&["t", "plan", "-o", "friday.plan"]).expect(0);
    assert!(saved.stderr.contains("`cc-cloud t deploy friday.plan` applies it"), "{}", saved.stderr);
    let file = repository.path("friday.plan");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!String::from_utf8_lossy(&fs::read(&file).unwrap()).contains("/srv/site"), "the plan is readable");

    let shown = repository.run(&["t", "plan", "show", "friday.plan"]).expect(0);
    for part in ["Saved plan of t, made 2", "for everything\n", "+ template /srv/site/settings", "+colour = green"] {
        assert!(shown.stdout.contains(part), "no `{part}` in\n{}", shown.stdout);
    }
    assert!(shown.stdout.ends_with(&saved.stdout), "{}\n{}", shown.stdout, saved.stdout);

    let applied = repository.run(&["t", "deploy", "friday.plan"]).expect(0);
    assert!(applied.stdout.contains("RESULT"), "{}", applied.stdout);
    let name = host.sh("hostname");
    assert_eq!(host.sh("cat /srv/site/settings /srv/site/logo"), format!("colour = green\nname = {name}\na logo"));

    let again = repository.run(&["t", "deploy", "friday.plan"]);
    stale(again, &["site/template /srv/site/settings  (host)\n    then: + create", "now:  nothing to do"]);
}

#[test]
fn whatever_moved_is_named_and_nothing_is_changed() {
    let host = TestHost::start();
    let repository = site(&[&host]);
    host.sh("mkdir /srv/site");
    repository.run(&["t", "plan", "-o", "friday.plan"]).expect(0);
    let secrets = fs::read(repository.path("secrets/t.yml")).unwrap();
    let deploy = || repository.run(&["t", "deploy", "friday.plan"]);

    repository.write("roles/site/templates/settings.j2", "colour = blue\n");
    stale(
        deploy(),
        &[
            "files\n  roles/site/templates/settings.j2  ",
            "site/template /srv/site/settings  (host)\n    asks for something else",
            "+colour = blue",
        ],
    );
    repository.write("roles/site/templates/settings.j2", TEMPLATE);

    repository.write("roles/site/files/logo", "another logo\n").write("roles/site/files/new", "new\n");
    stale(deploy(), &["  roles/site/files/logo  ", "  roles/site/files/new  (none) → ", "+another logo"]);
    repository.write("roles/site/files/logo", "a logo\n");
    fs::remove_file(repository.path("roles/site/files/new")).unwrap();

    repository.run(&["t", "secrets", "set", "site_password", "--random", "--replace"]).expect(0);
    stale(deploy(), &["secrets\n  site_password  (secret changed)"]);
    fs::write(repository.path("secrets/t.yml"), secrets).unwrap();

    let name = host.sh("hostname");
    host.sh("hostname moved");
    stale(deploy(), &[&format!("facts\n  host hostname  {name} → moved\n"), "+name = moved"]);
    host.sh(&format!("hostname {name}"));

    host.sh("echo by hand >/srv/site/settings");
    stale(deploy(), &["site/template /srv/site/settings  (host)\n    then: + create", "now:  ~ update", "-by hand"]);
    host.sh("rm /srv/site/settings");

    let mut command = repository.command(&["t", "deploy", "friday.plan"]);
    let output = command.env("CC_AGENT_BINARY", other_agent(&repository)).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let run = Run { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    stale(run, &["agent\n  "]);

    assert_eq!(host.sh("find /srv -mindepth 1"), "/srv/site", "nothing was changed by any of them");
    deploy().expect(0);
    assert_eq!(host.sh("cat /srv/other"), "x", "everything is as it was, so the plan is fresh again");
}

/// The same agent as another file.
fn other_agent(repository: &Repository) -> PathBuf {
    let path = repository.path("other-agent");
    let mut agent = fs::read(agent_binary()).unwrap();
    agent.push(0);
    fs::write(&path, agent).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

#[test]
fn hosts_that_do_not_answer_make_no_plan_and_a_plan_stale() {
    let fleet = Fleet::start(&["one", "two"]);
    let hosts: Vec<&TestHost> = fleet.hosts().collect();
    let repository = site(&hosts);
    repository.run(&["t", "plan", "-o", "friday.plan"]).expect(0);
    fleet["two"].sh("systemctl stop ssh.socket ssh.service");
    let run = repository.run(&["t", "deploy", "friday.plan", "--timeout", "5"]);
    stale(run, &["hosts\n  two  cannot be reached: "]);
    assert_eq!(fleet["one"].sh("ls /srv"), "");

    let lost = repository.run(&["t", "plan", "-o", "monday.plan", "--timeout", "5"]).expect(4);
    assert!(lost.stderr.contains("the plan was not saved: it does not say what happens on two"), "{}", lost.stderr);
    assert!(!repository.path("monday.plan").exists());
    repository.run(&["t", "plan", "-o", "monday.plan", "--limit", "one"]).expect(0);
    let difference = repository.run(&["t", "plan", "diff", "friday.plan", "monday.plan"]).expect(0);
    for part in ["what was asked for\n  everything → hosts one\n", "hosts\n  two  is not in the plan any more\n"] {
        assert!(difference.stdout.contains(part), "no `{part}` in\n{}", difference.stdout);
    }
}

#[test]
fn what_was_selected_is_part_of_the_plan() {
    let host = TestHost::start();
    let repository = site(&[&host]);
    repository.run(&["t", "plan", "--services", "other", "-o", "friday.plan"]).expect(0);
    repository.run(&["t", "deploy", "friday.plan", "--services", "site"]).expect(64);
    repository.run(&["t", "deploy", "friday.plan"]).expect(0);
    assert_eq!(host.sh("ls /srv"), "other");

    repository.environment("  site: {on: every, colour: green, password: {secret: site_password}}\n");
    repository.run(&["t", "plan", "-o", "keep.plan"]).expect(0);
    repository.run(&["t", "plan", "--prune", "-o", "friday.plan"]).expect(0);
    let difference = repository.run(&["t", "plan", "diff", "keep.plan", "friday.plan"]).expect(0);
    assert_eq!(difference.stdout, "what was asked for\n  everything → everything, removing orphans\n");
    host.sh("mv /srv/other /srv/elsewhere");
    stale(repository.run(&["t", "deploy", "friday.plan"]), &["orphans\n  host other/file:/srv/other  of run "]);
    host.sh("mv /srv/elsewhere /srv/other");
    repository.run(&["t", "deploy", "friday.plan"]).expect(0);
    assert_eq!(host.sh("ls /srv"), "site");
    let same = repository.run(&["t", "plan", "diff", "keep.plan", "keep.plan"]).expect(0);
    assert!(same.stdout.is_empty() && same.stderr.contains("the two plans are the same"), "{same:?}");
}

#[test]
fn a_file_that_is_no_such_plan_is_refused_before_any_host_is_asked() {
    let host = TestHost::start();
    let repository = site(&[&host]);
    repository.run(&["t", "plan", "-o", "friday.plan"]).expect(0);
    let good = fs::read(repository.path("friday.plan")).unwrap();
    let copy = fs::read_to_string(repository.path("environments/t/environment.yml")).unwrap();
    repository.write("environments/u/environment.yml", &copy.replace("environment: t", "environment: u"));
    fs::copy(repository.path("inventories/t.yml"), repository.path("inventories/u.yml")).unwrap();
    repository.run(&["u", "secrets", "set", "site_password", "--random"]).expect(0);
    // Where there is no agent, no host can be asked.
    let refused = |environment: &str, bytes: &[u8], why: &str| {
        fs::write(repository.path("friday.plan"), bytes).unwrap();
        for words in
            [&["plan", "show", "friday.plan"][..], &["deploy", "friday.plan", "--agent-binary", "/nonexistent"]]
        {
            let run = repository.run(&[&[environment], words].concat()).expect(1);
            assert!(run.stderr.contains(why) && run.stderr.contains("  hint: "), "no `{why}` in\n{}", run.stderr);
        }
    };
    refused("t", &good[..good.len() - 9], "friday.plan: the saved plan is cut off: 9 of ");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    refused("t", &flipped, "friday.plan: the saved plan was changed or damaged since it was written");
    refused("u", &good, "friday.plan: this is a plan of the environment `t`, not of `u`");
    refused("t", b"environment: t\n", "friday.plan: this is not a saved plan");
    repository.run(&["t", "secrets", "rekey", "--rotate"]).expect(0);
    refused("t", &good, "friday.plan: the saved plan was sealed with another data key than that of secrets/t.yml");
}
