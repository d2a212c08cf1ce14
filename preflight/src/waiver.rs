//! Failures that somebody has accepted for a time.

use std::path::PathBuf;

use cc_plan::diagnostic::Diagnostics;
use cc_plan::node::Node;
use cc_plan::repository::Repository;
use cc_plan::schema;
use cc_plan::spec::{Invalid, Spec};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::entry_list::{AddError, EntryList};
use crate::fault::{Fault, said, subject};

const HEADER: &str = "\
# yaml-language-server: $schema=../../schema/waivers.schema.json
#
# Failures of preflight that somebody has accepted for a time. Each is shown as waived in every report, and is a failure again
# after its last day. `cc-cloud ENVIRONMENT preflight waive` adds one; review a change of this file like one of the environment.
";

/// A failure that somebody has accepted for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// The check.
    pub check: String,
    /// Host that it holds for; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Last day on which it holds: `2026-12-31`.
    pub until: Date,
}

/// All waivers of an environment.
#[derive(Clone, Debug, Default)]
pub struct Waivers {
    /// In written order.
    pub waivers: Vec<Waiver>,
}

impl Waivers {
    /// Reads `environments/<env>/waivers.yml`; none where there is no such file. One that is over is no error.
    ///
    /// # Errors
    /// Every error of the file with its place.
    pub fn load(repository: &Repository<'_>, spec: &Spec, today: Date) -> Result<Self, Box<Invalid>> {
        let (entries, sources) = list(repository, spec).read()?;
        let mut diagnostics = Diagnostics::default();
        let mut waivers = Vec::new();
        for entry in &entries {
            match Waiver::read(entry) {
                Ok(waiver) => {
                    waiver.faults(spec, today).into_iter().for_each(|fault| fault.report(entry, &mut diagnostics));
                    waivers.push(waiver);
                }
                Err(fault) => fault.report(entry, &mut diagnostics),
            }
        }
        match diagnostics.has_errors() {
            true => Err(Box::new(Invalid { diagnostics, sources })),
            false => Ok(Self { waivers }),
        }
    }

    /// Adds a waiver to `environments/<env>/waivers.yml` and says which file that is. What is there stays, comments too.
    ///
    /// # Errors
    /// A waiver that is wrong or over already, a file with errors or that cannot be written.
    pub fn add(repository: &Repository<'_>, spec: &Spec, waiver: &Waiver, today: Date) -> Result<PathBuf, AddError> {
        if let Some(fault) = waiver.faults(spec, today).into_iter().next() {
            return Err(fault.into());
        }
        if waiver.until < today {
            let message = format!("{} is over: a waiver until then covers nothing", waiver.until);
            return Err(Fault::new("until", message, "name a day to come").into());
        }
        let list = list(repository, spec);
        if let Err(invalid) = Self::load(repository, spec, today) {
            return Err(AddError::Invalid { path: list.path, invalid });
        }
        let mut fields = vec![("check", waiver.check.clone())];
        fields.extend(waiver.host.clone().map(|host| ("host", host)));
        fields.extend([("owner", waiver.owner.clone()), ("reason", waiver.reason.clone())]);
        fields.push(("until", waiver.until.to_string()));
        list.add(&fields)?;
        Ok(list.path)
    }

    /// The waiver that covers a failure today. One that is over covers nothing.
    pub fn covering(&self, check: &str, host: Option<&str>, today: Date) -> Option<&Waiver> {
        self.waivers.iter().find(|waiver| waiver.until >= today && waiver.is_for(check, host))
    }

    /// The waiver that covered a failure last, when it is over.
    pub fn lapsed(&self, check: &str, host: Option<&str>, today: Date) -> Option<&Waiver> {
        let over = self.waivers.iter().filter(|waiver| waiver.until < today && waiver.is_for(check, host));
        over.max_by_key(|waiver| waiver.until)
    }
}

impl Waiver {
    fn is_for(&self, check: &str, host: Option<&str>) -> bool {
        self.check == check && self.host.as_deref().is_none_or(|named| host == Some(named))
    }

    fn read(entry: &Node) -> Result<Self, Fault> {
        let text = |key: &str| entry.get(key).and_then(Node::as_str).map(str::to_owned);
        let plain = |key: &str| text(key).unwrap_or_default();
        let (check, host, owner, reason) = (plain("check"), text("host"), plain("owner"), plain("reason"));
        Ok(Self { check, host, owner, reason, until: day("until", &plain("until"))? })
    }

    fn faults(&self, spec: &Spec, today: Date) -> Vec<Fault> {
        let mut faults = subject(&self.check, self.host.as_deref(), spec);
        faults.extend(said("owner", &self.owner, "name the person who answers for it"));
        faults.extend(said("reason", &self.reason, "write why: whoever reads the report will ask"));
        // Proposed: what nobody looks at for a year is no exception any more.
        let last = today.saturating_add(1.year());
        if self.until > last {
            let message = format!("`until` is {}, more than a year away", self.until);
            faults.push(Fault::new("until", message, format!("write a day up to {last}, and look at it again then")));
        }
        faults
    }
}

/// A day; its form has been checked against the schema.
pub(crate) fn day(key: &'static str, text: &str) -> Result<Date, Fault> {
    text.parse().map_err(|_| Fault::new(key, format!("`{text}` is not a day"), "write it as 2026-12-31"))
}

fn list<'r>(repository: &'r Repository<'r>, spec: &Spec) -> EntryList<'r> {
    let path = repository.waivers_file(&spec.environment.name);
    EntryList { repository, path, key: "waivers", schema: schema::waivers(), header: HEADER }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;
    use crate::trial::{Desk, Trial};
    use crate::{Finding, Verdict};

    fn waiver(check: &str, host: Option<&str>, until: &str) -> Waiver {
        let host = host.map(str::to_owned);
        let (owner, reason) = ("Ada Roe".to_owned(), "new hosts: in May".to_owned());
        Waiver { check: check.to_owned(), host, owner, reason, until: until.parse().unwrap() }
    }

    fn refused(waiver: &Waiver) -> String {
        let desk = Desk::new();
        match Waivers::add(&desk.repository(), &desk.trial.spec, waiver, desk.today()).unwrap_err() {
            AddError::Refused { message, hint } => {
                assert!(!desk.file("environments/trial/waivers.yml").exists(), "nothing is written");
                format!("{message}: {hint}")
            }
            other => other.to_string(),
        }
    }

    #[test]
    fn what_is_added_is_read_again_beside_what_people_wrote() {
        let desk = Desk::new();
        let path = desk.file("environments/trial/waivers.yml");
        let first = waiver("os.release", Some("web1"), "2027-05-31");
        assert_eq!(Waivers::add(&desk.repository(), &desk.trial.spec, &first, desk.today()).unwrap(), path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(HEADER), "{text}");
        let commented = format!("{text}    # renew only with the board's word\n");
        fs::write(&path, &commented).unwrap();
        let second = waiver("spec.unique", None, "2026-12-01");
        Waivers::add(&desk.repository(), &desk.trial.spec, &second, desk.today()).unwrap();
        let read = Waivers::load(&desk.repository(), &desk.trial.spec, desk.today()).unwrap();
        assert_eq!(read.waivers, [first, second]);
        assert!(fs::read_to_string(&path).unwrap().contains("# renew only with the board's word"));
    }

    #[test]
    fn a_wrong_waiver_is_not_written() {
        let message = refused(&waiver("os.relaese", None, "2026-12-01"));
        assert_eq!(message, "there is no check `os.relaese`: did you mean `os.release`?");
        assert!(refused(&waiver("os.release", Some("web2"), "2026-12-01")).contains("did you mean `web1`"));
        assert!(refused(&waiver("spec.unique", Some("web1"), "2026-12-01")).contains("leave out `host`"));
        assert!(refused(&waiver("os.release", None, "2026-11-21")).contains("2026-11-21 is over"));
        assert!(refused(&waiver("os.release", None, "2027-11-23")).contains("a day up to 2027-11-22"));
        let nobody = Waiver { owner: " ".to_owned(), ..waiver("os.release", None, "2026-12-01") };
        assert!(refused(&nobody).contains("`owner` is empty"));
        let no_reason = Waiver { reason: String::new(), ..waiver("os.release", None, "2026-12-01") };
        assert!(refused(&no_reason).contains("`reason` is empty"));
    }

    #[test]
    fn a_file_with_errors_says_all_of_them_and_is_not_added_to() {
        let desk = Desk::new();
        let text = "waivers:\n  - {check: os.relaese, owner: A, reason: r, until: 2026-12-01}\n  \
                    - {check: os.release, host: web9, owner: A, reason: \"\", until: 2028-01-01}\n";
        desk.write("environments/trial/waivers.yml", text);
        let load = || Waivers::load(&desk.repository(), &desk.trial.spec, desk.today());
        let shown = |invalid: &Invalid| cc_plan::diagnostic::render(&invalid.diagnostics, &invalid.sources, false, 100);
        insta::assert_snapshot!(shown(&load().unwrap_err()));
        let good = waiver("os.release", None, "2026-12-01");
        let error = Waivers::add(&desk.repository(), &desk.trial.spec, &good, desk.today()).unwrap_err();
        assert!(matches!(error, AddError::Invalid { .. }), "{error}");
        assert_eq!(fs::read_to_string(desk.file("environments/trial/waivers.yml")).unwrap(), text);
        desk.write(
            "environments/trial/waivers.yml",
            "waivers:\n  - {check: os.release, onwer: A, until: 31.12.2026}\n  - os.release\nwaviers: []\n",
        );
        insta::assert_snapshot!(shown(&load().unwrap_err()));
    }

    #[test]
    fn one_that_is_over_is_shown_and_covers_nothing() {
        let mut trial = Trial::new();
        trial.file("web1", "/etc/os-release", "ID=ubuntu\nVERSION_ID=20.04\n");
        let found = |trial: &Trial| -> Finding { trial.finding("os.release", "web1") };
        trial.waivers.waivers = vec![waiver("os.release", Some("web1"), "2026-11-22")];
        let covered = found(&trial);
        assert!(covered.verdict == Verdict::Fail && !covered.stops() && covered.lapsed.is_none(), "{covered:?}");
        trial.waivers.waivers =
            vec![waiver("os.release", None, "2026-10-01"), waiver("os.release", None, "2026-11-21")];
        let over = found(&trial);
        assert!(over.stops() && over.waiver.is_none(), "{over:?}");
        assert_eq!(over.lapsed.unwrap().until.to_string(), "2026-11-21");
        trial.waivers.waivers = vec![waiver("os.release", Some("db1"), "2026-12-21")];
        assert!(found(&trial).stops(), "another host's");
    }
}
