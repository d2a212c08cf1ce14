//! What only a person knows, and has answered for.

use std::path::{Component, Path, PathBuf};

use cc_plan::diagnostic::Diagnostics;
use cc_plan::node::Node;
use cc_plan::repository::Repository;
use cc_plan::schema;
use cc_plan::spec::{Invalid, Spec};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::about::Keeps;
use crate::entry_list::{AddError, EntryList};
use crate::fault::{Fault, said, subject};
use crate::waiver::day;

const HEADER: &str = "\
# yaml-language-server: $schema=../../schema/attestations.schema.json
#
# What only a person knows, and has answered for: contracts, batteries, locked doors. Each names who, when and where it is written
# down. `cc-cloud ENVIRONMENT preflight attest` adds one; preflight asks again when the time of its check is over.
";

/// An answer that only a person can give, with where it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The check.
    pub check: String,
    /// Host that it holds for; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Who says so.
    pub owner: String,
    /// When it was said: `2026-11-22`.
    pub date: Date,
    /// Address of the document that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Path of that document in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// All attestations of an environment.
#[derive(Clone, Debug, Default)]
pub struct Attestations {
    /// In written order.
    pub attestations: Vec<Attestation>,
}

impl Attestations {
    /// Reads `environments/<env>/attestations.yml`; none where there is no such file. One that is too old is no error.
    ///
    /// # Errors
    /// Every error of the file with its place.
    pub fn load(repository: &Repository<'_>, spec: &Spec, today: Date) -> Result<Self, Box<Invalid>> {
        let (entries, sources) = list(repository, spec).read()?;
        let mut diagnostics = Diagnostics::default();
        let mut attestations = Vec::new();
        for entry in &entries {
            match Attestation::read(entry) {
                Ok(attestation) => {
                    let faults = attestation.faults(repository, spec, today);
                    faults.into_iter().for_each(|fault| fault.report(entry, &mut diagnostics));
                    attestations.push(attestation);
                }
                Err(fault) => fault.report(entry, &mut diagnostics),
            }
        }
        match diagnostics.has_errors() {
            true => Err(Box::new(Invalid { diagnostics, sources })),
            false => Ok(Self { attestations }),
        }
    }

    /// Adds an attestation to `environments/<env>/attestations.yml` and says which file that is. What is there stays, comments
    /// too.
    ///
    /// # Errors
    /// An attestation that is wrong, a file with errors or that cannot be written.
    pub fn add(
        repository: &Repository<'_>,
        spec: &Spec,
        attestation: &Attestation,
        today: Date,
    ) -> Result<PathBuf, AddError> {
        if let Some(fault) = attestation.faults(repository, spec, today).into_iter().next() {
            return Err(fault.into());
        }
        let list = list(repository, spec);
        if let Err(invalid) = Self::load(repository, spec, today) {
            return Err(AddError::Invalid { path: list.path, invalid });
        }
        let mut fields = vec![("check", attestation.check.clone())];
        fields.extend(attestation.host.clone().map(|host| ("host", host)));
        fields.extend([("owner", attestation.owner.clone()), ("date", attestation.date.to_string())]);
        fields.extend(attestation.link.clone().map(|link| ("link", link)));
        fields.extend(attestation.file.clone().map(|file| ("file", file)));
        list.add(&fields)?;
        Ok(list.path)
    }

    /// The newest attestation of a check for a host.
    pub fn of(&self, check: &str, host: Option<&str>) -> Option<&Attestation> {
        let covers = |attestation: &&Attestation| {
            attestation.check == check && attestation.host.as_deref().is_none_or(|named| host == Some(named))
        };
        self.attestations.iter().filter(covers).max_by_key(|attestation| attestation.date)
    }
}

impl Attestation {
    /// Whether it still holds for a check whose results hold so long.
    pub fn holds(&self, keeps: Keeps, today: Date) -> bool {
        let days = i64::from((today - self.date).get_days());
        (0..=keeps.seconds() / 86400).contains(&days)
    }

    /// Where it is written down: the address, else the file.
    pub fn document(&self) -> &str {
        self.link.as_deref().or(self.file.as_deref()).unwrap_or_default()
    }

    fn read(entry: &Node) -> Result<Self, Fault> {
        let text = |key: &str| entry.get(key).and_then(Node::as_str).map(str::to_owned);
        let plain = |key: &str| text(key).unwrap_or_default();
        let date = day("date", &plain("date"))?;
        let (check, host, owner) = (plain("check"), text("host"), plain("owner"));
        Ok(Self { check, host, owner, date, link: text("link"), file: text("file") })
    }

    fn faults(&self, repository: &Repository<'_>, spec: &Spec, today: Date) -> Vec<Fault> {
        let mut faults = subject(&self.check, self.host.as_deref(), spec);
        faults.extend(said("owner", &self.owner, "name the person who says so"));
        if self.date > today {
            let message = format!("`date` is {}, a day to come", self.date);
            faults.push(Fault::new("date", message, "write the day on which it was said"));
        }
        if self.link.is_none() && self.file.is_none() {
            let hint = "write `link:` with the address of the document, or `file:` with its path in the repository";
            faults.push(Fault::new("link", "the attestation does not say where it is written down", hint));
        }
        if let Some(link) = self.link.as_ref().filter(|link| !link.contains("://")) {
            let hint = "write it with its scheme, as https://…; a path in the repository goes under `file`";
            faults.push(Fault::new("link", format!("`{link}` is not an address"), hint));
        }
        faults.extend(self.file.as_ref().and_then(|file| missing(&repository.root, file)));
        faults
    }
}

/// A file that is not in the repository.
fn missing(root: &Path, file: &str) -> Option<Fault> {
    let inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside || file.is_empty() {
        let message = format!("`{file}` is not a path in the repository");
        return Some(Fault::new("file", message, "write it relative to the folder that holds environments/"));
    }
    let hint = "add the document to the repository, or write its address under `link`";
    (!root.join(file).is_file()).then(|| Fault::new("file", format!("there is no file {file}"), hint))
}

fn list<'r>(repository: &'r Repository<'r>, spec: &Spec) -> EntryList<'r> {
    let path = repository.attestations_file(&spec.environment.name);
    EntryList { repository, path, key: "attestations", schema: schema::attestations(), header: HEADER }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::trial::Desk;

    fn attestation(date: &str, link: Option<&str>, file: Option<&str>) -> Attestation {
        let (check, owner) = ("os.release".to_owned(), "Ada Roe".to_owned());
        let [link, file] = [link, file].map(|text| text.map(str::to_owned));
        Attestation { check, host: None, owner, date: date.parse().unwrap(), link, file }
    }

    fn refused(attestation: &Attestation) -> String {
        let desk = Desk::new();
        let added = Attestations::add(&desk.repository(), &desk.trial.spec, attestation, desk.today());
        assert!(!desk.file("environments/trial/attestations.yml").exists(), "nothing is written");
        added.unwrap_err().to_string()
    }

    #[test]
    fn what_is_added_is_read_again() {
        let desk = Desk::new();
        desk.write("docs/ups.pdf", "x");
        let both = [
            attestation("2026-11-20", Some("https://files.example.org/ups?id=1#2"), None),
            attestation("2026-11-22", None, Some("docs/ups.pdf")),
        ];
        for one in &both {
            Attestations::add(&desk.repository(), &desk.trial.spec, one, desk.today()).unwrap();
        }
        let read = Attestations::load(&desk.repository(), &desk.trial.spec, desk.today()).unwrap();
        assert_eq!(read.attestations, both);
        assert_eq!(read.of("os.release", Some("web1")).unwrap().document(), "docs/ups.pdf");
    }

    #[test]
    fn without_owner_date_and_document_it_is_none() {
        assert!(refused(&attestation("2026-11-20", None, None)).contains("does not say where it is written down"));
        assert!(refused(&attestation("2026-11-23", Some("https://x"), None)).contains("a day to come"));
        assert!(refused(&attestation("2026-11-20", Some("docs/ups.pdf"), None)).contains("is not an address"));
        assert!(refused(&attestation("2026-11-20", None, Some("docs/ups.pdf"))).contains("there is no file"));
        for outside in ["../ups.pdf", "/etc/passwd", ""] {
            let message = refused(&attestation("2026-11-20", None, Some(outside)));
            assert!(message.contains("is not a path in the repository"), "{message}");
        }
        let nobody = Attestation { owner: String::new(), ..attestation("2026-11-20", Some("https://x"), None) };
        assert!(refused(&nobody).contains("`owner` is empty"));
    }

    #[test]
    fn every_error_of_the_file_has_its_place() {
        let desk = Desk::new();
        let text = "attestations:\n  - {check: os.release, owner: A, date: 2026-11-20, file: docs/none.pdf}\n  \
                    - {check: os.relaese, host: web1, owner: A, date: 2026-11-30}\n";
        desk.write("environments/trial/attestations.yml", text);
        let invalid = Attestations::load(&desk.repository(), &desk.trial.spec, desk.today()).unwrap_err();
        insta::assert_snapshot!(cc_plan::diagnostic::render(&invalid.diagnostics, &invalid.sources, false, 100));
        desk.write(
            "environments/trial/attestations.yml",
            "attestations:\n  - {check: os.release, link: \"https://x\"}\n",
        );
        let invalid = Attestations::load(&desk.repository(), &desk.trial.spec, desk.today()).unwrap_err();
        insta::assert_snapshot!(cc_plan::diagnostic::render(&invalid.diagnostics, &invalid.sources, false, 100));
    }

    #[test]
    fn it_holds_as_long_as_results_of_its_check() {
        let today: Date = "2026-11-22".parse().unwrap();
        let holds = |date: &str, keeps| attestation(date, None, None).holds(keeps, today);
        assert!(holds("2026-08-24", Keeps::Quarter) && !holds("2026-08-23", Keeps::Quarter));
        assert!(holds("2026-11-22", Keeps::Run) && !holds("2026-11-21", Keeps::Run));
        assert!(!holds("2026-11-23", Keeps::Quarter), "not said yet");
    }
}
