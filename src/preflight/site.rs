//! From the hosts that were reached to a scene.

use std::collections::BTreeMap;

use cc_plan::plan::Plan;
use cc_plan::spec::Spec;
use cc_preflight::{Phase, Policy, Scene};
use jiff::Timestamp;

use super::hosts::Hosts;

/// What a scene is made of.
pub struct Site<'s> {
    /// What was written.
    pub spec: &'s Spec,
    /// What it compiled to.
    pub plan: &'s Plan,
    /// The selected hosts; the rest is not looked at.
    pub hosts: &'s [String],
    /// Addresses of hosts whose inventory entry has none.
    pub addresses: &'s BTreeMap<String, String>,
    /// The phase; when absent, a change where something is installed already, else an installation.
    pub phase: Option<Phase>,
    /// Whether checks that sample or load hosts for seconds are wanted.
    pub deep: bool,
    /// The operator's clock.
    pub now: Timestamp,
}

/// The scene, with what is known of the hosts that answer.
pub fn scene<'s>(site: &Site<'s>, policy: Policy, hosts: &Hosts) -> Scene<'s> {
    let mut scene = Scene::new(site.spec, site.plan, policy, site.now);
    scene.hosts.retain(|host| site.hosts.contains(&host.name));
    scene.deep = site.deep;
    for host in &mut scene.hosts {
        host.address = host.address.take().or_else(|| site.addresses.get(&host.name).cloned());
        hosts.introduce(host);
    }
    let installed = scene.hosts.iter().any(|host| host.installed);
    scene.phase = site.phase.unwrap_or(if installed { Phase::Change } else { Phase::Install });
    scene
}
