//! A spec and facts become a plan.
//!
//! [`compile`] is a function of the spec and of what is [`Known`] of its hosts: no I/O, no clock. Hosts are compiled side by
//! side; each sees the others only through the spec, so that the order does not matter and the result is the same.

mod check;
mod content;
mod host;
mod identity;
mod known;
mod local_files;
mod object;
mod param;
mod resource;
mod role;
mod scope;
mod smoke;
pub(crate) mod topology;
mod tree;
mod world;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

pub use known::Known;
pub use local_files::{LocalFiles, RepositoryFiles, TreeEntry, TreeKind};
pub use smoke::{SmokeRequest, SmokeStep, TlsCheck, smoke};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::{Plan, Stage, StageService};
use crate::source::Span;
use crate::spec::Spec;
use crate::template::Fault;
use role::CompiledRole;
use world::World;

/// Stack of a compiling thread, in bytes: params that use params nest the template engine.
const STACK: usize = 16 << 20;

/// Compiles an environment.
///
/// # Errors
/// Every finding of every host, each once.
pub fn compile(spec: &Spec, known: &Known) -> Result<Plan, Diagnostics> {
    let world = Arc::new(World::new(spec, known)?);
    let roles = roles(&world)?;
    let mut order: Vec<usize> = (0..world.topology.services.len()).collect();
    order.sort_by_key(|service| world.topology.services[*service].stage);
    let hosts = side_by_side(spec.inventory.hosts.len(), |host| host::compile(&world, &roles, &order, host));
    let mut plan = Plan {
        environment: spec.environment.name.value.clone(),
        hosts: Vec::with_capacity(hosts.len()),
        stages: stages(&world),
        budget: spec.environment.budget,
        blobs: BTreeMap::new(),
        secrets: BTreeMap::new(),
    };
    let mut findings = Vec::new();
    for host in hosts {
        findings.extend(host.findings.into_iter().map(|finding| (host.plan.host.clone(), finding)));
        plan.blobs.extend(host.blobs);
        plan.secrets.insert(host.plan.host.clone(), host.secrets.into_iter().collect());
        plan.hosts.push(host.plan);
    }
    if findings.is_empty() { Ok(plan) } else { Err(merged(findings, spec.inventory.hosts.len())) }
}

/// The roles in use, parsed.
fn roles(world: &World) -> Result<BTreeMap<&str, CompiledRole<'_>>, Diagnostics> {
    let used: BTreeSet<&str> = world.spec.environment.services.iter().map(|s| s.role.value.as_str()).collect();
    let mut found = Vec::new();
    let roles = world.spec.roles.iter().filter(|(name, _)| used.contains(name.as_str()));
    let roles = roles.map(|(name, role)| (name.as_str(), CompiledRole::new(&world.engine, role, &mut found))).collect();
    if found.is_empty() {
        return Ok(roles);
    }
    let mut diagnostics = Diagnostics::default();
    for fault in found {
        if let Fault::New(diagnostic) = fault {
            diagnostics.push(*diagnostic);
        }
    }
    Err(diagnostics)
}

fn stages(world: &World) -> Vec<Stage> {
    let services = &world.topology.services;
    let written = &world.spec.environment.services;
    let count = services.iter().map(|service| service.stage + 1).max().unwrap_or(0);
    let mut stages: Vec<Stage> = (0..count).map(|_| Stage { services: Vec::new() }).collect();
    for (service, written_as) in services.iter().zip(written) {
        stages[service.stage].services.push(StageService {
            name: written_as.name.value.clone(),
            role: written_as.role.value.clone(),
            hosts: service.hosts.iter().map(|host| world.spec.inventory.hosts[*host].name.value.clone()).collect(),
            uses: service.used_services().into_iter().map(|used| written[used].name.value.clone()).collect(),
            rollout: written_as.rollout.clone().unwrap_or_else(|| world.spec.environment.rollout.clone()),
        });
    }
    stages
}

/// Runs `work` for 0 to `count` on all processors; results in order.
fn side_by_side<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count.max(1));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut results: Vec<(usize, T)> = std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, worker);
        let spawned: Vec<_> = (0..threads).map(spawn).filter_map(Result::ok).collect();
        // Without a single thread the system is in trouble, but one host after the other still works.
        let own = if spawned.is_empty() { worker() } else { Vec::new() };
        let joined = spawned.into_iter().flat_map(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.chain(own).collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Each finding once, with the host that it belongs to when it is not all of them.
fn merged(findings: Vec<(String, Diagnostic)>, hosts: usize) -> Diagnostics {
    let mut order: Vec<(Diagnostic, Vec<String>)> = Vec::new();
    let mut seen: std::collections::HashMap<(Option<Span>, String), usize> = std::collections::HashMap::new();
    for (host, finding) in findings {
        let key = (finding.span, finding.message.clone());
        let index = *seen.entry(key).or_insert_with(|| {
            order.push((finding, Vec::new()));
            order.len() - 1
        });
        order[index].1.push(host);
    }
    let mut diagnostics = Diagnostics::default();
    for (mut finding, on) in order {
        let distinct: HashSet<&String> = on.iter().collect();
        if distinct.len() < hosts && finding.label.is_none() {
            let others = if distinct.len() > 1 { format!(" and {} more", distinct.len() - 1) } else { String::new() };
            finding.label = Some(format!("for host {}{others}", on[0]));
        }
        diagnostics.push(finding);
    }
    diagnostics
}
