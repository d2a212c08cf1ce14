//! Checks on trial: an environment in memory, answers by hand, findings.
//!
//! ```ignore
//! let mut trial = Trial::new();                          // hosts proxy1, web1, db1; debian-12; size single
//! trial.file("web1", "/etc/os-release", "ID=…");
//! assert_eq!(trial.verdict("os.release", "web1"), Verdict::Fail);
//! ```

use std::collections::BTreeMap;
use std::fs;

use cc_agent::facts::Facts;
use cc_agent::probe::{Outcome, Probe, Reading};
use cc_plan::compile::{Known, compile};
use cc_plan::plan::Plan;
use cc_plan::repository::Repository;
use cc_plan::spec::{self, Spec};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::{
    Answers, Attestations, Cause, Clock, Finding, HostAnswers, Outside, Phase, Policy, Question, Reach, Scene,
    Selection, Verdict, Waivers, findings, questions,
};

const ENVIRONMENT: &str = "environment: trial\nsize: single\nservices:\n  database: {on: db1}\n  web: {on: web1}\n";
const INVENTORY: &str = "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n  db1: {address: 10.0.0.2}\n";
const ROLES: [(&str, &str); 4] = [
    (
        "database",
        "role: database\ndescription: d\noffers: [{name: database, port: 5432}]\nneeds: {memory: 1GiB}\nresources:\n  - package: x\n",
    ),
    ("web", "role: web\ndescription: w\nuses: [database]\nresources:\n  - package: y\n"),
    (
        "redis",
        "role: redis\ndescription: r\nparams:\n  gigabytes: {type: integer, default: 1}\n  persistent: {type: boolean, default: true}\n\
         needs: {memory: '{{ params.gigabytes * 1073741824 }}', disk: '{{ params.gigabytes * 1073741824 }}'}\nresources:\n  - package: z\n",
    ),
    (
        "elasticsearch",
        "role: elasticsearch\ndescription: e\nparams:\n  jvm_tmp_dir: {type: path, optional: true}\nresources:\n  - package: e\n",
    ),
];

/// What a tool could print: any text, and samples with a part of them lost, doubled or replaced.
pub(crate) fn noise(samples: &'static [&'static str]) -> impl Strategy<Value = String> {
    let mutated = (0..samples.len(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), ".{0,8}");
    let mutated = mutated.prop_map(|(sample, one, other, text)| {
        let sample: Vec<char> = samples[sample].chars().collect();
        let (one, other) = (one.index(sample.len() + 1), other.index(sample.len() + 1));
        // From the first place on it goes on with the second: a part is lost, or comes twice.
        sample[..one].iter().copied().chain(text.chars()).chain(sample[other..].iter().copied()).collect()
    });
    prop_oneof!["(?s).{0,200}", mutated]
}

/// An environment with answers.
pub(crate) struct Trial {
    pub spec: Spec,
    pub plan: Plan,
    pub answers: Answers,
    pub facts: BTreeMap<String, Facts>,
    /// Hosts that were not reached, with why.
    pub lost: BTreeMap<String, (Cause, String)>,
    /// Whether only files are checked.
    pub untried: bool,
    /// Whether agents are root.
    pub root: bool,
    pub installed: bool,
    pub phase: Phase,
    pub deep: bool,
    pub now: Timestamp,
    pub waivers: Waivers,
    pub attestations: Attestations,
}

impl Trial {
    /// web1 uses a database on db1.
    pub fn new() -> Self {
        Self::of(ENVIRONMENT, INVENTORY)
    }

    /// Any environment called `trial`; roles `database`, `web`, `redis` and `elasticsearch` are there.
    pub fn of(environment: &str, inventory: &str) -> Self {
        Self::with_roles(environment, inventory, &[])
    }

    /// With further roles: name and `role.yml`.
    pub fn with_roles(environment: &str, inventory: &str, more: &[(&str, &str)]) -> Self {
        Self::with_secrets(environment, inventory, more, None)
    }

    /// With a secrets file too.
    pub fn with_secrets(environment: &str, inventory: &str, more: &[(&str, &str)], secrets: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        write("environments/trial/environment.yml", environment);
        write("inventories/trial.yml", inventory);
        if let Some(secrets) = secrets {
            write("secrets/trial.yml", secrets);
        }
        let roles = ROLES.iter().chain(more).map(|(role, text)| (format!("{role}/role.yml"), text.as_bytes().to_vec()));
        let shipped: BTreeMap<String, Vec<u8>> = roles.collect();
        let repository = Repository { root: folder.path().to_owned(), shipped: &shipped };
        let spec = spec::load(&repository, "trial").unwrap_or_else(|bad| panic!("{:?}", bad.diagnostics)).spec;
        let facts: BTreeMap<String, Facts> =
            spec.inventory.hosts.iter().map(|host| (host.name.value.clone(), Facts::placeholder())).collect();
        let known = Known { facts: facts.clone(), ..Known::default() };
        let plan = compile(&spec, &known).unwrap_or_else(|bad| panic!("{bad:?}"));
        Self {
            spec,
            plan,
            answers: Answers::default(),
            facts,
            lost: BTreeMap::new(),
            untried: false,
            root: true,
            installed: false,
            phase: Phase::Install,
            deep: false,
            now: "2026-11-22T12:00:00Z".parse().expect("a time"),
            waivers: Waivers::default(),
            attestations: Attestations::default(),
        }
    }

    /// What a host runs and runs in: `ubuntu-22.04`, `vm`.
    pub fn system(&mut self, host: &str, os: &str, virtualization: &str) -> &mut Self {
        let (id, version) = os.split_once('-').expect("a name such as ubuntu-22.04");
        let facts = self.facts.get_mut(host).expect("a host of the trial");
        (facts.os.id, facts.os.version) = (id.to_owned(), version.to_owned());
        facts.virtualization = virtualization.to_owned();
        self
    }

    /// What a probe of a host gives.
    pub fn answer(&mut self, host: &str, probe: Probe, outcome: Outcome) -> &mut Self {
        self.reading(Question::On { host: host.to_owned(), probe }, outcome)
    }

    /// What a probe of the operator's machine gives.
    pub fn outside(&mut self, outside: Outside, outcome: Outcome) -> &mut Self {
        self.reading(Question::Outside(outside), outcome)
    }

    /// A file of a host.
    pub fn file(&mut self, host: &str, path: &str, text: &str) -> &mut Self {
        let outcome = Outcome::Text { text: text.to_owned(), cut: false };
        self.answer(host, Probe::File { path: path.to_owned() }, outcome)
    }

    /// A program of a host that says this. It answers whatever time limit the check sets.
    pub fn command(&mut self, host: &str, argv: &[&str], status: i32, stdout: &str, stderr: &str) -> &mut Self {
        let outcome = Outcome::Ended { status, stdout: stdout.to_owned(), stderr: stderr.to_owned(), cut: false };
        self.whatever_limit(host, argv, outcome)
    }

    /// A program of a host that ends in another way.
    pub fn whatever_limit(&mut self, host: &str, argv: &[&str], outcome: Outcome) -> &mut Self {
        let asked = questions(&self.scene(), &Selection::default());
        let limits = asked.into_iter().filter(|question| match question {
            Question::On { host: on, probe: Probe::Command { argv: words, .. } } => on == host && words == argv,
            _ => false,
        });
        for question in limits.collect::<Vec<_>>() {
            self.reading(question, outcome.clone());
        }
        self
    }

    /// What a question that was asked gives.
    pub fn answer_to(&mut self, question: Question, outcome: Outcome) -> &mut Self {
        self.reading(question, outcome)
    }

    /// The clock of a host.
    pub fn clock(&mut self, host: &str, ahead: f64, uncertainty: f64) -> &mut Self {
        let clock = Some(Clock { ahead, uncertainty });
        self.answers.hosts.insert(host.to_owned(), HostAnswers { clock, lost: None });
        self
    }

    /// The scene.
    pub fn scene(&self) -> Scene<'_> {
        let policy = Policy::new(&self.spec.environment).unwrap_or_else(|bad| panic!("{bad:?}"));
        let mut scene =
            Scene { phase: self.phase, deep: self.deep, ..Scene::new(&self.spec, &self.plan, policy, self.now) };
        for host in &mut scene.hosts {
            host.facts = self.facts.get(&host.name).cloned();
            host.installed = self.installed;
            host.reach = match self.lost.get(&host.name) {
                Some((cause, message)) => Reach::Lost { message: message.clone(), hint: None, cause: *cause },
                None if self.untried => Reach::Untried,
                None => Reach::Connected { user: Some("deploy".to_owned()), root: self.root },
            };
        }
        scene
    }

    /// All findings of a check.
    pub fn findings(&self, id: &str) -> Vec<Finding> {
        let selection = Selection { only: vec![id.to_owned()], ..Selection::default() };
        findings(&self.scene(), &selection, &self.answers, &self.waivers, &self.attestations)
    }

    /// The finding of a check on a host, or from it; the environment's where `host` is empty.
    pub fn finding(&self, id: &str, host: &str) -> Finding {
        let mut all = self.findings(id).into_iter();
        all.find(|finding| finding.host.as_deref().unwrap_or_default() == host)
            .expect("a finding of this check and host")
    }

    /// Its verdict.
    pub fn verdict(&self, id: &str, host: &str) -> Verdict {
        self.finding(id, host).verdict
    }

    fn reading(&mut self, question: Question, outcome: Outcome) -> &mut Self {
        self.answers.readings.insert(question, Reading { outcome, millis: 1 });
        self
    }
}

/// A trial with a repository on disk, for the files that stand beside an environment's.
pub(crate) struct Desk {
    pub trial: Trial,
    folder: tempfile::TempDir,
    shipped: BTreeMap<String, Vec<u8>>,
}

impl Desk {
    /// Of [`Trial::new`].
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(folder.path().join("environments/trial")).expect("a folder");
        Self { trial: Trial::new(), folder, shipped: BTreeMap::new() }
    }

    pub fn repository(&self) -> Repository<'_> {
        Repository { root: self.folder.path().to_owned(), shipped: &self.shipped }
    }

    /// The path of a file in the repository.
    pub fn file(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file in the repository.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.file(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// The trial's day.
    pub fn today(&self) -> jiff::civil::Date {
        self.trial.now.to_zoned(jiff::tz::TimeZone::UTC).date()
    }
}
