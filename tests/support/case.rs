use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// A resource type, and what proves that it works.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name in the report.
    pub(super) case: String,
    /// The type, as roles write it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Debian packages that must be there first.
    #[serde(default)]
    pub(super) packages: Vec<String>,
    /// Shell that is run on the host beforehand.
    #[serde(default)]
    pub(super) prepare: String,
    /// Files of the role.
    #[serde(default)]
    pub(super) role_files: BTreeMap<String, String>,
    /// A line of shell that prints what of the host's state is in no watched file: a plan must not change it.
    #[serde(default)]
    pub(super) look: String,
    create: Form,
    update: Option<Form>,
    delete: Option<Form>,
}

/// A desired form of a case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    pub(super) resources: Vec<Value>,
    /// The change that the plan must show; the phase's own when absent.
    change: Option<String>,
    /// The type as written in this form, where that is another.
    #[serde(rename = "as")]
    as_type: Option<String>,
    /// A line of shell that succeeds when the host is as this form says.
    pub(super) holds: String,
    /// The same for the time after the next boot, where that is another.
    pub(super) after_boot: Option<String>,
}

/// The forms of all cases that are deployed at the same time.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub enum Phase {
    Create,
    Update,
    Delete,
}

impl Phase {
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl Case {
    /// All cases of all files in a folder of `tests`.
    pub fn all(folder: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
        let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "yml")).collect();
        files.sort();
        let read = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            serde_saphyr::from_str::<Vec<Self>>(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        files.iter().flat_map(read).collect()
    }

    /// The name of its service and role.
    pub(super) fn service(&self) -> String {
        self.case.replace([' ', '_'], "-")
    }

    pub(super) fn form(&self, phase: Phase) -> Option<&Form> {
        match phase {
            Phase::Create => Some(&self.create),
            Phase::Update => self.update.as_ref(),
            Phase::Delete => self.delete.as_ref(),
        }
    }

    /// The form that is desired in a phase: that of the phase or, where the case has none, the one before.
    pub(super) fn desired(&self, phase: Phase) -> &Form {
        let phases = [Phase::Delete, Phase::Update, Phase::Create];
        phases.into_iter().filter(|earlier| *earlier <= phase).find_map(|phase| self.form(phase)).unwrap()
    }

    /// What a plan does not show as it should.
    pub(super) fn misplanned(&self, phase: Phase, steps: &[Value]) -> Vec<String> {
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
