//! The environments and roles of this repository.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use cc_agent::facts::{Facts, Os};
use cc_agent::resource::{Content, Resource};
use cc_agent::secret::contains_token;
use cc_plan::compile::{Known, RepositoryFiles, compile};
use cc_plan::plan::Plan;
use cc_plan::repository::Repository;
use cc_plan::spec::{self, Spec};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

const SYSTEMS: [(&str, &str, &str); 3] =
    [("debian", "12", "bookworm"), ("ubuntu", "22.04", "jammy"), ("ubuntu", "24.04", "noble")];

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

/// Every host has answered: a plain one with this system.
fn seen(spec: &Spec, (id, version, codename): (&str, &str, &str)) -> Known {
    let os = Os { id: id.to_owned(), version: version.to_owned(), codename: codename.to_owned() };
    let facts = Facts { os, ..Facts::placeholder() };
    let hosts = spec.inventory.hosts.iter().map(|host| host.name.value.clone());
    Known {
        facts: hosts.clone().map(|host| (host, facts.clone())).collect(),
        addresses: hosts.zip(1..).map(|(host, number)| (host, format!("10.0.0.{number}"))).collect(),
        files: Some(Arc::new(RepositoryFiles::new(root()))),
    }
}

fn planned(environment: &str, system: (&str, &str, &str)) -> Plan {
    let spec = load(environment);
    plan(&spec, &seen(&spec, system))
}

fn text(resource: &Resource) -> Option<&str> {
    match resource {
        Resource::File(file) => match file.content.as_ref()? {
            Content::Text(text) => Some(text),
            Content::Blob { .. } => None,
        },
        Resource::Unit(unit) => Some(&unit.content),
        _ => None,
    }
}

/// Steps, content and checks as text; what depends on the sample application's code is left out.
fn shown(plan: &Plan) -> String {
    let mut out = String::new();
    for host in &plan.hosts {
        for step in &host.steps {
            let mut resource = serde_json::to_value(&step.resource).unwrap();
            let fields = resource.as_object_mut().unwrap();
            for field in ["type", "content", "sha256", "length", "requirements", "state"] {
                fields.remove(field);
            }
            writeln!(out, "{} {} {resource}", host.host, step.id).unwrap();
            for line in text(&step.resource).unwrap_or_default().lines() {
                writeln!(out, "{}", format!("    {line}").trim_end()).unwrap();
            }
        }
        for handler in &host.handlers {
            writeln!(out, "{} {}", host.host, handler.id).unwrap();
        }
        for check in &host.checks {
            let what = serde_json::to_string(&check.check).unwrap();
            writeln!(out, "{} {} is healthy: {what}", host.host, check.service).unwrap();
        }
    }
    out.replace(['\u{E000}', '\u{E001}'], "•")
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
    for (environment, system) in ["local", "monolith"].into_iter().flat_map(|e| SYSTEMS.map(|system| (e, system))) {
        let plan = planned(environment, system);
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

#[test]
fn stages_follow_from_what_services_use() {
    let plan = planned("local", SYSTEMS[0]);
    let stages: Vec<Vec<&str>> =
        plan.stages.iter().map(|stage| stage.services.iter().map(|s| s.name.as_str()).collect()).collect();
    assert_eq!(stages, [vec!["base", "postgresql", "redis"], vec!["pgbouncer"], vec!["forms"], vec!["nginx"]]);
}

#[test]
fn the_distribution_decides_the_version_of_postgresql() {
    for (system, package) in SYSTEMS.into_iter().zip(["postgresql-15", "postgresql-14", "postgresql-16"]) {
        let plan = planned("monolith", system);
        let id = format!("postgresql/package:{package}");
        assert!(plan.hosts[0].steps.iter().any(|step| step.id == id), "{id}");
    }
}

#[test]
fn a_monolith_has_what_the_hosts_of_local_have_together() {
    let ids = |plan: &Plan| -> BTreeSet<String> {
        let steps = plan.hosts.iter().flat_map(|host| &host.steps);
        steps.map(|step| step.id.clone()).filter(|id| !id.contains("hosts_entry")).collect()
    };
    assert_eq!(ids(&planned("monolith", SYSTEMS[0])), ids(&planned("local", SYSTEMS[0])));
}

/// A file with a secret is for its owner and at most one group.
#[test]
fn files_with_secrets_are_closed_to_others() {
    let plan = planned("local", SYSTEMS[0]);
    let mut seen = 0;
    for step in plan.hosts.iter().flat_map(|host| &host.steps) {
        if !text(&step.resource).is_some_and(contains_token) {
            continue;
        }
        let Resource::File(file) = &step.resource else { panic!("{} holds a secret", step.id) };
        let mode = u32::from_str_radix(&file.mode.unwrap().to_string(), 8).unwrap();
        assert_eq!(mode & 0o007, 0, "{}", step.id);
        seen += 1;
    }
    assert_eq!(seen, 3, "settings.ini, userlist.txt, redis.conf");
}

#[test]
fn plan_for_ubuntu_22_04() {
    insta::assert_snapshot!(shown(&planned("local", SYSTEMS[1])));
}

#[test]
fn plan_for_ubuntu_24_04() {
    insta::assert_snapshot!(shown(&planned("local", SYSTEMS[2])));
}
