//! The agent of a host to which nothing needs to be done.

use std::collections::BTreeMap;
use std::sync::Arc;

use cc_agent::change::Change;
use cc_agent::check::{Finding, ServiceCheck};
use cc_agent::facts::Facts;
use cc_agent::kept::Version;
use cc_agent::protocol::{Observed, Outcome, Reply, Request, VERSION};

use crate::Failure;
use crate::hold::Hold;

/// What `exec` runs to have an agent wait.
const HOLD: &str = "hold";

/// A scripted agent: answers as the real one does on a host that is as it should be.
#[derive(Clone)]
pub struct Agent {
    host: String,
    hold: Arc<Hold>,
}

impl Agent {
    /// The agent of a host.
    pub fn new(host: &str, hold: Arc<Hold>) -> Self {
        Self { host: host.to_owned(), hold }
    }

    /// The host's name in the inventory.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The final reply to a request; `None` for one that has none.
    ///
    /// # Errors
    /// When it should wait and cannot.
    pub async fn answer(&self, request: Request) -> Result<Option<Reply>, Failure> {
        Ok(Some(match request {
            Request::Hello { .. } => {
                let facts = Facts { hostname: self.host.clone(), ..Facts::placeholder() };
                Reply::Hello { version: VERSION, facts, root: true, installed: true, last: None }
            }
            Request::Observe { steps, .. } => Reply::Observed {
                changes: steps.into_iter().map(|step| unchanged(step.id)).collect(),
                orphans: Vec::new(),
                pending: Vec::new(),
                missing: Vec::new(),
                pasts: Vec::new(),
            },
            Request::Apply { steps, checks, .. } => Reply::Applied {
                outcomes: steps.into_iter().map(done).collect(),
                findings: checks.into_iter().map(healthy).collect(),
                stopped: false,
            },
            Request::Check { checks, .. } => Reply::Checked { findings: checks.into_iter().map(healthy).collect() },
            Request::Exec { argv } => {
                if argv == [HOLD] {
                    self.hold.wait().await?;
                }
                Reply::Exited { status: 0 }
            }
            Request::Status { units, .. } => Reply::Status {
                units: units.into_iter().map(|unit| (unit, "active".to_owned())).collect(),
                packages: BTreeMap::new(),
            },
            // Nobody else is there: every write is done.
            Request::Keep { content, .. } => {
                let version = content.map(|_| Version::new("1"));
                Reply::Kept { done: true, version, content: None }
            }
            Request::Fence { .. } | Request::Hush | Request::Bye { .. } => Reply::Done,
            Request::Stop => return Ok(None),
            _ => Reply::Failed { message: "this host is none, and cannot do that".to_owned(), hint: None },
        }))
    }
}

fn unchanged(id: String) -> Observed {
    Observed { id, change: Change::none(), error: None }
}

fn done(id: String) -> Outcome {
    Outcome { id, change: Change::none(), millis: 0, error: None }
}

fn healthy(check: ServiceCheck) -> Finding {
    Finding {
        service: check.service,
        check: "scripted".to_owned(),
        healthy: true,
        observed: "nothing".to_owned(),
        log: Vec::new(),
    }
}
