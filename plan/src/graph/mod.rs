//! The order of an environment as a picture: services with their hosts, what they use of each other, stage after stage.

mod dot;
mod mermaid;

use std::collections::BTreeSet;

pub use dot::dot;
pub use mermaid::mermaid;

use crate::compile::topology::{Target, Topology};
use crate::diagnostic::Diagnostics;
use crate::spec::Spec;

/// Services, what others run for us, and who uses what of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The environment's name.
    pub environment: String,
    /// Services by stage, in environment order.
    pub stages: Vec<Vec<Service>>,
    /// Names in `external` that a service uses.
    pub external: Vec<String>,
    /// Who uses what.
    pub edges: Vec<Edge>,
}

/// A service as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its role, when it is not called like it.
    pub role: Option<String>,
    /// Its hosts in inventory order.
    pub hosts: Vec<String>,
}

/// A service that uses an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The service that uses it.
    pub from: String,
    /// The service, or external thing, that makes it.
    pub to: String,
    /// Whether `to` is external.
    pub external: bool,
    /// The offer.
    pub offer: String,
}

impl Graph {
    /// The graph of an environment.
    ///
    /// # Errors
    /// Offers that nobody or several make, services that use each other in a circle.
    pub fn new(spec: &Spec) -> Result<Self, Diagnostics> {
        let topology = Topology::new(spec)?;
        let written = &spec.environment.services;
        let count = topology.services.iter().map(|service| service.stage + 1).max().unwrap_or(0);
        let mut stages: Vec<Vec<Service>> = vec![Vec::new(); count];
        let mut external = BTreeSet::new();
        let mut edges = Vec::new();
        for (placed, service) in topology.services.iter().zip(written) {
            let hosts = placed.hosts.iter().map(|host| spec.inventory.hosts[*host].name.value.clone()).collect();
            let name = service.name.value.clone();
            let role = (service.role.value != name).then(|| service.role.value.clone());
            for used in &placed.uses {
                let (to, is_external) = match &used.target {
                    Some(Target::Service(index)) => (written[*index].name.value.clone(), false),
                    Some(Target::External(name)) => {
                        external.insert(name.clone());
                        (name.clone(), true)
                    }
                    None => continue,
                };
                edges.push(Edge { from: name.clone(), to, external: is_external, offer: used.offer.clone() });
            }
            stages[placed.stage].push(Service { name, role, hosts });
        }
        let environment = spec.environment.name.value.clone();
        Ok(Self { environment, stages, external: external.into_iter().collect(), edges })
    }
}

impl Service {
    /// Its label: name, role, hosts; a long list of hosts as a number.
    fn lines(&self) -> Vec<String> {
        const MOST: usize = 4;
        let mut lines = vec![self.name.clone()];
        lines.extend(self.role.as_ref().map(|role| format!("role {role}")));
        lines.push(match self.hosts.len() {
            0 => "no host".to_owned(),
            1..=MOST => self.hosts.join(", "),
            many => format!("{many} hosts"),
        });
        lines
    }
}

impl Edge {
    /// What is written on it: the offer, when it is not called like what makes it.
    fn label(&self) -> Option<&str> {
        (self.offer != self.to).then_some(self.offer.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let service = |name: &str, role: Option<&str>, hosts: &[&str]| Service {
            name: name.to_owned(),
            role: role.map(str::to_owned),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        let edge = |from: &str, to: &str, external, offer: &str| Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            external,
            offer: offer.to_owned(),
        };
        Graph {
            environment: "local".to_owned(),
            stages: vec![
                vec![service("broker", Some("redis"), &["db1"])],
                vec![service("end \"web\" [1]", None, &["a", "b", "c", "d", "e"])],
            ],
            external: vec!["broker".to_owned()],
            edges: vec![
                edge("end \"web\" [1]", "broker", false, "redis"),
                edge("end \"web\" [1]", "broker", true, "broker"),
            ],
        }
    }

    #[test]
    fn as_mermaid() {
        insta::assert_snapshot!(mermaid(&graph()), @r##"
        flowchart TD
            subgraph stage0["stage 1"]
                s0["broker<br/>role redis<br/>db1"]
            end
            subgraph stage1["stage 2"]
                s1["end &quot;web&quot; [1]<br/>5 hosts"]
            end
            x0(["broker<br/>external"])
            s0 -->|"redis"| s1
            x0 --> s1
        "##);
    }

    #[test]
    fn as_dot() {
        insta::assert_snapshot!(dot(&graph()), @r##"
        digraph "local" {
            rankdir=TB;
            node [shape=box, style=rounded];
            subgraph cluster_stage0 {
                label="stage 1";
                "broker" [label="broker\nrole redis\ndb1"];
            }
            subgraph cluster_stage1 {
                label="stage 2";
                "end \"web\" [1]" [label="end \"web\" [1]\n5 hosts"];
            }
            "external.broker" [label="broker\nexternal", shape=ellipse, style=dashed];
            "broker" -> "end \"web\" [1]" [label="redis"];
            "external.broker" -> "end \"web\" [1]";
        }
        "##);
    }
}
