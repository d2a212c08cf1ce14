//! What is known before anything is measured.

use std::collections::BTreeSet;

use cc_agent::check::ServiceCheck;
use cc_agent::facts::Facts;
use cc_agent::step::Step;
use cc_plan::node::Node;
use cc_plan::plan::{Needs, Offered, Plan};
use cc_plan::spec::Spec;
use cc_plan::spec::environment::{Service, Size};
use cc_plan::spec::inventory::Host;
use jiff::Timestamp;

use crate::about::Phase;
use crate::judgement::Unmeasured;
use crate::policy::Policy;
use crate::subject::Subject;
use crate::threshold::Threshold;

/// What is known before anything is measured.
#[derive(Debug)]
pub struct Scene<'s> {
    /// What was written.
    pub spec: &'s Spec,
    /// What it compiled to.
    pub plan: &'s Plan,
    /// The selected hosts in inventory order.
    pub hosts: Vec<HostScene<'s>>,
    /// What differs from what checks come with.
    pub policy: Policy,
    /// What is about to begin.
    pub phase: Phase,
    /// Whether checks that sample or load hosts for seconds are wanted.
    pub deep: bool,
    /// The operator's clock.
    pub now: Timestamp,
}

/// What is known of a host.
#[derive(Debug)]
pub struct HostScene<'s> {
    /// Its name.
    pub name: String,
    /// As it was written.
    pub written: &'s Host,
    /// Its address.
    pub address: Option<String>,
    /// Its facts; none where it was not reached.
    pub facts: Option<Facts>,
    /// How the way to it was.
    pub reach: Reach,
    /// Whether something that we know of has been installed on it.
    pub installed: bool,
    /// Services on it, in environment order.
    pub services: Vec<&'s Service>,
    /// What they take of it.
    pub needs: &'s [Needs],
    /// What they offer.
    pub offers: &'s [Offered],
    /// What the plan makes of it.
    pub steps: &'s [Step],
    /// The health checks of its services.
    pub checks: &'s [ServiceCheck],
}

/// How the way to a host was.
#[derive(Clone, Debug, PartialEq)]
pub enum Reach {
    /// Nobody has tried: only files are checked.
    Untried,
    /// Its agent answers.
    Connected {
        /// User that logged in.
        user: Option<String>,
        /// Whether the agent is root.
        root: bool,
    },
    /// It does not.
    Lost {
        /// Why.
        message: String,
        /// What to do.
        hint: Option<String>,
        /// How far it got.
        cause: Cause,
    },
}

/// How far the way to a host that was not reached went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The host, or one on the way, did not answer.
    Network,
    /// Its key is not the pinned one, is revoked, or nobody has confirmed it.
    HostKey,
    /// The login was refused.
    Login,
    /// The user cannot become root.
    Sudo,
    /// The agent could not be placed or started.
    Agent,
}

impl<'s> Scene<'s> {
    /// The scene of some hosts of an environment, before anybody has tried to reach them.
    pub fn new(spec: &'s Spec, plan: &'s Plan, policy: Policy, now: Timestamp) -> Self {
        let hosts = plan.hosts.iter().filter_map(|host| {
            let written = spec.inventory.hosts.iter().find(|written| written.name.value == host.host)?;
            let groups: BTreeSet<&str> = written.groups.iter().map(|group| group.value.as_str()).collect();
            let on = |service: &&Service| {
                service.on.iter().any(|on| on.value == host.host || groups.contains(on.value.as_str()))
            };
            Some(HostScene {
                name: host.host.clone(),
                written,
                address: written.address.as_ref().map(|address| address.value.clone()),
                facts: None,
                reach: Reach::Untried,
                installed: false,
                services: spec.environment.services.iter().filter(on).collect(),
                needs: &host.needs,
                offers: &host.offers,
                steps: &host.steps,
                checks: &host.checks,
            })
        });
        Self { spec, plan, hosts: hosts.collect(), policy, phase: Phase::Install, deep: false, now }
    }

    /// The host that a subject is about.
    ///
    /// # Errors
    /// When it is about none.
    pub fn host(&self, subject: Subject) -> Result<&HostScene<'s>, Unmeasured> {
        let host = subject.host().and_then(|host| self.hosts.get(host));
        host.ok_or_else(|| Unmeasured::new("it is asked of hosts"))
    }

    /// The declared size.
    pub fn size(&self) -> Size {
        self.spec.environment.size
    }

    /// Whether a host is a container of a rehearsal: what the kernel and the machine under it are is not asked of it.
    pub fn rehearses_in_container(&self, host: &HostScene<'_>) -> bool {
        self.size() == Size::Demo && host.virtualization() == Some("container")
    }

    /// A figure to measure against, in the unit's base: the policy's, else the threshold's own.
    pub fn limit(&self, threshold: &Threshold) -> f64 {
        self.policy.figures.get(threshold.id).copied().unwrap_or_else(|| threshold.value(self.size()))
    }

    /// The same as text with its unit.
    pub fn limit_text(&self, threshold: &Threshold) -> String {
        threshold.unit.show(self.limit(threshold))
    }
}

impl HostScene<'_> {
    /// Whether it runs Ubuntu: its subscription, livepatch and some tools are Ubuntu's alone.
    pub fn is_ubuntu(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.os.id == "ubuntu")
    }

    /// Whether one of its services has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.services.iter().any(|service| service.role.value == role)
    }

    /// A host param, as the inventory has it.
    pub fn param(&self, name: &str) -> Option<&Node> {
        self.written.params.iter().find(|(written, _)| written.value == name).map(|(_, node)| node)
    }

    /// `container`, `vm` or `metal`, where the host was reached.
    pub fn virtualization(&self) -> Option<&str> {
        self.facts.as_ref().map(|facts| facts.virtualization.as_str())
    }
}
