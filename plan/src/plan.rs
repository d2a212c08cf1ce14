//! A plan: what every host should be, and in which order. Holds no secret, only tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use cc_agent::check::ServiceCheck;
use cc_agent::step::{Handler, Step};
use serde::Serialize;

use crate::spec::environment::Rollout;

/// What `compile` makes of a spec and facts.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The environment's name.
    pub environment: String,
    /// Hosts in inventory order.
    pub hosts: Vec<HostPlan>,
    /// Stages in order: what must be healthy before the next begins.
    pub stages: Vec<Stage>,
    /// Content above the inline limit, by SHA-256 in lower-case hex.
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
}

/// Services that may converge side by side.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The services in environment order.
    pub services: Vec<StageService>,
}

/// A service in its stage.
#[derive(Clone, Debug)]
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
    pub rollout: Rollout,
}
