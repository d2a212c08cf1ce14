//! What is different between two plans of the same environment.

use cc_agent::change::Change;
use serde::Serialize;

/// One thing that a plan rests on, or does, and that is not the same any more. `then` is the older plan, `now` the newer one or the
/// environment as it is; `None` where there is nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Moved {
    /// Which hosts, services and tags were asked for, or whether orphans are removed.
    Selection {
        /// As it was asked for.
        then: String,
        /// As it is asked for.
        now: String,
    },
    /// cc-cloud itself.
    Program {
        /// Its version.
        then: String,
        /// Its version.
        now: String,
    },
    /// The agent that is sent to hosts.
    Agent {
        /// SHA-256 of its binary.
        then: String,
        /// SHA-256 of its binary.
        now: String,
    },
    /// A file of the environment or of a role.
    File {
        /// Its path in the repository.
        path: String,
        /// SHA-256 of its content.
        then: Option<String>,
        /// SHA-256 of its content.
        now: Option<String>,
    },
    /// A secret that the plan's hosts need.
    Secret {
        /// Its name.
        name: String,
        /// Keyed digest of its value.
        then: Option<String>,
        /// Keyed digest of its value.
        now: Option<String>,
    },
    /// What a host says of itself.
    Fact {
        /// The host.
        host: String,
        /// `memory`, `os.version`, `address`.
        fact: String,
        /// Its value.
        then: Option<String>,
        /// Its value.
        now: Option<String>,
    },
    /// A host that only one of the plans has, or that cannot be reached now.
    Host {
        /// The host.
        host: String,
        /// In a few words.
        reason: String,
    },
    /// A step or handler.
    Step {
        /// The host.
        host: String,
        /// The service.
        service: String,
        /// `service/type:identity`.
        step: String,
        /// Whether what it asks for is another thing, as against the host.
        desired: bool,
        /// What it would change.
        then: Option<Change>,
        /// What it would change.
        now: Option<Change>,
    },
    /// What a ledger has and the environment has not.
    Orphan {
        /// The host.
        host: String,
        /// `service/type:identity`.
        step: String,
        /// The run that applied it last.
        then: Option<String>,
        /// The run that applied it last.
        now: Option<String>,
    },
    /// The compiled plan, in what no step shows: the order of services, how they roll over hosts, health checks.
    Order {
        /// SHA-256 of the compiled plan.
        then: String,
        /// SHA-256 of the compiled plan.
        now: String,
    },
}
