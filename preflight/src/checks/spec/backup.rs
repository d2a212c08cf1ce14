//! `spec.backup`: what holds data is backed up.

use std::collections::BTreeSet;

use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// What holds data is backed up.
pub struct Backup;

/// Roles and external services that hold data which cannot be made again: the predecessor's four stores, and what stands for them.
const STORES: [&str; 8] =
    ["postgresql", "postgres", "couchdb", "elasticsearch", "blobs", "s3", "minio", "shared_directory"];

// The predecessor reads its backup settings. No role here makes backups yet, so that only a person can say what does.
static ABOUT: About = About {
    id: "spec.backup",
    title: "What holds data is backed up, elsewhere, and a restore was tried",
    measures: "Whether a service or an `external` entry holds data (PostgreSQL, CouchDB, Elasticsearch, blobs). No role makes backups \
               yet, so that a person answers for them: schedule, copies outside of the site, and the day of the last restore.",
    why: "Disks and people fail. A backup that nobody has restored is a hope.",
    thresholds: &[],
    fix: "write down schedule, place of the copies and day of the last restore, and name the document: `preflight attest spec.backup`",
    source: "backup and disaster recovery guide, 2; transition guide 4.3",
    vantage: Vantage::Spec,
    applies: "environments that hold data, of every size but demo",
    blocks: &[],
    keeps: Keeps::Quarter,
    deep: None,
    proof: Proof::Spec,
};

impl Check for Backup {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        let environment = &scene.spec.environment;
        let roles = environment.services.iter().map(|service| service.role.value.as_str());
        let names: BTreeSet<&str> = roles.chain(environment.external.keys().map(String::as_str)).collect();
        let stores: Vec<&str> = names.into_iter().filter(|name| STORES.contains(name)).collect();
        match (scene.size(), stores.is_empty()) {
            (Size::Demo, _) => Ask::skip("size demo: a rehearsal keeps nothing"),
            (_, true) => Ask::skip("nothing here holds data that cannot be made again"),
            _ => Ask::attest(format!(
                "no role backs up {}: who does, where to, and when was it restored?",
                stores.join(", ")
            )),
        }
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        Ok(Judgement::attest("only a person knows"))
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Attestation, Verdict};

    const ROLE: &str = "role: postgresql\ndescription: p\nresources:\n  - package: x\n";

    fn trial(size: &str) -> Trial {
        let environment = format!("environment: trial\nsize: {size}\nservices:\n  postgresql: {{on: web1}}\n");
        Trial::with_roles(&environment, "hosts:\n  web1: {address: 10.0.0.1}\n", &[("postgresql", ROLE)])
    }

    fn attested(date: &str) -> Attestation {
        let (check, owner, link) = ("spec.backup".to_owned(), "Ada Roe".to_owned(), Some("https://x".to_owned()));
        let date = jiff::civil::Date::strptime("%Y-%m-%d", date).unwrap_or(jiff::civil::Date::MIN);
        Attestation { check, host: None, owner, date, link, file: None }
    }

    #[test]
    fn a_person_answers_and_is_asked_again() {
        let mut trial = trial("single");
        assert_eq!(trial.verdict("spec.backup", ""), Verdict::Attest);
        trial.attestations.attestations = vec![attested("2026-09-01")];
        let answered = trial.finding("spec.backup", "");
        assert!(answered.verdict == Verdict::Pass && answered.attestation.is_some(), "{answered:?}");
        trial.attestations.attestations = vec![attested("2026-08-01")];
        let old = trial.finding("spec.backup", "");
        assert!(old.verdict == Verdict::Attest && old.attestation.is_none(), "{old:?}");
        assert!(old.observed.contains("Ada Roe answered for it on 2026-08-01"), "{old:?}");
    }

    #[test]
    fn who_keeps_nothing_needs_none() {
        assert_eq!(trial("demo").verdict("spec.backup", ""), Verdict::Skip);
        assert_eq!(Trial::new().verdict("spec.backup", ""), Verdict::Skip);
    }
}
