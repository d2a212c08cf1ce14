//! Every kind of mistake in the files, as people see it.
//!
//! A folder in `tests/fixtures` holds what differs from `base`, and `expected.txt` with what is shown for it. `remove.txt` names a
//! file of `base` that is not there, `environment.txt` an environment other than `local`. `UPDATE_EXPECTED=1` writes the
//! expected texts anew.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cc_plan::diagnostic::{render, to_json};
use cc_plan::repository::Repository;
use cc_plan::spec;

const WIDTH: usize = 100;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What loading a case shows, and the same for programs.
fn shown(case: &Path) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixtures().join("base"), folder.path());
    copy(case, folder.path());
    let note = |name: &str| std::fs::read_to_string(case.join(name)).ok().map(|text| text.trim().to_owned());
    if let Some(path) = note("remove.txt") {
        std::fs::remove_file(folder.path().join(path)).unwrap();
    }
    let environment = note("environment.txt").unwrap_or_else(|| "local".to_owned());
    let shipped: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let repository = Repository { root: folder.path().to_path_buf(), shipped: &shipped };
    match spec::load(&repository, &environment) {
        Ok(loaded) => {
            let (mut found, sources) = (loaded.warnings, &loaded.spec.sources);
            found.append(loaded.unset);
            let found = &found;
            match cc_plan::compile::compile(&loaded.spec, &cc_plan::compile::Known::default()) {
                Ok(_) => {
                    let clean = if found.has_errors() { "" } else { "no error\n" };
                    (format!("{}{clean}", render(found, sources, false, WIDTH)), to_json(found, sources))
                }
                Err(found) => (render(&found, sources, false, WIDTH), to_json(&found, sources)),
            }
        }
        Err(invalid) => {
            let (found, sources) = (&invalid.diagnostics, &invalid.sources);
            (render(found, sources, false, WIDTH), to_json(found, sources))
        }
    }
}

#[test]
fn every_mistake_is_shown_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| !["base", "valid"].iter().any(|name| case.ends_with(name)));
    cases.sort();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut failed = Vec::new();
    for case in cases {
        let (text, json) = shown(&case);
        // A terminal shows at most the lines and columns that programs are told.
        for line in json.lines() {
            let finding: serde_json::Value = serde_json::from_str(line).unwrap();
            if finding["file"].is_string() {
                let place = |key: &str| finding[key].as_u64().unwrap();
                let header = format!("{}:{}:{}", finding["file"].as_str().unwrap(), place("line"), place("column"));
                let path = finding["file"].as_str().unwrap();
                assert!(text.contains(&header) || text.contains(&format!("--> {path}\n")), "{header} in\n{text}");
            }
        }
        let expected = case.join("expected.txt");
        if update {
            std::fs::write(&expected, &text).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != text {
            failed.push(format!("{}\n{text}", case.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_mistake_in_each_file_is_shown_at_once() {
    let (text, _) = shown(&fixtures().join("all-files-at-once"));
    for file in
        ["environments/local/environment.yml", "inventories/local.yml", "roles/redis/role.yml", "roles/web/role.yml"]
    {
        assert!(text.contains(file), "{file} in\n{text}");
    }
}
