use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::case::Form;
use super::{Case, Phase, Repository, Snapshot, TestHost};

/// All that the cases touch, but for the places of which a case's `look` tells more than the files would.
const WATCHED: [&str; 9] =
    ["/etc", "/opt", "/srv", "/root", "/usr/local", "/home", "/mnt", "/usr/lib/locale", "/var/spool/cron"];

/// A host with all cases, and what went wrong so far, by case. Each case has one service, so that a phase is one deploy of all
/// cases, and a failing case stops no other.
pub struct Suite {
    cases: Vec<Case>,
    host: TestHost,
    repository: Repository,
    failures: BTreeMap<String, Vec<String>>,
}

impl Suite {
    /// Prepares a host for the cases.
    pub fn start(cases: Vec<Case>, host: TestHost) -> Self {
        host.sh("systemctl is-system-running --wait >/dev/null");
        let packages: BTreeSet<&str> = cases.iter().flat_map(|case| &case.packages).map(String::as_str).collect();
        if !packages.is_empty() {
            let words = packages.into_iter().collect::<Vec<_>>().join(" ");
            // Synced file by file, as dpkg does by default, the packages take minutes on a busy disk.
            host.sh(&format!(
                "export DEBIAN_FRONTEND=noninteractive; echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io; \
                 apt-get -qq update && apt-get -qq install --no-install-recommends -y {words} >/dev/null"
            ));
        }
        host.sh(&format!("mkdir -p {}", WATCHED.join(" ")));
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

    /// Lets the host be what these checks of preflight refuse, each for its reason.
    pub fn accept(&self, checks: &[(&str, &str)]) {
        let off = checks.iter().map(|(check, reason)| format!("{check}: {reason}")).collect::<Vec<_>>().join(", ");
        let path = self.repository.path("environments/t/environment.yml");
        let written = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{written}policy: {{preflight: {{off: {{{off}}}}}}}\n")).unwrap();
    }

    /// Plan, deploy, plan again.
    pub fn converge(&mut self, phase: Phase) {
        for case in &self.cases {
            // JSON is YAML.
            let resources = serde_json::to_string(&case.desired(phase).resources).unwrap();
            self.repository.role(&case.service(), &format!("resources: {resources}\n"));
        }
        let failed_before = self.failed();
        let before = self.state();
        let steps = self.plan();
        self.untouched(phase, &before);
        let misplanned = self.cases.iter().flat_map(|case| {
            case.misplanned(phase, &steps).into_iter().map(|text| (case.case.clone(), text)).collect::<Vec<_>>()
        });
        for (case, text) in misplanned.collect::<Vec<_>>() {
            self.fail(&case, phase, &text);
        }

        let run = self.repository.run(&["t", "deploy", "--yes", "--json"]);
        let finished = run.events("step_finished");
        for step in finished.iter().filter(|step| !step["error"].is_null()) {
            let service = step["step"].as_str().unwrap().split('/').next().unwrap();
            self.fail(service, phase, &format!("the deploy failed: {}", step["error"]));
        }
        assert!(!finished.is_empty(), "the deploy did nothing\n{}\n{}", run.stdout, run.stderr);

        let settled = self.state();
        self.at_rest(phase, "the second plan");
        self.untouched(phase, &settled);
        for (case, line) in self.signs(phase, |case, form| case.form(phase).map(|_| form.holds.clone())) {
            self.holds(&case, phase, &line);
        }
        if self.failed() == failed_before {
            run.expect(0);
            self.repository.run(&["t", "plan", "--detailed-exitcode"]).expect(0);
        }
    }

    /// Reboots the host: what was made is so afterwards, of itself, and a plan is empty.
    pub fn reboot(&mut self, phase: Phase) {
        self.host.reboot();
        for (case, line) in self.signs(phase, |_, form| Some(form.after_boot.as_ref().unwrap_or(&form.holds).clone())) {
            self.holds(&case, phase, &line);
        }
        self.at_rest(phase, "the plan after a reboot");
    }

    /// Ends the test, with all that went wrong.
    pub fn finish(self) {
        let report = self.failures.iter().fold(String::new(), |mut text, (case, failures)| {
            writeln!(text, "{case}\n  {}", failures.join("\n  ")).unwrap();
            text
        });
        assert!(report.is_empty(), "{} of {} cases failed\n{report}", self.failures.len(), self.cases.len());
    }

    /// How much went wrong so far.
    fn failed(&self) -> usize {
        self.failures.values().map(Vec::len).sum()
    }

    fn fail(&mut self, case: &str, phase: Phase, what: &str) {
        self.failures.entry(case.to_owned()).or_default().push(format!("{}: {what}", phase.name()));
    }

    /// The name of each case with the line of shell that `of` takes from its desired form.
    fn signs(&self, phase: Phase, of: impl Fn(&Case, &Form) -> Option<String>) -> Vec<(String, String)> {
        let line = |case: &Case| Some((case.case.clone(), of(case, case.desired(phase))?));
        self.cases.iter().filter_map(line).collect()
    }

    /// Records when a line of shell does not succeed on the host.
    fn holds(&mut self, case: &str, phase: Phase, line: &str) {
        let output = self.host.try_exec(&["bash", "-c", line]);
        if output.code != 0 {
            self.fail(case, phase, &format!("`{line}` does not hold: {output:?}"));
        }
    }

    /// Records what a plan would still change.
    fn at_rest(&mut self, phase: Phase, what: &str) {
        for step in self.plan().iter().filter(|step| step["change"]["kind"] != "none") {
            self.fail(step["service"].as_str().unwrap(), phase, &format!("{what} is not empty: {step}"));
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
