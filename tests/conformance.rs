//! One suite for all resource types, on a real host, through the command.
//!
//! The cases are data: `tests/conformance/*.yml`. Each has one service, so that a phase (make it, change it, remove it) is one
//! deploy of all cases, and a failing case stops no other.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cc_agent::resource::Resource;
use serde::Deserialize;
use serde_json::Value;
use support::{Repository, Snapshot, TestHost};

/// What a container cannot show, and why. `docs/src/proved.md` says the same to readers.
const NOT_SHOWN: [(&str, &str); 1] =
    [("swap_file", "a container may not turn swap on; the machine's swap is not the container's")];

/// All that the cases touch, but for the places of which a case's `look` tells more than the files would.
const WATCHED: [&str; 9] =
    ["/etc", "/opt", "/srv", "/root", "/usr/local", "/home", "/mnt", "/usr/lib/locale", "/var/spool/cron"];

/// A resource type, and what proves that it works.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Its name in the report.
    case: String,
    /// The type, as roles write it.
    #[serde(rename = "type")]
    type_name: String,
    /// Debian packages that must be there first.
    #[serde(default)]
    packages: Vec<String>,
    /// Shell that is run on the host beforehand.
    #[serde(default)]
    prepare: String,
    /// Files of the role.
    #[serde(default)]
    role_files: BTreeMap<String, String>,
    /// A line of shell that prints what of the host's state is in no watched file: a plan must not change it.
    #[serde(default)]
    look: String,
    create: Form,
    update: Option<Form>,
    delete: Option<Form>,
}

/// A desired form of a case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    resources: Vec<Value>,
    /// The change that the plan must show; the phase's own when absent.
    change: Option<String>,
    /// The type as written in this form, where that is another.
    #[serde(rename = "as")]
    as_type: Option<String>,
    /// A line of shell that succeeds when the host is as this form says.
    holds: String,
}

/// The forms of all cases that are deployed at the same time.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Phase {
    Create,
    Update,
    Delete,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl Case {
    /// All cases of all files.
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let read = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            serde_saphyr::from_str::<Vec<Self>>(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        files.iter().flat_map(read).collect()
    }

    /// The name of its service and role.
    fn service(&self) -> String {
        self.case.replace([' ', '_'], "-")
    }

    fn form(&self, phase: Phase) -> Option<&Form> {
        match phase {
            Phase::Create => Some(&self.create),
            Phase::Update => self.update.as_ref(),
            Phase::Delete => self.delete.as_ref(),
        }
    }

    /// The form that is desired in a phase: that of the phase or, where the case has none, the one before.
    fn desired(&self, phase: Phase) -> &Form {
        let phases = [Phase::Delete, Phase::Update, Phase::Create];
        phases.into_iter().filter(|earlier| *earlier <= phase).find_map(|phase| self.form(phase)).unwrap()
    }

    /// What a plan does not show as it should.
    fn misplanned(&self, phase: Phase, steps: &[Value]) -> Vec<String> {
        let form = self.form(phase);
        let prefix = form.map(|form| {
            let type_name = form.as_type.as_ref().unwrap_or(&self.type_name);
            format!("{}/{type_name}:", self.service())
        });
        let mine = steps.iter().filter(|step| step["service"] == self.service().as_str());
        let mut wrong = Vec::new();
        let mut seen = 0;
        for step in mine {
            let id = step["id"].as_str().unwrap();
            let own = prefix.as_ref().is_some_and(|prefix| id.starts_with(prefix.as_str()));
            let expected = match form {
                None => "none",
                Some(form) if own => form.change.as_deref().unwrap_or(phase.name()),
                Some(_) => continue,
            };
            seen += usize::from(own);
            if step["change"]["kind"] != expected || !step["error"].is_null() {
                wrong.push(format!("the plan shows {step}, not `{expected}`"));
            }
        }
        if form.is_some() && seen == 0 {
            wrong.push("the plan has no step of its type".to_owned());
        }
        wrong
    }
}

/// A host with all cases, and what went wrong so far, by case.
struct Suite {
    cases: Vec<Case>,
    host: TestHost,
    repository: Repository,
    failures: BTreeMap<String, Vec<String>>,
}

impl Suite {
    fn start() -> Self {
        let cases = Case::all();
        let host = TestHost::start();
        host.sh("systemctl is-system-running --wait >/dev/null");
        let packages: BTreeSet<&str> = cases.iter().flat_map(|case| &case.packages).map(String::as_str).collect();
        let words = packages.into_iter().collect::<Vec<_>>().join(" ");
        // Synced file by file, as dpkg does by default, the packages take minutes on a busy disk.
        host.sh(&format!(
            "export DEBIAN_FRONTEND=noninteractive; echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io; \
             apt-get -qq update && apt-get -qq install --no-install-recommends -y {words} >/dev/null"
        ));
        for case in cases.iter().filter(|case| !case.prepare.is_empty()) {
            host.exec(&["bash", "-ec", &case.prepare]);
        }
        let repository = Repository::of(&[&host]);
        let services = cases.iter().fold(String::new(), |mut text, case| {
            writeln!(text, "  {}: {{on: every}}", case.service()).unwrap();
            text
        });
        repository.environment(&services);
        for case in &cases {
            for (path, text) in &case.role_files {
                repository.write(&format!("roles/{}/{path}", case.service()), text);
            }
        }
        Self { cases, host, repository, failures: BTreeMap::new() }
    }

    fn fail(&mut self, case: &str, phase: Phase, what: &str) {
        self.failures.entry(case.to_owned()).or_default().push(format!("{}: {what}", phase.name()));
    }

    /// Plan, deploy, plan again.
    fn converge(&mut self, phase: Phase) {
        for case in &self.cases {
            // JSON is YAML.
            let resources = serde_json::to_string(&case.desired(phase).resources).unwrap();
            self.repository.role(&case.service(), &format!("resources: {resources}\n"));
        }
        let before = self.state();
        let steps = self.plan();
        self.untouched(phase, &before);
        let mut wrong = Vec::new();
        for case in &self.cases {
            wrong.extend(case.misplanned(phase, &steps).into_iter().map(|text| (case.case.clone(), text)));
        }

        let run = self.repository.run(&["t", "deploy", "--yes", "--json"]);
        let finished = run.events("step_finished");
        for step in finished.iter().filter(|step| !step["error"].is_null()) {
            let service = step["step"].as_str().unwrap().split('/').next().unwrap().to_owned();
            wrong.push((service, format!("the deploy failed: {}", step["error"])));
        }
        assert!(!finished.is_empty(), "the deploy did nothing\n{}\n{}", run.stdout, run.stderr);

        let settled = self.state();
        for step in self.plan().iter().filter(|step| step["change"]["kind"] != "none") {
            wrong.push((step["service"].as_str().unwrap().to_owned(), format!("the second plan is not empty: {step}")));
        }
        self.untouched(phase, &settled);
        for case in self.cases.iter().filter(|case| case.form(phase).is_some()) {
            let output = self.host.try_exec(&["bash", "-c", &case.desired(phase).holds]);
            if output.code != 0 {
                wrong.push((case.case.clone(), format!("`{}` does not hold: {output:?}", case.desired(phase).holds)));
            }
        }
        let clean = wrong.is_empty();
        for (case, text) in wrong {
            self.fail(&case, phase, &text);
        }
        if clean {
            run.expect(0);
            self.repository.run(&["t", "plan", "--detailed-exitcode"]).expect(0);
        }
    }

    /// The steps of a plan.
    fn plan(&self) -> Vec<Value> {
        let run = self.repository.run(&["t", "plan", "--json"]);
        let Some(plan) = run.events("plan").pop() else { panic!("no plan\n{}\n{}", run.stdout, run.stderr) };
        plan["hosts"][0]["steps"].as_array().unwrap().clone()
    }

    /// The watched files, and what the cases look at.
    fn state(&self) -> (Snapshot, BTreeMap<String, String>) {
        // The containers' file system shows a folder's own times only after it has been opened once.
        self.host.snapshot(&WATCHED);
        let looks = self.cases.iter().filter(|case| !case.look.is_empty());
        let seen = looks.map(|case| (case.case.clone(), self.host.sh(&case.look))).collect();
        (self.host.snapshot(&WATCHED), seen)
    }

    /// Records what a plan has changed.
    fn untouched(&mut self, phase: Phase, before: &(Snapshot, BTreeMap<String, String>)) {
        let after = self.state();
        let own = |line: &String| !WATCHED.iter().any(|folder| line.starts_with(&format!("~ {folder}:")));
        for line in before.0.differences(&after.0).into_iter().filter(own) {
            self.fail("(a plan touched)", phase, &line);
        }
        for (case, text) in &before.1 {
            if after.1[case] != *text {
                self.fail(case, phase, &format!("a plan changed\n{text}\nto\n{}", after.1[case]));
            }
        }
    }
}

#[test]
fn every_type_has_a_case_or_a_reason() {
    let cases = Case::all();
    let shown: BTreeSet<&str> = cases.iter().map(|case| case.type_name.as_str()).collect();
    let hidden: BTreeSet<&str> = NOT_SHOWN.iter().map(|(name, _)| *name).collect();
    // Those two are ways to write a `file` and an `archive`.
    let types: BTreeSet<&str> = Resource::TYPES.iter().copied().chain(["template", "tree"]).collect();
    assert_eq!(shown.union(&hidden).copied().collect::<BTreeSet<_>>(), types);
    assert_eq!(shown.intersection(&hidden).count(), 0);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/proved.md");
    let page = fs::read_to_string(page).unwrap();
    for name in types {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/src/proved.md has no row of `{name}`"));
        assert_eq!(row.contains("| yes |"), shown.contains(name), "{row}");
    }
}

#[test]
fn every_type_is_planned_applied_and_then_at_rest() {
    let mut suite = Suite::start();
    for phase in [Phase::Create, Phase::Update, Phase::Delete] {
        suite.converge(phase);
    }
    let report = suite.failures.iter().fold(String::new(), |mut text, (case, failures)| {
        writeln!(text, "{case}\n  {}", failures.join("\n  ")).unwrap();
        text
    });
    assert!(report.is_empty(), "{} of {} cases failed\n{report}", suite.failures.len(), suite.cases.len());
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
