//! `environments/<env>/environment.yml`.

use std::collections::BTreeMap;

use crate::node::Node;
use crate::source::{Span, Spanned};

/// Keys of a service that are not parameters of its role.
pub const SERVICE_KEYS: [&str; 5] = ["role", "on", "uses", "rollout", "tags"];

/// The commands of `cc-cloud`: `cc-cloud NAME` must never mean two things, so that no environment may have one of these names.
pub const RESERVED_NAMES: [&str; 41] = [
    "agent",
    "attach",
    "backup",
    "completions",
    "deploy",
    "doctor",
    "down",
    "drift",
    "exec",
    "explain",
    "facts",
    "freeze",
    "graph",
    "help",
    "history",
    "hosts",
    "init",
    "logs",
    "man",
    "manage",
    "plan",
    "preflight",
    "release",
    "report",
    "restore",
    "resume",
    "roles",
    "rollback",
    "schema",
    "secrets",
    "self",
    "service",
    "show",
    "ssh",
    "status",
    "unfreeze",
    "unlock",
    "up",
    "validate",
    "verify",
    "version",
];

/// What an environment consists of, after `extends` has been merged.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name, equal to its folder's.
    pub name: Spanned<String>,
    /// One line for a person.
    pub description: String,
    /// What preflight measures against.
    pub size: Size,
    /// Rules that hosts must meet.
    pub policy: Policy,
    /// Services in written order.
    pub services: Vec<Service>,
    /// What others run for us, by name.
    pub external: BTreeMap<String, External>,
    /// How changes roll over hosts, unless a service says otherwise.
    pub rollout: Rollout,
    /// What a run may lose in all, where the environment's own rollout says so.
    pub budget: Budget,
    /// The smoke test: steps of `verify`, in order; templates still unrendered.
    pub verify: Vec<Node>,
}

/// The declared size of an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// A rehearsal; says nothing about capacity.
    Demo,
    /// One server.
    #[default]
    Single,
    /// Two servers.
    Micro,
    /// Five servers.
    Small,
    /// More than five.
    Large,
}

/// Rules that hosts must meet.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Accepted systems: `ubuntu-22.04`; every supported one when empty.
    pub os: Vec<Spanned<String>>,
    /// What preflight measures against.
    pub preflight: PreflightPolicy,
}

/// What preflight measures against, where it differs from what it comes with.
#[derive(Clone, Debug, Default)]
pub struct PreflightPolicy {
    /// Thresholds by id.
    pub thresholds: Vec<(Spanned<String>, Node)>,
    /// Checks that are switched off, with the reason.
    pub off: Vec<(Spanned<String>, String)>,
    /// What hosts must reach beside what their package sources and roles need: URLs, or `address:port`.
    pub egress: Vec<Spanned<String>>,
    /// HTTP proxy through which hosts reach the internet.
    pub proxy: Option<Spanned<String>>,
    /// Mobile users that the site is planned for.
    pub users: Option<Spanned<u32>>,
    /// Cases that each of them holds.
    pub cases_per_user: Option<Spanned<u32>>,
    /// Name under which people reach the site.
    pub site: Option<Spanned<String>>,
    /// Further names of the site.
    pub alternate_sites: Vec<Spanned<String>>,
    /// `vm`, `metal` or `container`.
    pub platform: Option<Spanned<String>>,
}

/// A role placed on hosts under a name.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name, unique in the environment.
    pub name: Spanned<String>,
    /// The role; the name, if not given.
    pub role: Spanned<String>,
    /// Groups or hosts.
    pub on: Vec<Spanned<String>>,
    /// Which service stands for an offer that several services make: offer → service.
    pub uses: BTreeMap<String, Spanned<String>>,
    /// Parameters as written.
    pub params: Vec<(Spanned<String>, Node)>,
    /// How its changes roll over hosts.
    pub rollout: Option<Rollout>,
    /// Labels for `--tags`.
    pub tags: Vec<String>,
    /// The whole entry.
    pub span: Span,
}

/// Something that others run for us. It can stand for an offer: a role that `uses: [smtp]` is served by `external.smtp`.
#[derive(Clone, Debug)]
pub struct External {
    /// Host name or address.
    pub address: Spanned<String>,
    /// Port.
    pub port: Option<u16>,
    /// Everything else that was written, as templates see it.
    pub params: Vec<(Spanned<String>, Node)>,
}

/// How changes roll over the hosts of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Hosts in the first batch, before `batches` begin; 0 for none.
    pub canary: usize,
    /// Sizes of the batches after it; the last repeats until all hosts are done.
    pub batches: Vec<BatchSize>,
    /// In which order the hosts come.
    pub order: HostOrder,
    /// Hosts that may fail, over the whole run, before no further one begins.
    pub max_failed: usize,
    /// Hosts that may be out of reach, over the whole run, before no further one begins. None: those that are out of reach
    /// from the start hold nobody back, and none may be lost in the middle.
    pub max_unreachable: Option<usize>,
    /// Seconds between two batches.
    pub pause: u64,
    /// Services whose health checks must pass, beside its own, before the next batch begins.
    pub gate: Vec<Spanned<String>>,
}

/// In which order the hosts of a service come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostOrder {
    /// As in the inventory.
    #[default]
    Inventory,
    /// The inventory's last host first.
    Reverse,
    /// By name.
    Name,
}

/// How many hosts of the whole environment a run may lose before it stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Budget {
    /// Hosts that may fail; any number when None.
    pub max_failed: Option<usize>,
    /// Hosts that may be out of reach; any number when None.
    pub max_unreachable: Option<usize>,
}

/// A number of hosts, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    /// This many hosts.
    Hosts(usize),
    /// This share of a service's hosts, rounded up.
    Percent(u8),
}

impl Default for Rollout {
    /// Everything at once, none may fail.
    fn default() -> Self {
        Self {
            canary: 0,
            batches: vec![BatchSize::Percent(100)],
            order: HostOrder::default(),
            max_failed: 0,
            max_unreachable: None,
            pause: 0,
            gate: Vec::new(),
        }
    }
}

impl Rollout {
    /// Splits `hosts` into batches, each not empty, all hosts once, in order.
    pub fn split<'h, T>(&self, hosts: &'h [T]) -> Vec<&'h [T]> {
        let mut sizes =
            (self.canary > 0).then_some(self.canary).into_iter().chain(self.batches.iter().map(|size| match size {
                BatchSize::Hosts(count) => *count,
                BatchSize::Percent(share) => (hosts.len() * usize::from(*share)).div_ceil(100),
            }));
        let (mut rest, mut batches, mut last) = (hosts, Vec::new(), hosts.len());
        while !rest.is_empty() {
            last = sizes.next().unwrap_or(last).clamp(1, rest.len().max(1));
            let (batch, after) = rest.split_at(last.min(rest.len()));
            batches.push(batch);
            rest = after;
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_cover_all_hosts_once() {
        let batches = vec![BatchSize::Percent(25), BatchSize::Percent(100)];
        let rollout = Rollout { canary: 1, batches, ..Rollout::default() };
        let hosts: Vec<u32> = (0..10).collect();
        let sizes: Vec<usize> = rollout.split(&hosts).iter().map(|batch| batch.len()).collect();
        assert_eq!(sizes, [1, 3, 6]);
        assert_eq!(rollout.split(&hosts).concat(), hosts);
        assert!(rollout.split::<u32>(&[]).is_empty());
    }
}
