//! One round of preflight: what is not known yet is measured, what is known still holds.

use std::path::PathBuf;

use cc_preflight::{Attestations, CATALOGUE, Finding, Known, Scene, Selection, Waivers, findings, loads, questions};

use super::hosts::Hosts;
use super::inquiry::inquire;
use super::record::Record;
use crate::report::{Event, Report};
use crate::run::Interrupt;

/// What a round takes beside its scene and hosts.
pub struct Round<'r> {
    /// The checks that are wanted.
    pub selection: Selection,
    /// Failures that somebody has accepted.
    pub waivers: &'r Waivers,
    /// What only people know.
    pub attestations: &'r Attestations,
    /// Where findings are kept between two commands; nowhere when absent.
    pub record: Option<PathBuf>,
    /// Whether everything is measured again.
    pub recheck: bool,
}

/// What a round found.
pub struct Found {
    /// In the order of the catalogue, then of the hosts.
    pub findings: Vec<Finding>,
    /// How many of them were measured earlier and still hold.
    pub held: usize,
}

impl Found {
    /// Whether something must not begin.
    pub fn stops(&self) -> bool {
        self.findings.iter().any(Finding::stops)
    }
}

impl Round<'_> {
    /// Measures and judges; what loads hosts is told before. Failures and warnings are never taken from an earlier round: who has mended something wants to see it.
    pub async fn run(&self, scene: &Scene<'_>, hosts: &mut Hosts, interrupt: &Interrupt, report: &Report) -> Found {
        let mut record = self.record.as_deref().map(Record::read).unwrap_or_default();
        let mut held = if self.recheck { Vec::new() } else { record.holding(scene) };
        held.retain(|finding| self.selection.checks(scene).any(|check| check.about().id == finding.id));
        let selection = Selection { known: known(&held), ..self.selection.clone() };
        for about in loads(scene, &selection) {
            let will = about.deep.unwrap_or_default();
            report.emit(&Event::Note { message: &format!("{}: it {will}", about.id) });
        }
        let answers = inquire(hosts, &questions(scene, &selection), interrupt, report).await;
        let new = findings(scene, &selection, &answers, self.waivers, self.attestations);
        record.learn(scene, &new);
        if let Some(path) = &self.record {
            // What cannot be kept is measured again next time.
            let _ = record.write(path);
        }
        let count = held.len();
        let mut all: Vec<Finding> = new.into_iter().chain(held).collect();
        all.sort_by_key(|finding| {
            let check = CATALOGUE.iter().position(|check| check.about().id == finding.id);
            let place = |name: &Option<String>| scene.hosts.iter().position(|host| Some(&host.name) == name.as_ref());
            (check, place(&finding.host), place(&finding.to))
        });
        Found { findings: all, held: count }
    }
}

fn known(findings: &[Finding]) -> Known {
    findings.iter().map(|finding| (finding.id.clone(), finding.host.clone(), finding.to.clone())).collect()
}
