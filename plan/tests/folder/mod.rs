//! A repository in a temporary folder.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;

use cc_plan::compile::{Known, compile};
use cc_plan::diagnostic::Diagnostics;
use cc_plan::plan::Plan;
use cc_plan::repository::Repository;
use cc_plan::source::Sources;
use cc_plan::spec::{self, Spec};

/// A repository with one environment `e`.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Writes files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    /// Writes one more file, or another text.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    /// Loads the environment `e`.
    pub fn try_load(&self) -> Result<Spec, String> {
        let shipped = BTreeMap::new();
        let repository = Repository { root: self.0.path().to_path_buf(), shipped: &shipped };
        match spec::load(&repository, "e") {
            Ok(loaded) => Ok(loaded.spec),
            Err(invalid) => Err(shown(&invalid.sources, &invalid.diagnostics)),
        }
    }

    /// The same, when it must succeed.
    pub fn load(&self) -> Spec {
        self.try_load().unwrap_or_else(|found| panic!("{found}"))
    }

    /// Loads and compiles the environment `e`.
    pub fn try_compile(&self, known: &Known) -> Result<Plan, String> {
        let spec = self.load();
        compile(&spec, known).map_err(|found| shown(&spec.sources, &found))
    }

    /// The same, when it must succeed.
    pub fn compile(&self, known: &Known) -> Plan {
        self.try_compile(known).unwrap_or_else(|found| panic!("{found}"))
    }
}

/// Findings as `file:line:column: message [label] (hint)`, one a line, with what is underlined.
fn shown(sources: &Sources, found: &Diagnostics) -> String {
    let mut text = String::new();
    for finding in found.iter() {
        let span = finding.span.unwrap();
        let file = sources.get(span.file);
        let (line, column) = sources.position(span);
        text += &format!("{}:{line}:{column}: {}", file.path.display(), finding.message);
        text += &format!(" «{}»", &file.text[span.start..span.end.min(file.text.len())]);
        if let Some(label) = &finding.label {
            text += &format!(" [{label}]");
        }
        if let Some(hint) = &finding.hint {
            text += &format!(" ({hint})");
        }
        text.push('\n');
    }
    text
}
