//! Preflight on a fleet of real hosts: a clean fleet has no false alarm, each seeded fault is found by the check meant for it,
//! and nothing is left behind. The faults are data: `tests/preflight/faults.yml`; `docs/src/preflight-faults.md` is made of it
//! (`UPDATE_DOCS=1`).
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;
use serde_json::Value;
use support::{Fleet, Repository, TestHost};

/// A fault, and what must be said of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    /// What is wrong, for a person.
    fault: String,
    /// The check that must find it.
    check: String,
    /// The host on which it is made, and found unless `found_on` says otherwise.
    #[serde(default)]
    host: Option<String>,
    /// Where it must be found: a host, or `web1 → db1`.
    #[serde(default)]
    found_on: Option<String>,
    /// Packages that its lines of shell need on the host; they are there on the clean fleet too.
    #[serde(default)]
    packages: Vec<String>,
    /// Lines of shell that make it.
    #[serde(default)]
    make: String,
    /// Lines of shell that mend it.
    #[serde(default)]
    mend: String,
    /// What `environment.yml` has in the place of the clean one's lines from `size:` on.
    #[serde(default)]
    environment: Option<String>,
    /// What `inventories/t.yml` has instead of the clean one; `ADDRESS_web1` and the like are filled in.
    #[serde(default)]
    inventory: Option<String>,
    /// Further arguments of `preflight`.
    #[serde(default)]
    arguments: Vec<String>,
    /// `fail`, `warn` or `attest`.
    verdict: String,
    /// What the finding's observation must contain.
    observed: String,
}

fn faults() -> Vec<Fault> {
    let text = fs::read_to_string("tests/preflight/faults.yml").unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

const NAMES: [&str; 3] = ["proxy1", "web1", "db1"];

/// web1 uses a store on db1, proxy1 uses web1.
const ENVIRONMENT: &str = "\
size: demo
services:
  store: {on: db1}
  app: {on: web1}
  front: {on: proxy1}
";

fn repository(fleet: &Fleet) -> Repository {
    let hosts: Vec<&TestHost> = NAMES.iter().map(|name| &fleet[name]).collect();
    let repository = Repository::of(&hosts);
    repository.write("environments/t/environment.yml", &format!("environment: t\n{ENVIRONMENT}"));
    repository.role(
        "store",
        "offers: [{name: store, port: 5432}]\nparams:\n  memory: {type: bytes, default: 64MiB, doc: Memory}\n\
         needs: {memory: \"{{ params.memory }}\", disk: 64MiB}\nresources:\n  - directory: /srv/store\n",
    );
    repository.role(
        "app",
        "uses: [store]\noffers: [{name: app, port: 8000}]\nresources:\n  - group: app\n    gid: 1500\n  - user: app\n    uid: 1500\n    \
         group: app\n",
    );
    repository.role(
        "tuned",
        "params:\n  parameter: {type: string, doc: Name}\n  value: {type: string, doc: Value}\nresources:\n  \
         - sysctl: \"{{ params.parameter }}\"\n    value: \"{{ params.value }}\"\n",
    );
    repository
        .role("people", "resources:\n  - user: deploy\n    shell: /bin/bash\n  - user: gone\n    state: absent\n");
    repository.role("front", "uses: [app]\noffers: [{name: front, port: 80}]\nresources:\n  - directory: /srv/front\n");
    repository
}

/// Findings of a run with `--json`, by check.
fn findings(stdout: &str) -> Vec<Value> {
    let events = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let objects = events.filter(|event| event["type"] == "preflight").flat_map(|event| match &event["objects"] {
        Value::Array(objects) => objects.clone(),
        _ => Vec::new(),
    });
    objects.filter(|object| object["id"].is_string()).collect()
}

fn subject(finding: &Value) -> String {
    match (finding["host"].as_str(), finding["to"].as_str()) {
        (Some(host), Some(to)) => format!("{host} → {to}"),
        (Some(host), None) => host.to_owned(),
        _ => String::new(),
    }
}

fn booted(faults: &[Fault]) -> Fleet {
    let fleet = Fleet::start(&NAMES);
    for host in fleet.hosts() {
        host.sh("systemctl is-system-running --wait");
        // What a fault needs is there before it is made: a clean fleet has it too.
        let on_host = faults.iter().filter(|fault| fault.host.as_ref() == Some(&host.name));
        let packages: BTreeSet<&str> = on_host.flat_map(|fault| &fault.packages).map(String::as_str).collect();
        let packages = packages.into_iter().collect::<Vec<_>>().join(" ");
        // None of their services runs before a fault starts it.
        host.sh("echo 'exit 101' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d");
        host.sh(&format!(
            "apt-get update -qq && apt-get install -qq -y --no-install-recommends nftables tzdata {packages} >/dev/null"
        ));
        host.sh("rm /usr/sbin/policy-rc.d");
    }
    fleet
}

#[test]
fn a_clean_fleet_passes_and_each_fault_is_found() {
    let faults = faults();
    let fleet = booted(&faults);
    let repository = repository(&fleet);
    let clean = repository.run(&["t", "preflight", "--json", "--recheck"]);
    let alarms: Vec<String> = findings(&clean.stdout)
        .iter()
        .filter(|finding| !matches!(finding["verdict"].as_str(), Some("pass" | "skip" | "attest")))
        .map(|finding| format!("{} {}: {}", finding["id"], subject(finding), finding["observed"]))
        .collect();
    assert_eq!(alarms, Vec::<String>::new(), "a clean fleet has no alarm");
    assert_eq!(clean.code, 0, "{}", clean.stderr);

    let inventory = fs::read_to_string(repository.path("inventories/t.yml")).unwrap();
    let mut wrong = Vec::new();
    for fault in faults {
        let environment = fault.environment.as_deref().unwrap_or(ENVIRONMENT);
        repository.write("environments/t/environment.yml", &format!("environment: t\n{environment}"));
        let filled = |text: &str| {
            fleet.hosts().fold(text.to_owned(), |text, host| {
                text.replace(&format!("ADDRESS_{}", host.name), &host.address.to_string())
                    .replace("KEY", &host.key.path.display().to_string())
            })
        };
        repository.write("inventories/t.yml", &filled(fault.inventory.as_deref().unwrap_or(&inventory)));
        let host = fault.host.as_deref().map(|name| &fleet[name]);
        let made = host.map(|host| host.try_exec(&["sh", "-ec", &filled(&fault.make)]));
        if let Some(made) = made.filter(|made| made.code != 0) {
            wrong.push(format!("{}: it cannot be made: {made:?}", fault.fault));
        }
        let mut arguments = vec!["t", "preflight", "--json", "--recheck", "--all", "--only", &fault.check];
        arguments.extend(fault.arguments.iter().map(String::as_str));
        let run = repository.run(&arguments);
        if let Some(host) = host {
            host.sh(&fault.mend);
        }
        let found_on = fault.found_on.as_deref().or(fault.host.as_deref()).unwrap_or_default();
        let found = findings(&run.stdout)
            .into_iter()
            .find(|finding| finding["id"] == fault.check && subject(finding) == found_on);
        let said = found.as_ref().map(|finding| (finding["verdict"].as_str(), finding["observed"].as_str()));
        let expected = matches!(said, Some((Some(verdict), Some(observed))) if verdict == fault.verdict && observed.contains(&filled(&fault.observed)));
        if !expected {
            wrong.push(format!("{}: {said:?}\n{}", fault.fault, run.stderr));
        }
    }
    assert!(wrong.is_empty(), "{} faults were not found as they should:\n{}", wrong.len(), wrong.join("\n"));
}

/// Processes, listeners, files and packages. `timedatectl` wakes systemd-timedated, which ends by itself after half a minute.
fn state(host: &TestHost) -> String {
    host.sh(
        "ps -eo user,args --no-headers | grep -v -e '\\[' -e 'ps -eo' -e 'sh -c' -e 'sort -u' -e systemd-timedated | sort -u; ss -Hltnu | awk '{print $1,$5}' | sort; \
         dpkg-query -W; find /etc /opt /srv /root /home /usr/local /var/cache/apt /var/lib/cc-cloud /tmp /var/tmp -type f 2>/dev/null | sort",
    )
}

#[test]
fn nothing_is_left_on_a_host() {
    let fleet = Fleet::start(&NAMES);
    for host in fleet.hosts() {
        host.sh("systemctl is-system-running --wait");
    }
    // What apt has written when it installed them is not ours to leave as it is.
    for host in fleet.hosts() {
        host.sh("apt-get update -qq; rm -f /var/cache/apt/*.bin");
    }
    let repository = repository(&fleet);
    let before: Vec<String> = fleet.hosts().map(state).collect();
    repository.run(&["t", "preflight", "--leave-nothing", "--recheck"]);
    let after: Vec<String> = fleet.hosts().map(state).collect();
    assert_eq!(before, after);
}

#[test]
fn a_host_that_dies_meanwhile_is_named_and_nothing_of_it_passes() {
    let fleet = Fleet::start(&NAMES);
    for host in fleet.hosts() {
        host.sh("systemctl is-system-running --wait");
    }
    let repository = repository(&fleet);
    let host = &fleet["db1"];
    // Its timedatectl says that it was asked, and never answers.
    host.sh("mkfifo /run/asked; printf '#!/bin/sh\necho >/run/asked\nexec sleep 600\n' >/usr/local/bin/timedatectl; chmod +x /usr/local/bin/timedatectl");
    let preflight = repository.spawn(&["t", "preflight", "--json", "--recheck", "--all"]);
    host.sh("cat /run/asked");
    host.kill();
    let ended = preflight.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert_eq!(ended.status.code(), Some(3), "{stdout}\n{stderr}");
    let findings = findings(&stdout);
    let about = |name: &str| {
        findings.iter().filter(|finding| finding["host"] == name || finding["to"] == name).collect::<Vec<_>>()
    };
    for finding in about("db1") {
        let lost =
            finding["observed"].as_str().unwrap().contains("db1 stopped answering") && finding["unmeasured"] == true;
        assert!(lost || finding["verdict"] == "skip" || finding["verdict"] == "attest", "{finding}");
    }
    let way = about("db1").into_iter().find(|finding| finding["id"] == "acc.ssh").unwrap();
    assert_eq!(way["verdict"], "fail", "{way}");
    assert!(
        about("proxy1").iter().any(|finding| finding["id"] == "disk.size" && finding["verdict"] == "pass"),
        "{stdout}"
    );
}

#[test]
fn the_gate_refuses_until_it_is_mended_or_waived_and_keeps_what_is_good() {
    let fleet = booted(&[]);
    let repository = repository(&fleet);
    let host = &fleet["db1"];
    host.sh("systemd-run --quiet --unit=thief systemd-socket-activate --accept -l 5432 /bin/cat; until ss -Hltn | grep -q :5432; do :; done");
    let refused = repository.run(&["t", "deploy", "--yes"]).expect(3);
    assert!(
        refused.stderr.contains("os.clean") && refused.stderr.contains("preflight waive os.clean --host db1"),
        "{}",
        refused.stderr
    );
    assert_eq!(host.try_exec(&["test", "-e", "/srv/store"]).code, 1, "nothing was changed");
    let waive = |until: &str| {
        let words = ["--host", "db1", "--owner", "A. Diallo", "--reason", "moves next week", "--until", until];
        repository.run(&[&["t", "preflight", "waive", "os.clean"][..], &words].concat())
    };
    waive("2020-01-01").expect(64);
    let tomorrow = jiff::Zoned::now().tomorrow().unwrap().date().to_string();
    waive(&tomorrow).expect(0);
    let waived = repository.run(&["t", "preflight", "--phase", "install"]).expect(0);
    assert!(waived.stdout.contains("A. Diallo"), "a waived failure is shown: {}", waived.stdout);
    repository.run(&["t", "deploy", "--yes"]).expect(0);
    host.sh("systemctl stop thief");
    fs::remove_file(repository.path("environments/t/waivers.yml")).unwrap();
    // On a live site only what makes a change unsafe blocks.
    host.sh("rm -rf /srv/store");
    repository.run(&["t", "deploy", "--yes"]).expect(0);
}

#[test]
fn the_table_of_faults_is_up_to_date() {
    let path = "docs/src/preflight-faults.md";
    let faults = faults();
    let checks: BTreeSet<&str> = faults.iter().map(|fault| fault.check.as_str()).collect();
    // What is said to be proved on a real host must stand in this table.
    let proved = cc_preflight::abouts().into_iter().filter(|about| about.proof == cc_preflight::Proof::RealHost);
    let claimed: Vec<&str> = proved.map(|about| about.id).filter(|id| !checks.contains(id)).collect();
    assert_eq!(claimed, Vec::<&str>::new(), "Proof::RealHost without a fault");
    let mut text = format!(
        "# Seeded faults\n\n\
         Each of these {} faults is made on a fleet of container hosts (Debian 12), or in the files of its environment, and must be found by \
         the check that is meant for it; the same fleet without a fault has no alarm. The faults are data (`tests/preflight/faults.yml`), \
         from which this page is made. {} checks are proved in this way; the page of each check says how it was proved.\n\n\
         | fault | check | found on | verdict |\n|---|---|---|---|\n",
        faults.len(),
        checks.len()
    );
    for fault in &faults {
        let on = fault.found_on.as_deref().or(fault.host.as_deref()).filter(|on| !on.is_empty());
        let on = on.unwrap_or("the environment");
        text.push_str(&format!("| {} | `{}` | {on} | {} |\n", fault.fault, fault.check, fault.verdict));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), text, "run with UPDATE_DOCS=1");
}
