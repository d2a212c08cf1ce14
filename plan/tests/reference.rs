//! Files that are made from the schema and stand in the repository: `UPDATE_DOCS=1` writes them anew.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use cc_plan::schema;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn check(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == text,
        "{} is not up to date: UPDATE_DOCS=1 cargo test -p cc-plan --test reference",
        path.display()
    );
}

#[test]
fn the_reference_is_up_to_date() {
    for (name, text) in schema::reference() {
        check(&repository().join("docs/src/reference").join(name), &text);
    }
}

#[test]
fn the_schemas_are_up_to_date() {
    for kind in schema::KINDS {
        let text = serde_json::to_string_pretty(schema::of(kind).unwrap()).unwrap() + "\n";
        check(&repository().join("schema").join(format!("{kind}.schema.json")), &text);
    }
}

#[test]
fn every_key_and_every_type_is_described() {
    for (name, text) in schema::reference() {
        for line in text.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split(" | ").collect();
            assert!(
                cells.len() == 4 && !cells[1].trim().is_empty() && cells[3].trim_end_matches('|').trim().len() > 3,
                "{name}: {line}"
            );
        }
        for (index, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with("## ")) {
            assert!(
                text.lines().nth(index + 2).is_some_and(|line| !line.is_empty()),
                "{name}: {line} has no description"
            );
        }
    }
}
