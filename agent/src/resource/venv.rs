//! A Python virtual environment on disk, read without running Python.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::requirements::{Requirements, dist_info};
use crate::host::{Attributes, Host};
use crate::ordered::ordered;
use crate::step_error::StepError;

/// Written last: what stands in it was installed to the end.
const MARKER: &str = ".cc-cloud-venv.json";
/// What `python -m venv` makes; a folder with anything else in it was not made by it.
const OWN: [&str; 7] = ["bin", "include", "lib", "lib64", "share", "pyvenv.cfg", MARKER];
/// Come with every environment; managed only when required.
const TOOLS: [&str; 3] = ["pip", "setuptools", "wheel"];
/// Version by normalised name.
pub(super) type Projects = BTreeMap<String, String>;

/// What was installed to the end.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// SHA-256 of the requirements, with the keyed digest in the place of each secret.
    pub(super) requirements: String,
    /// The interpreter, links followed: `/usr/bin/python3.11`.
    pub(super) interpreter: String,
    /// What was there afterwards.
    pub(super) installed: Projects,
}

/// The folder of an environment.
pub(super) struct Venv<'a>(pub(super) &'a Path);

impl Venv<'_> {
    /// Its interpreter.
    pub(super) fn python(&self) -> String {
        self.0.join("bin/python").to_string_lossy().into_owned()
    }

    /// Whether there is an environment, perhaps half of one.
    pub(super) fn has_begun(&self) -> bool {
        self.0.join("pyvenv.cfg").is_file()
    }

    /// What was installed to the end; `None` when an installation was cut off, or made by others.
    pub(super) fn marker(&self, host: &Host) -> Result<Option<Marker>, StepError> {
        let bytes = host.read(&self.0.join(MARKER))?.filter(|_| self.0.join("bin/python").exists());
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Says that what is there now was installed to the end.
    pub(super) fn mark(&self, host: &Host, marker: &Marker) -> Result<(), StepError> {
        let text = serde_json::to_vec(marker).map_err(|error| StepError::new(error.to_string()))?;
        let attributes = Attributes::of_mode(0o644);
        host.write(&self.0.join(MARKER), &text, attributes)
    }

    /// From here until it is marked again, whoever finds the environment knows that it may not be whole.
    pub(super) fn unmark(&self, host: &Host) -> Result<(), StepError> {
        host.remove(&self.0.join(MARKER))
    }

    /// Name and version of what is installed, from the names of folders alone.
    pub(super) fn installed(&self, requirements: &Requirements) -> Projects {
        let versions = fs::read_dir(self.0.join("lib")).into_iter().flatten().flatten();
        let sites = versions.map(|version| version.path().join("site-packages"));
        let entries = sites.flat_map(|site| fs::read_dir(site).into_iter().flatten().flatten());
        let found = entries.filter_map(|entry| dist_info(entry.file_name().to_str()?));
        ordered(found.filter(|(name, _)| !TOOLS.contains(&name.as_str()) || requirements.projects.contains_key(name)))
    }

    /// A folder that somebody filled with something else is not ours to clear.
    pub(super) fn check_is_ours(&self) -> Result<(), StepError> {
        let entries = fs::read_dir(self.0).into_iter().flatten().flatten();
        let foreign = entries.map(|entry| entry.file_name()).find(|name| !OWN.iter().any(|own| name == own));
        if self.has_begun() {
            return Ok(());
        }
        foreign.map_or(Ok(()), |name| {
            let message =
                format!("{} is no virtual environment: it holds `{}`", self.0.display(), name.to_string_lossy());
            Err(StepError::new(message).hint("choose another path, or remove the folder with a `directory` step"))
        })
    }
}
