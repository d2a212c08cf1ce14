//! `spec.unique`: one name, one machine.

use std::collections::BTreeMap;

use cc_plan::counted;
use cc_plan::node::{Kind, Node};
use cc_plan::source::Span;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// One name, one machine.
pub struct Unique;

// Elasticsearch nodes have the names of their hosts, and there is one shared directory, beat and flower because a service's name
// is unique in a file: neither can be doubled here.
static ABOUT: About = About {
    id: "spec.unique",
    title: "Names, addresses and broker ids are unique",
    measures: "The inventory: host names, addresses, and the host params `kafka_broker_id` and `zookeeper_id`; an even number \
               of the latter is warned of.",
    why: "Two names for one machine put a primary and its standby onto the same disk; two brokers with one id refuse to start. An \
          even number of ZooKeeper hosts bears no more failures than one less.",
    thresholds: &[],
    fix: "give each host of inventories/<env>.yml a name, an address and ids of its own",
    source: "installation guide, step 2, whose sample inventory has duplicates",
    vantage: Vantage::Spec,
    applies: "every environment",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration, Phase::Change],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Spec,
};

/// Host params that must differ from host to host.
const IDS: [&str; 2] = ["kafka_broker_id", "zookeeper_id"];

impl Check for Unique {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, _scene: &Scene<'_>, _subject: Subject) -> Ask {
        Ask::nothing()
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        let hosts = &scene.spec.inventory.hosts;
        let mut owners: BTreeMap<(String, String), Vec<(&str, Span)>> = BTreeMap::new();
        for host in hosts {
            let address =
                host.address.iter().map(|address| (("address".to_owned(), address.value.clone()), address.span));
            let ids = host.params.iter().filter(|(name, _)| IDS.contains(&name.value.as_str()));
            let ids = ids.map(|(name, node)| ((name.value.clone(), shown(node)), node.span));
            for (key, span) in address.chain(ids) {
                owners.entry(key).or_default().push((host.name.value.as_str(), span));
            }
        }
        let doubled: Vec<(String, Span)> = owners
            .iter()
            .filter(|(_, owners)| owners.len() > 1)
            .map(|((what, value), owners)| {
                let names: Vec<&str> = owners.iter().map(|(name, _)| *name).collect();
                (format!("{what} {value} is that of {}", names.join(" and ")), owners[1].1)
            })
            .collect();
        let expected = "each host has its own";
        if let Some((_, span)) = doubled.first() {
            let all: Vec<&str> = doubled.iter().map(|(what, _)| what.as_str()).collect();
            return Ok(Judgement::fail(all.join("; "), expected).at(scene, *span));
        }
        let ensemble = owners.keys().filter(|(what, _)| what == "zookeeper_id").count();
        Ok(match ensemble {
            count if count > 0 && count % 2 == 0 => {
                let fix = "take one host away, or add one";
                Judgement::warn(format!("{count} hosts have a zookeeper_id"), "an odd number").fix(fix)
            }
            _ => Judgement::pass(format!("{}, nothing is doubled", counted(hosts.len(), "host")), expected),
        })
    }
}

/// An id as it was written.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Int(id) => id.to_string(),
        Kind::String(id) => id.clone(),
        _ => node.describe(),
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Finding, Verdict};

    fn found(web: &str, db: &str) -> Finding {
        let environment = "environment: trial\nservices:\n  database: {on: db1}\n  web: {on: web1}\n";
        let inventory = format!("hosts:\n  web1: {{address: 10.0.0.1{web}}}\n  db1: {{{db}}}\n");
        Trial::of(environment, &inventory).finding("spec.unique", "")
    }

    #[test]
    fn what_is_doubled_fails_at_the_second() {
        let address = found("", "address: 10.0.0.1, port: 2222");
        assert!(address.stops() && address.observed == "address 10.0.0.1 is that of web1 and db1", "{address:?}");
        assert_eq!(address.place.map(|place| place.to_string()).as_deref(), Some("inventories/trial.yml:3:18"));
        let ids = |id: u8| {
            found(", params: {kafka_broker_id: 1}", &format!("address: 10.0.0.2, params: {{kafka_broker_id: {id}}}"))
        };
        assert_eq!((ids(1).verdict, ids(2).verdict), (Verdict::Fail, Verdict::Pass));
        assert_eq!(ids(1).observed, "kafka_broker_id 1 is that of web1 and db1");
    }

    #[test]
    fn an_even_ensemble_is_warned_of() {
        let even = found(", params: {zookeeper_id: 1}", "address: 10.0.0.2, params: {zookeeper_id: 2}");
        assert_eq!(even.verdict, Verdict::Warn);
        assert_eq!(found(", params: {zookeeper_id: 1}", "address: 10.0.0.2").verdict, Verdict::Pass);
    }
}
