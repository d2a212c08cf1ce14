//! A plan: what every host should be, and in which order. Holds no secret, only tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use cc_agent::check::ServiceCheck;
use cc_agent::step::{Handler, Step};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::spec::environment::{BatchSize, Budget, HostOrder, Rollout};

/// What `compile` makes of a spec and facts. As JSON it holds the length of each blob instead of its bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The environment's name.
    pub environment: String,
    /// Hosts in inventory order.
    pub hosts: Vec<HostPlan>,
    /// Stages in order: what must be healthy before the next begins.
    pub stages: Vec<Stage>,
    /// How many hosts in all a run may lose before it stops.
    pub budget: Budget,
    /// Content above the inline limit, by SHA-256 in lower-case hex.
    #[serde(serialize_with = "lengths")]
    pub blobs: BTreeMap<String, Arc<[u8]>>,
    /// Secrets that each host needs, by host; a host gets no other.
    pub secrets: BTreeMap<String, Vec<String>>,
}

/// What one host should be.
#[derive(Clone, Debug, Serialize)]
pub struct HostPlan {
    /// The host's name.
    pub host: String,
    /// Steps in order of their stages.
    pub steps: Vec<Step>,
    /// Handlers of all its services.
    pub handlers: Vec<Handler>,
    /// Health checks of all its services.
    pub checks: Vec<ServiceCheck>,
    /// What its services take of it; preflight measures the host against the sum.
    pub needs: Vec<Needs>,
    /// What its services offer to others; preflight tries whether they get through.
    pub offers: Vec<Offered>,
}

/// What a service on a host offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offered {
    /// The service.
    pub service: String,
    /// The offer.
    pub offer: String,
    /// Its TCP port, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Other hosts whose services use it, in inventory order.
    pub clients: Vec<String>,
}

/// What a service takes of a host, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// The service.
    pub service: String,
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
}

/// Services that may converge side by side.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// The services in environment order.
    pub services: Vec<StageService>,
}

/// A service in its stage.
#[derive(Clone, Debug, Serialize)]
pub struct StageService {
    /// Its name.
    pub name: String,
    /// Its role's name.
    pub role: String,
    /// Its hosts in inventory order.
    pub hosts: Vec<String>,
    /// Services that it uses: when one of them fails, it is not begun.
    pub uses: Vec<String>,
    /// How its changes roll over its hosts.
    #[serde(serialize_with = "rollout")]
    pub rollout: Rollout,
}

impl Plan {
    /// SHA-256 of the plan as JSON, in lower-case hex: equal for equal plans, whatever machine made them.
    ///
    /// # Errors
    /// None that a plan can cause: its keys are text and its numbers finite.
    pub fn digest(&self) -> serde_json::Result<String> {
        struct Hash(Sha256);
        impl std::io::Write for Hash {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.update(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut hash = std::io::BufWriter::new(Hash(Sha256::new()));
        serde_json::to_writer(&mut hash, self)?;
        let hash = hash.into_inner().map_err(|error| serde_json::Error::io(error.into_error()))?;
        Ok(hash.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn lengths<S: Serializer>(blobs: &BTreeMap<String, Arc<[u8]>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(blobs.iter().map(|(digest, bytes)| (digest, bytes.len())))
}

/// As it is written in an environment.
fn rollout<S: Serializer>(rollout: &Rollout, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Size {
        Hosts(usize),
        Percent(String),
    }
    #[derive(Serialize)]
    struct Written<'a> {
        canary: usize,
        batches: Vec<Size>,
        order: HostOrder,
        max_failed: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        max_unreachable: Option<usize>,
        pause: u64,
        gate: Vec<&'a str>,
    }
    let size = |size: &BatchSize| match size {
        BatchSize::Hosts(count) => Size::Hosts(*count),
        BatchSize::Percent(share) => Size::Percent(format!("{share}%")),
    };
    Written {
        canary: rollout.canary,
        batches: rollout.batches.iter().map(size).collect(),
        order: rollout.order,
        max_failed: rollout.max_failed,
        max_unreachable: rollout.max_unreachable,
        pause: rollout.pause,
        gate: rollout.gate.iter().map(|service| service.as_str()).collect(),
    }
    .serialize(serializer)
}
