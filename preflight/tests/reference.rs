//! The reference page stands in the repository: `UPDATE_DOCS=1` writes it anew.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use cc_preflight::report::reference;
use cc_preflight::{CATALOGUE, abouts};

#[test]
fn the_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference/preflight.md");
    let text = reference::render(&abouts());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == text,
        "{} is not up to date: UPDATE_DOCS=1 cargo test -p cc-preflight --test reference",
        path.display()
    );
}

#[test]
fn every_check_is_described() {
    for about in abouts() {
        for text in [about.title, about.measures, about.why, about.fix, about.source, about.applies] {
            assert!(text.len() > 3, "{}: {text:?}", about.id);
        }
        for threshold in about.thresholds {
            assert!(threshold.id.starts_with(&format!("{}.", about.id)) && threshold.doc.len() > 3, "{}", threshold.id);
        }
    }
    assert!(!CATALOGUE.is_empty());
}
