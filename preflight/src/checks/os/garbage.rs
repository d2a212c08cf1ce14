//! No check of the operating system passes on what no tool says.

use cc_agent::probe::Outcome;
use proptest::prelude::*;

use crate::trial::{Trial, noise};
use crate::{CATALOGUE, Selection, Verdict, questions};

const ROLE: &str = "role: all\ndescription: a\noffers: [{name: all, port: 80}]\nresources:\n  - group: shared\n    gid: 1500\n  - sysctl: vm.swappiness\n    value: '1'\n";

/// A host that every check has something to ask of.
fn trial() -> Trial {
    let environment = "environment: trial\nservices: {all: {on: all1}}\n";
    let inventory = "provider: static\nhosts: {all1: {address: 10.0.0.3}}\n";
    let mut trial = Trial::with_roles(environment, inventory, &[("all", ROLE)]);
    trial.system("all1", "ubuntu-22.04", "metal").clock("all1", 0.0, 0.01);
    trial
}

/// Every question is answered by this.
fn verdicts(outcome: &Outcome) -> Vec<(&'static str, Verdict)> {
    let mut trial = trial();
    let ids = CATALOGUE.iter().map(|check| check.about().id).filter(|id| id.starts_with("os."));
    let selection = Selection { only: vec!["os.*".to_owned()], ..Selection::default() };
    for question in questions(&trial.scene(), &selection) {
        trial.answer_to(question, outcome.clone());
    }
    ids.map(|id| (id, trial.verdict(id, "all1"))).collect()
}

fn ended(stdout: &str) -> Outcome {
    Outcome::Ended { status: 0, stdout: stdout.to_owned(), stderr: String::new(), cut: false }
}

#[test]
fn every_check_has_something_to_ask() {
    for (id, verdict) in verdicts(&Outcome::Failed { why: "it broke".to_owned() }) {
        assert!(matches!(verdict, Verdict::Fail | Verdict::Warn), "{id}: {verdict:?}");
    }
}

proptest! {
    #[test]
    fn garbage_is_no_pass(text in noise(&[""])) {
        let outcomes = [ended(&text), Outcome::Text { text: text.clone(), cut: false }, Outcome::Names { names: vec![text] }];
        for outcome in outcomes {
            for (id, verdict) in verdicts(&outcome) {
                prop_assert!(verdict != Verdict::Pass, "{} passes on {:?}", id, outcome);
            }
        }
    }
}

#[test]
fn silence_is_no_pass() {
    for outcome in
        [ended(""), Outcome::Text { text: String::new(), cut: false }, Outcome::Late { seconds: 10 }, Outcome::Denied]
    {
        for (id, verdict) in verdicts(&outcome) {
            assert_ne!(verdict, Verdict::Pass, "{id} passes on {outcome:?}");
        }
    }
}
