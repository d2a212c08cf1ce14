//! A parser that is added must be fuzzed too.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;

#[test]
fn every_parser_of_a_tool_is_fuzzed() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = fs::read_to_string(here.join("src/tool/mod.rs")).unwrap();
    let target = fs::read_to_string(here.join("../fuzz/fuzz_targets/tools.rs")).unwrap();
    let names = modules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let (fuzzed, forgotten): (Vec<&str>, Vec<&str>) =
        names.partition(|name| target.contains(&format!("({name}::")) || target.contains(&format!(" {name}::")));
    assert!(fuzzed.len() > 30, "{fuzzed:?}");
    assert_eq!(forgotten, Vec::<&str>::new(), "add them to fuzz/fuzz_targets/tools.rs");
}
