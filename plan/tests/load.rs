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
