//! One suite for all resource types, on a real host, through the command.
//!
//! The cases are data: `tests/conformance/*.yml`. What the host of this suite, a container, cannot show is in `tests/vm.rs`.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cc_agent::resource::Resource;
use support::{Case, Phase, Repository, Suite, TestHost};

#[test]
fn every_type_has_a_case_and_the_page_says_on_which_host() {
    let types_of = |folder| Case::all(folder).into_iter().map(|case| case.type_name).collect::<BTreeSet<_>>();
    let hosts = [("container", types_of("conformance")), ("VM", types_of("vm"))];
    // Those two are ways to write a `file` and an `archive`.
    let types: BTreeSet<&str> = Resource::TYPES.iter().copied().chain(["template", "tree"]).collect();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/proved.md");
    let page = fs::read_to_string(page).unwrap();
    for name in &types {
        let shown: Vec<_> = hosts.iter().filter(|(_, of)| of.contains(*name)).map(|(host, _)| *host).collect();
        assert_ne!(shown.len(), 0, "no suite has a case of `{name}`");
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/src/proved.md has no row of `{name}`"));
        assert!(row.starts_with(&format!("| `{name}` | {} |", shown.join(", "))), "{row}");
    }
    for (host, of) in &hosts {
        assert!(of.iter().all(|name| types.contains(name.as_str())), "a case of a type that does not exist: {host}");
    }
}

#[test]
fn every_type_is_planned_applied_and_then_at_rest() {
    let mut suite = Suite::start(Case::all("conformance"), TestHost::start());
    for phase in Phase::ALL {
        suite.converge(phase);
    }
    suite.finish();
}

#[test]
fn a_command_that_always_changes_runs_in_every_deploy_and_every_plan_says_so() {
    let host = TestHost::start();
    let repository = Repository::of(&[&host]);
    repository.environment("  always: {on: every}\n");
    repository.role("always", "resources:\n  - command: count\n    shell: echo ran >>/srv/ran\n    changes: always\n");
    for _ in 0..2 {
        let plan = repository.run(&["t", "plan", "--detailed-exitcode"]).expect(2);
        assert!(plan.stdout.contains("! command count"), "{}", plan.stdout);
        repository.run(&["t", "deploy", "--yes"]).expect(0);
    }
    assert_eq!(host.sh("cat /srv/ran"), "ran\nran");
}

/// The steps of the kill test below a folder: whole files, lines and blocks, so that each kind of writing is cut off.
fn many(folder: &str) -> String {
    format!(
        "resources:
  - directory: {folder}
  - file: {folder}/{{{{ item }}}}
    each: range(300)
    content: \"{{{{ 'text ' * 500 }}}}{{{{ item }}}}\\n\"
    mode: \"0640\"
  - line: {folder}/lines
    each: range(300)
    text: \"line {{{{ item }}}}\"
    create: true
  - block: {folder}/blocks
    each: range(100)
    name: \"block {{{{ item }}}}\"
    content: \"content {{{{ item }}}}\\n\"
    create: true
"
    )
}

#[test]
fn an_agent_that_is_killed_leaves_old_or_new_and_the_next_deploy_ends_like_an_uninterrupted_one() {
    let host = TestHost::start();
    let repository = Repository::of(&[&host]);
    repository.environment("  whole: {on: every}\n").role("whole", &many("/srv/whole"));
    repository.run(&["t", "deploy", "--yes"]).expect(0);

    repository.environment("  whole: {on: every}\n  killed: {on: every}\n").role("killed", &many("/srv/killed"));
    for sign in ["[ -e /srv/killed/40 ]", "[ -e /srv/killed/250 ]", "grep -qs 'line 100$' /srv/killed/lines"] {
        let mut child = repository.command(&["t", "deploy", "--yes", "-q"]).spawn().unwrap();
        host.sh(&format!("until {sign}; do :; done; pkill -KILL -f 'agent-[0-9a-f]'"));
        assert!(!child.wait().unwrap().success(), "the deploy came to its end before `{sign}`");
        let torn = host.sh("cd /srv/killed; for f in [0-9]*; do cmp -s $f ../whole/$f || echo $f; done");
        assert_eq!(torn, "", "files that are neither old nor new");
    }
    repository.run(&["t", "plan", "--detailed-exitcode"]).expect(2);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(
        host.sh("diff -r /srv/whole /srv/killed && stat -c %a /srv/killed/* | sort | uniq -c | xargs"),
        "300 640 2 644"
    );
    repository.run(&["t", "plan", "--detailed-exitcode"]).expect(0);
}
