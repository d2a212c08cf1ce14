//! Whatever stands in the files: loading returns, and what it found can be shown.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use cc_plan::compile::{Known, compile};
use cc_plan::diagnostic::{Diagnostics, render, to_json};
use cc_plan::node::{Kind, Node};
use cc_plan::repository::Repository;
use cc_plan::source::Sources;
use cc_plan::{spec, yaml};
use proptest::collection::vec;
use proptest::prelude::*;

const FILES: [(&str, &str); 6] = [
    ("environments/local/environment.yml", include_str!("fixtures/base/environments/local/environment.yml")),
    ("inventories/local.yml", include_str!("fixtures/base/inventories/local.yml")),
    ("secrets/local.yml", include_str!("fixtures/base/secrets/local.yml")),
    ("roles/redis/role.yml", include_str!("fixtures/base/roles/redis/role.yml")),
    ("roles/web/role.yml", include_str!("fixtures/base/roles/web/role.yml")),
    ("roles/redis/templates/redis.conf.j2", include_str!("fixtures/base/roles/redis/templates/redis.conf.j2")),
];

/// Pieces that mean something to YAML, to templates or to us.
const PIECES: [&str; 44] = [
    "\n",
    "  ",
    "\t",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "|",
    ">",
    "&a ",
    "*a",
    "<<: *a\n",
    "? ",
    "!x ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "# ",
    "~",
    "null",
    "0640",
    "1e999",
    "-0",
    "yes",
    "{{",
    "}}",
    "{%",
    "%}",
    "{{ params.x }}",
    "on",
    "role",
    "services",
    "secret",
    "extends: [local]\n",
    "../../..",
    "\u{feff}",
    "\u{0}",
    "ü",
    "💥",
];

#[derive(Clone, Debug)]
enum Edit {
    Insert(usize, usize),
    Remove(usize, usize),
    Copy(usize, usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<usize>(), 0..PIECES.len()).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (any::<usize>(), 1_usize..20).prop_map(|(at, count)| Edit::Remove(at, count)),
        (any::<usize>(), any::<usize>(), 1_usize..40).prop_map(|(from, to, count)| Edit::Copy(from, to, count)),
    ]
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for edit in edits {
        let length = characters.len();
        let place = |at: usize| at % (length + 1);
        match *edit {
            Edit::Insert(at, piece) => drop(characters.splice(place(at)..place(at), PIECES[piece].chars())),
            Edit::Remove(at, count) => drop(characters.drain(place(at)..(place(at) + count).min(length))),
            Edit::Copy(from, to, count) => {
                let copy = characters[place(from)..(place(from) + count).min(length)].to_vec();
                characters.splice(place(to)..place(to), copy);
            }
        }
    }
    characters.into_iter().collect()
}

/// Loads a repository, compiles it when it is valid, and shows what was found. Returns whether it is valid.
fn survives(files: &[(&str, Vec<u8>)]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let shipped: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let repository = Repository { root: folder.path().to_path_buf(), shipped: &shipped };
    let show = |found: &Diagnostics, sources: &Sources| {
        for width in [0, 40, 100] {
            let text = render(found, sources, false, width);
            assert_eq!(text.is_empty(), found.iter().count() == 0);
        }
        assert_eq!(to_json(found, sources).lines().count(), found.iter().count());
    };
    match spec::load(&repository, "local") {
        Ok(loaded) => {
            assert!(!loaded.warnings.has_errors());
            show(&loaded.warnings, &loaded.spec.sources);
            if let Err(found) = compile(&loaded.spec, &Known::default()) {
                show(&found, &loaded.spec.sources);
            }
            true
        }
        Err(invalid) => {
            assert!(invalid.diagnostics.has_errors());
            show(&invalid.diagnostics, &invalid.sources);
            false
        }
    }
}

fn with(changed: usize, bytes: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let mut files: Vec<(&str, Vec<u8>)> = FILES.iter().map(|(path, text)| (*path, text.as_bytes().to_vec())).collect();
    files[changed].1 = bytes;
    files
}

/// Every place is inside of the text, between whole characters.
fn places_are_sound(node: &Node, text: &str) {
    assert!(text.get(node.span.start..node.span.end).is_some(), "{:?} in {text:?}", node.span);
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| places_are_sound(item, text)),
        Kind::Map(entries) => {
            for (key, node) in entries {
                assert!(text.get(key.span.start..key.span.end).is_some(), "{:?} in {text:?}", key.span);
                places_are_sound(node, text);
            }
        }
        _ => {}
    }
}

fn parse(text: &str) {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let file = sources.add("file.yml", text);
    let document = yaml::parse(&sources, file, &mut diagnostics);
    let incomplete = document.as_ref().is_none_or(|document| !document.complete);
    assert_eq!(incomplete, diagnostics.has_errors(), "{text:?}: {diagnostics:?}");
    if let Some(document) = document {
        places_are_sound(&document.root, text);
    }
    for diagnostic in diagnostics.iter() {
        let span = diagnostic.span.unwrap();
        assert!(text.get(span.start..span.end).is_some(), "{span:?} in {text:?}");
    }
}

#[test]
fn the_files_are_valid_before_they_are_changed() {
    assert!(survives(&with(0, FILES[0].1.as_bytes().to_vec())));
}

/// As many cases as `PROPTEST_CASES` says (256 when it says nothing), times a factor for cheap ones.
fn cases(factor: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig { cases: config.cases * factor, ..config }
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn any_bytes_end_well(file in 0..FILES.len(), bytes in vec(any::<u8>(), 0..200)) {
        survives(&with(file, bytes));
    }

    #[test]
    fn edited_files_end_well(file in 0..FILES.len(), edits in vec(edit(), 1..6)) {
        survives(&with(file, edited(FILES[file].1, &edits).into_bytes()));
    }
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,80}") {
        parse(&text);
    }

    #[test]
    fn edited_yaml_is_parsed_or_refused(file in 0..FILES.len(), edits in vec(edit(), 1..12)) {
        parse(&edited(FILES[file].1, &edits));
    }
}

/// 200 hosts, 30 services of 10 resources each.
fn large() -> Vec<(String, Vec<u8>)> {
    let mut environment = "environment: local\nservices:\n".to_owned();
    let mut inventory = "hosts:\n".to_owned();
    let mut files = Vec::new();
    for host in 0..200 {
        let group = host % 30;
        let _ = writeln!(
            inventory,
            "  host{host}: {{address: 10.0.{}.{}, groups: [group{group}, all]}}",
            host / 250,
            host % 250
        );
    }
    for service in 0..30 {
        let _ =
            writeln!(environment, "  service{service}: {{role: role{service}, on: group{service}, count: {service}}}");
        let mut role = format!("role: role{service}\nparams:\n  count: {{type: integer, doc: A number}}\nresources:\n");
        for resource in 0..10 {
            let _ = writeln!(
                role,
                "  - file: /etc/service{service}/{resource}.conf\n    content: \"{{{{ params.count }}}}\"\n    mode: \"0644\""
            );
        }
        files.push((format!("roles/role{service}/role.yml"), role.into_bytes()));
    }
    files.push(("environments/local/environment.yml".to_owned(), environment.into_bytes()));
    files.push(("inventories/local.yml".to_owned(), inventory.into_bytes()));
    files
}

#[test]
fn a_large_environment_loads_fast() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in large() {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let shipped: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let repository = Repository { root: Path::new(folder.path()).to_path_buf(), shipped: &shipped };
    let start = Instant::now();
    let loaded = spec::load(&repository, "local").unwrap_or_else(|invalid| panic!("{:#?}", invalid.diagnostics));
    let took = start.elapsed();
    assert_eq!(loaded.spec.inventory.hosts.len(), 200);
    assert_eq!(loaded.spec.roles.values().map(|role| role.resources.len()).sum::<usize>(), 300);
    // Ten times what an optimised build may take: a debug build on a busy machine must not fail, quadratic work must.
    assert!(took < Duration::from_secs(3), "{took:?}");
}
