//! Loading the files of whole environments.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use cc_plan::repository::Repository;
use cc_plan::spec::environment::{BatchSize, Size};
use cc_plan::spec::{self, Loaded};

fn load(case: &str, environment: &str) -> Loaded {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(case);
    let shipped = BTreeMap::new();
    spec::load(&Repository { root, shipped: &shipped }, environment)
        .unwrap_or_else(|invalid| panic!("{:#?}", invalid.diagnostics))
}

#[test]
fn a_whole_environment_is_read() {
    let Loaded { spec, warnings, .. } = load("valid", "local");
    assert_eq!(warnings.iter().count(), 0, "{warnings:#?}");
    let environment = &spec.environment;
    assert_eq!((environment.name.as_str(), environment.size), ("local", Size::Demo));
    assert_eq!(environment.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(), ["broker", "web"]);
    let broker = &environment.services[0];
    let params: Vec<(&str, serde_json::Value)> =
        broker.params.iter().map(|(name, node)| (name.as_str(), node.into())).collect();
    assert_eq!(params[0], ("maxmemory", "512MiB".into()), "the environment wins over what it extends");
    assert_eq!(params[1], ("password", serde_json::json!({"secret": "redis_password"})));
    let rollout = environment.services[1].rollout.as_ref().unwrap();
    assert_eq!(rollout.batches, [BatchSize::Hosts(1), BatchSize::Percent(50)]);
    assert_eq!(environment.external["smtp"].port, Some(587));

    let [web1, db1] = spec.inventory.hosts.as_slice() else { panic!("two hosts") };
    assert_eq!((web1.login.user.as_deref(), web1.login.port), (Some("deploy"), Some(2222)));
    assert_eq!(db1.login.user.as_deref(), Some("admin"), "a host wins over the defaults");
    assert_eq!(web1.params[0].1.as_str(), Some("a"));
    assert_eq!(db1.params[0].1.as_str(), Some("b"));

    let redis = &spec.roles["redis"];
    assert!(redis.templates.contains_key("redis.conf.j2"));
    let template = &redis.resources[1];
    assert_eq!(template.type_name.value, "template");
    assert_eq!(template.identity.as_str(), Some("/etc/redis/redis.conf"));
    assert_eq!(template.fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["source", "owner", "mode"]);
    assert_eq!(template.notify[0].value, "restart redis");
    assert_eq!(spec.secrets.unwrap().into_iter().collect::<Vec<_>>(), ["redis_password"]);
}

/// Loads an environment `e` from these files and gives what is wrong, one message a line.
fn wrong(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let shipped: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    match spec::load(&Repository { root: folder.path().to_path_buf(), shipped: &shipped }, "e") {
        Ok(_) => String::new(),
        Err(invalid) => invalid.diagnostics.iter().map(|found| format!("{}\n", found.message)).collect(),
    }
}

#[test]
fn a_huge_file_is_refused() {
    let huge = "# nothing\n".repeat(1 << 20);
    let found = wrong(&[("environments/e/environment.yml", &huge), ("inventories/e.yml", "hosts: {}\n")]);
    assert_eq!(
        found,
        "cannot read environments/e/environment.yml: it is 10240 KiB long, and at most 4096 KiB are read\n"
    );
}

#[test]
fn a_file_that_several_extend_is_checked_once() {
    let found = wrong(&[
        ("environments/e/environment.yml", "environment: e\nextends: [a, b, a]\n"),
        ("environments/a/environment.yml", "environment: a\nextends: [c]\n"),
        ("environments/b/environment.yml", "environment: b\nextends: [c, c]\n"),
        ("environments/c/environment.yml", "environment: c\nsise: demo\n"),
        ("inventories/e.yml", "hosts: {}\n"),
    ]);
    assert_eq!(found, "unknown key `sise` in an environment\n");
}

#[test]
fn a_flood_of_mistakes_is_cut() {
    let mut inventory = "hosts: {}\n".to_owned();
    (0..2000).for_each(|number| inventory.push_str(&format!("key{number}: 1\n")));
    let found = wrong(&[("environments/e/environment.yml", "environment: e\n"), ("inventories/e.yml", &inventory)]);
    assert_eq!(found.lines().count(), 501);
    assert!(found.contains("1500 more findings are not shown"), "{found}");
}
