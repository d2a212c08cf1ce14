//! The environments and roles of this repository.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cc_agent::facts::Facts;
use cc_plan::compile::{Known, RepositoryFiles, compile};
use cc_plan::plan::Plan;
use cc_plan::repository::Repository;
use cc_plan::spec::{self, Spec};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Secrets that the environments name; their files are made on first use and are no part of the repository.
const SECRETS: &str = "recipients: [age1example]
values: {redis_password: sealed, forms_secret_key: sealed, forms_database_password: sealed}
";

fn load(environment: &str) -> Spec {
    let folder = tempfile::tempdir().unwrap();
    for part in ["environments", "inventories", "roles"] {
        std::os::unix::fs::symlink(root().join(part), folder.path().join(part)).unwrap();
    }
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join(format!("secrets/{environment}.yml")), SECRETS).unwrap();
    let shipped = BTreeMap::new();
    let loaded = spec::load(&Repository { root: folder.path().to_path_buf(), shipped: &shipped }, environment);
    loaded.unwrap_or_else(|invalid| panic!("{:#?}", invalid.diagnostics)).spec
}

fn plan(spec: &Spec, known: &Known) -> Plan {
    compile(spec, known).unwrap_or_else(|found| panic!("{found:#?}"))
}

#[test]
fn they_compile_before_any_host_exists() {
    for environment in ["local", "monolith"] {
        let spec = load(environment);
        let known = Known { files: Some(Arc::new(RepositoryFiles::new(root()))), ..Known::default() };
        let unknown: Vec<String> =
            plan(&spec, &known).hosts.into_iter().flat_map(|host| host.steps).filter_map(|step| step.unknown).collect();
        assert!(unknown.iter().any(|why| why.contains("host.os of")), "{unknown:#?}");
        assert!(unknown.iter().any(|why| why.contains("address of")), "{unknown:#?}");
    }
}

#[test]
fn nothing_is_unknown_once_every_host_has_answered() {
    for environment in ["local", "monolith"] {
        let spec = load(environment);
        let hosts = spec.inventory.hosts.iter().map(|host| host.name.value.clone());
        let known = Known {
            facts: hosts.clone().map(|host| (host, Facts::placeholder())).collect(),
            addresses: hosts.zip(1..).map(|(host, number)| (host, format!("10.0.0.{number}"))).collect(),
            files: Some(Arc::new(RepositoryFiles::new(root()))),
        };
        let plan = plan(&spec, &known);
        for host in &plan.hosts {
            for step in &host.steps {
                assert_eq!(step.unknown, None, "{}", step.id);
            }
            assert!(!host.checks.is_empty(), "{}", host.host);
        }
        assert!(plan.hosts.iter().flat_map(|host| &host.steps).any(|step| step.resource.type_name() == "archive"));
        assert_eq!(plan.blobs.len(), 1, "the application's folder");
    }
}
