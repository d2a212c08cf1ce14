//! A repository in a temporary folder.

use std::collections::BTreeMap;

use cc_plan::compile::{Known, compile};
use cc_plan::diagnostic::Diagnostics;
use cc_plan::plan::Plan;
use cc_plan::repository::Repository;
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

    /// Loads the environment `e`.
    pub fn load(&self) -> Spec {
        let shipped = BTreeMap::new();
        let repository = Repository { root: self.0.path().to_path_buf(), shipped: &shipped };
        spec::load(&repository, "e").unwrap_or_else(|invalid| panic!("{:#?}", invalid.diagnostics)).spec
    }

    /// Loads and compiles the environment `e`.
    pub fn try_compile(&self, known: &Known) -> Result<Plan, String> {
        let spec = self.load();
        compile(&spec, known).map_err(|found| shown(&spec, &found))
    }

    /// The same, when it must succeed.
    pub fn compile(&self, known: &Known) -> Plan {
        self.try_compile(known).unwrap_or_else(|found| panic!("{found}"))
    }
}

/// Findings as `file:line:column: message [label] (hint)`, one a line, with what is underlined.
fn shown(spec: &Spec, found: &Diagnostics) -> String {
    let mut text = String::new();
    for finding in found.iter() {
        let span = finding.span.unwrap();
        let file = spec.sources.get(span.file);
        let (line, column) = spec.sources.position(span);
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
