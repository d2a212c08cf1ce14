//! The history of real runs on real hosts, through the command.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use support::{Repository, Run, TestHost};

const SITE: &str = "\
resources:
  - file: /srv/site
    content: \"1\\n\"
  - command: finish
    shell: \"echo almost there >&2; test -e /srv/ready\"
    changes: always
";

fn site(host: &TestHost) -> Repository {
    let repository = Repository::of(&[host]);
    repository.environment("  site: {on: every}\n");
    repository.role("site", SITE);
    repository
}

/// The newest run.
fn newest(repository: &Repository) -> Value {
    let run = repository.run(&["--json", "t", "show"]).expect(0);
    run.events("history")[0]["runs"][0].clone()
}

/// The files of records on this machine, in their order.
fn records(repository: &Repository) -> Vec<PathBuf> {
    let mut folders = vec![repository.path(".local/state/cc-cloud/history")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().starts_with('0') {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    files
}

/// Two deploys, the first of which fails.
fn two_deploys(host: &TestHost, repository: &Repository) -> [Run; 2] {
    let failed = repository.run(&["t", "deploy", "--yes", "--message", "a first try"]).expect(1);
    host.sh("touch /srv/ready");
    [failed, repository.run(&["t", "deploy", "--yes", "-m", "the disk is there now"]).expect(0)]
}

#[test]
fn runs_are_told_of_and_a_changed_record_is_named() {
    let host = TestHost::start();
    let repository = site(&host);
    assert!(repository.run(&["t", "history"]).expect(0).stdout.contains("nothing has been run yet"));
    repository.run(&["t", "plan"]).expect(0);
    two_deploys(&host, &repository);

    let wide = repository.command(&["t", "history"]).env("COLUMNS", "200").output().unwrap();
    let list = String::from_utf8(wide.stdout).unwrap();
    let rows: Vec<&str> = list.lines().collect();
    assert_eq!(rows.len(), 3, "a title and two deploys, no plan:\n{list}");
    for (row, parts) in [
        (rows[1], ["deploy: 1 to run on 1 host", " ok ", "the disk is there now"]),
        (rows[2], ["deploy: 1 to create, 1 to run on 1 host", " failed ", "a first try"]),
    ] {
        let row = row.split_whitespace().collect::<Vec<_>>().join(" ");
        parts.iter().for_each(|part| assert!(row.contains(part), "no `{part}` in {row}"));
    }
    let first = rows[2].split_whitespace().next().unwrap();
    let shown = repository.run(&["t", "show", first]).expect(0).stdout;
    for part in [
        "why       a first try",
        "deploy --yes --message a first try",
        "the files were not in git",
        "+ host: site/file:/srv/site",
        "failed host: service site, step command:finish",
        "| almost there",
        "records   1, 2",
    ] {
        assert!(shown.contains(part), "no `{part}` in\n{shown}");
    }
    repository.run(&["t", "show", first, "--html", "run.html"]).expect(0);
    let html = fs::read_to_string(repository.path("run.html")).unwrap();
    assert!(html.contains("almost there") && html.contains("a first try"), "{html}");
    assert!(!html.contains("http://") && !html.contains("https://"), "it fetches nothing");

    let verified = repository.run(&["t", "history", "verify"]).expect(0);
    assert!(verified.stderr.contains("4 records are as they were written"), "{}", verified.stderr);
    let files = records(&repository);
    assert_eq!(files.len(), 4, "{files:?}");
    let text = fs::read_to_string(&files[1]).unwrap();
    fs::write(&files[1], text.replace("almost there", "almost done!")).unwrap();
    let named = repository.run(&["t", "history", "verify"]).expect(1);
    assert!(named.stdout.starts_with("record 2 was changed on this machine"), "{}", named.stdout);
    fs::write(&files[1], &text).unwrap();
    fs::remove_file(&files[2]).unwrap();
    let named = repository.run(&["t", "history", "verify"]).expect(1);
    assert_eq!(named.stdout, "record 3 is missing on this machine\n");
}

#[test]
fn a_record_says_why_what_and_from_which_commit() {
    let host = TestHost::start();
    let repository = site(&host);
    host.sh("touch /srv/ready");
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
        let output =
            std::process::Command::new("git").current_dir(repository.root()).args(who).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    // The home folder of the command is the repository here.
    repository.write(".gitignore", ".*\n");
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    let mut deploy = repository.command(&["t", "deploy", "--yes", "--skip-preflight", "a drill"]);
    deploy.env("USER", "anna").env_remove("SUDO_USER").env("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.1 22");
    assert!(deploy.output().unwrap().status.success());
    let run = newest(&repository);
    let began = &run["began"];
    assert!(began["who"].as_str().unwrap().starts_with("anna@"), "{run}");
    assert_eq!(began["address"], "192.0.2.7", "{run}");
    assert_eq!(began["commit"], serde_json::json!({"id": git(&["rev-parse", "HEAD"]), "differs": false}), "{run}");
    assert_eq!(began["preflight"], serde_json::json!({"skipped": "a drill"}), "{run}");
    assert_eq!(began["plan"]["hosts"][0]["counts"], serde_json::json!({"create": 1, "run": 1}), "{run}");
    let ended = &run["ended"];
    assert_eq!((&ended["exit_code"], &ended["hosts"][0]["state"]), (&0.into(), &"ok".into()), "{run}");
    assert_eq!(ended["hosts"][0]["steps"].as_array().unwrap().len(), 2, "{run}");
}

#[test]
fn a_run_whose_controller_was_killed_has_begun_and_has_no_end() {
    let host = TestHost::start();
    let repository = site(&host);
    repository.role(
        "site",
        "resources:\n  - command: wait\n    shell: \"mkfifo /srv/fifo; read line </srv/fifo\"\n    changes: always\n",
    );
    let mut deploy = repository.spawn(&["t", "deploy", "--yes"]);
    // Goes on when the step reads: then the run is in the middle of it.
    host.sh("timeout 60 sh -c 'until [ -p /srv/fifo ]; do sleep 0.1; done'");
    deploy.kill().unwrap();
    deploy.wait().unwrap();
    let run = newest(&repository);
    assert_eq!((&run["result"], &run["ended_at"]), (&"no end".into(), &Value::Null), "{run}");
    host.sh("rm -f /srv/fifo");
    repository.run(&["t", "history", "verify"]).expect(0);
}

#[test]
fn hooks_see_how_a_deploy_ended() {
    let host = TestHost::start();
    let repository = site(&host);
    for point in ["before-deploy", "after-deploy", "on-failure"] {
        let text = format!("#!/bin/sh\ncat >{point}.json\necho $CC_HOOK $CC_EXIT_CODE \"$CC_MESSAGE\" >>order\n");
        repository.executable(&format!("hooks/{point}"), &text);
    }
    let told = |point: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(repository.path(&format!("{point}.json"))).unwrap()).unwrap()
    };
    two_deploys(&host, &repository);
    assert_eq!(
        fs::read_to_string(repository.path("order")).unwrap(),
        "before-deploy a first try\non-failure 1 a first try\nbefore-deploy the disk is there now\n\
         after-deploy 0 the disk is there now\n"
    );
    let failed = told("on-failure");
    assert_eq!(failed["ended"]["hosts"][0]["steps"][1]["step"], "site/command:finish", "{failed}");
    assert!(failed["text"].as_str().unwrap().contains("has failed: 1 to create, 1 to run on 1 host"), "{failed}");
    let done = told("after-deploy");
    assert_eq!((&done["ended"]["exit_code"], &done["run"]), (&0.into(), &newest(&repository)["run"]), "{done}");

    // Nothing to change is no news; and one that refuses: nothing is changed and nothing stands in the history.
    repository.role("site", "resources:\n  - file: /srv/site\n    content: \"1\\n\"\n");
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    assert_eq!(fs::read_to_string(repository.path("order")).unwrap().lines().count(), 5);
    repository.executable("hooks/before-deploy", "#!/bin/sh\nexit 4\n");
    repository.role("site", "resources:\n  - file: /srv/other\n    content: x\n");
    let refused = repository.run(&["t", "deploy", "--yes"]).expect(1);
    assert!(refused.stderr.contains("the hook hooks/before-deploy ended with exit code 4"), "{}", refused.stderr);
    assert_eq!(host.try_exec(&["test", "-e", "/srv/other"]).code, 1);
    assert_eq!(records(&repository).len(), 4);
}
