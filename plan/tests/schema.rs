//! The schema that editors get accepts what `load` accepts, by the judgement of an independent validator.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use cc_plan::diagnostic::Diagnostics;
use cc_plan::repository::Repository;
use cc_plan::source::Sources;
use cc_plan::{schema, spec, yaml};
use serde_json::Value;

struct Judge {
    schemas: Schemas,
    kinds: BTreeMap<&'static str, SchemaIndex>,
}

impl Judge {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let kinds = schema::KINDS.map(|kind| {
            let url = format!("file:///{kind}.json");
            compiler.add_resource(&url, schema::of(kind).unwrap().clone()).unwrap();
            (kind, compiler.compile(&url, &mut schemas).unwrap())
        });
        Self { schemas, kinds: kinds.into_iter().collect() }
    }

    fn refuses(&self, kind: &str, text: &str) -> Option<String> {
        let value = read(text);
        self.schemas.validate(&value, self.kinds[kind]).err().map(|error| format!("{error:#}"))
    }
}

fn read(text: &str) -> Value {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let file = sources.add("file.yml", text);
    let document = yaml::parse(&sources, file, &mut diagnostics).unwrap();
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    (&document.root).into()
}

fn kind_of(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let in_inventories = path.parent()?.file_name()? == "inventories";
    match name {
        "environment.yml" => Some("environment"),
        "role.yml" => Some("role"),
        _ if in_inventories && name.ends_with(".yml") => Some("inventory"),
        _ => None,
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { files_below(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_file_that_ships_is_valid() {
    let judge = Judge::new();
    let mut files = Vec::new();
    for folder in ["roles", "environments", "inventories", "plan/tests/fixtures/base", "plan/tests/fixtures/valid"] {
        files_below(&workspace().join(folder), &mut files);
    }
    let mut checked = 0;
    for path in files {
        if let Some(kind) = kind_of(&path) {
            let refused = judge.refuses(kind, &std::fs::read_to_string(&path).unwrap());
            assert_eq!(refused, None, "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked} files");
}

#[test]
fn what_load_refuses_by_the_schema_is_refused() {
    let judge = Judge::new();
    for case in [
        "environment-unknown-keys/environments/local/environment.yml",
        "environment-wrong-types/environments/local/environment.yml",
        "service-name/environments/local/environment.yml",
        "verify/environments/local/environment.yml",
        "inventory-types/inventories/local.yml",
        "inventory-host-names/inventories/local.yml",
        "inventory-no-hosts/inventories/local.yml",
        "role-unknown-keys/roles/web/role.yml",
        "role-unknown-field/roles/web/role.yml",
        "role-unknown-resource-type/roles/web/role.yml",
        "role-field-types/roles/web/role.yml",
        "role-command-without-guard/roles/web/role.yml",
        "role-rules/roles/web/role.yml",
        "role-restart-outside-of-handlers/roles/web/role.yml",
        "role-params/roles/web/role.yml",
        "role-handler-keys/roles/redis/role.yml",
        "role-health/roles/redis/role.yml",
        "role-offers-and-needs/roles/redis/role.yml",
    ] {
        let path = workspace().join("plan/tests/fixtures").join(case);
        let refused = judge.refuses(kind_of(&path).unwrap(), &std::fs::read_to_string(&path).unwrap());
        assert!(refused.is_some(), "{case} is accepted");
    }
}

/// The text with its examples made valid: lines that begin with `#` and no space.
fn with_examples(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let example = line
            .strip_prefix('#')
            .filter(|rest| !rest.is_empty() && (!rest.starts_with(' ') || rest.starts_with("  ")));
        lines.push(example.unwrap_or(line));
    }
    lines.join("\n")
}

#[test]
fn a_new_environment_is_valid_as_it_is_and_with_its_examples() {
    let judge = Judge::new();
    for examples in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &Path, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(Path::new("environments/base/environment.yml"), "environment: base\n");
        write(Path::new("secrets/prod.yml"), "values: {redis_password: sealed}\n");
        for (path, text) in spec::init("prod").unwrap() {
            let text = if examples { with_examples(&text) } else { text };
            assert_eq!(judge.refuses(kind_of(&path).unwrap(), &text), None, "{text}");
            write(&path, &text);
        }
        let mut shipped = BTreeMap::new();
        let mut files = Vec::new();
        files_below(&workspace().join("roles"), &mut files);
        for path in files {
            let name = path.strip_prefix(workspace().join("roles")).unwrap().to_str().unwrap().to_owned();
            shipped.insert(name, std::fs::read(path).unwrap());
        }
        let repository = Repository { root: folder.path().to_path_buf(), shipped: &shipped };
        let loaded = spec::load(&repository, "prod").unwrap_or_else(|invalid| panic!("{:#?}", invalid.diagnostics));
        assert_eq!(loaded.warnings, Diagnostics::default());
        assert_eq!(loaded.unset, Diagnostics::default());
        assert_eq!(loaded.spec.inventory.hosts.len(), if examples { 2 } else { 1 });
        assert_eq!(loaded.spec.environment.services.len(), if examples { 2 } else { 1 });
    }
}
