//! A step: one resource on one host, with its place in the order.

use serde::{Deserialize, Serialize};

use crate::resource::Resource;

/// Names a step or handler on its host: `service/type:identity`, for example `broker/template:/etc/redis/redis.conf`.
/// Unique within a host; stable from run to run, so that ledger, journal and history can refer to it.
pub type StepId = String;

/// One resource on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The step's name on this host.
    pub id: StepId,
    /// The service that it belongs to.
    pub service: String,
    /// The stage that it belongs to, from 0.
    pub stage: usize,
    /// The desired state.
    pub resource: Resource,
    /// Handlers that run once, at the end of the stage, when this step changed something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<StepId>,
    /// Steps that must have succeeded first, beside the written order within the service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<StepId>,
    /// Labels for `--tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Set when a value depends on a fact that was not known: the step shows as `unknown until apply` and cannot be applied
    /// until a plan with that fact is made. The text names the fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// A resource that runs once per host, after that host's last step of the stage, when a step notified it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handler {
    /// The handler's name on this host: `service/handler:name`.
    pub id: StepId,
    /// The service that it belongs to.
    pub service: String,
    /// The stage that it belongs to, from 0.
    pub stage: usize,
    /// What to run, mostly a service restart or reload.
    pub resource: Resource,
}
