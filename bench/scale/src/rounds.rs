//! A controller that comes to all hosts again and again in one process, so that what it leaves behind adds up.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cc_agent::change::ChangeKind;
use cc_cloud::report::{Report, Settings};
use cc_cloud::run::{self, Asked, Contact, Fleet, Interrupt, Vaults};
use cc_cloud::ssh::{AgentBinary, Connector, ConnectorOptions};
use cc_plan::compile::{Known, compile};
use cc_plan::repository::Repository;
use cc_plan::spec::{self, Spec};
use serde_json::json;
use tokio::runtime::Handle;

use crate::Failure;

const ENVIRONMENT: &str = "scale";

/// Hosts at the same time.
const PARALLEL: usize = 64;

/// How long connections may take to be gone after the goodbye.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holdings {
    descriptors: usize,
    tasks: usize,
}

impl Holdings {
    fn exceeds(&self, other: &Self) -> bool {
        self.descriptors > other.descriptors || self.tasks > other.tasks
    }
}

/// Connects to every host, observes it and leaves, so many times; says of each round what is held after it.
///
/// # Errors
/// When a host is lost or has changes, or when more is held after a round than after the first.
pub async fn run(folder: &Path, rounds: usize) -> Result<(), Failure> {
    let shipped = BTreeMap::new();
    let loaded = spec::load(&Repository { root: folder.to_owned(), shipped: &shipped }, ENVIRONMENT);
    let spec = loaded.map_err(|broken| format!("{ENVIRONMENT}: {}", broken.diagnostics.summary()))?.spec;
    let report = Arc::new(Report::new(&Settings { quiet: true, ..Settings::default() })?);
    let interrupt = Interrupt::listen(Arc::clone(&report));
    let mut first = None;
    for round in 1..=rounds {
        let begun = Instant::now();
        visit(&spec, folder, &interrupt, &report).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let held = settled(first).await?;
        let allowed = *first.get_or_insert(held);
        let line = json!({
            "round": round,
            "hosts": spec.inventory.hosts.len(),
            "seconds": seconds,
            "descriptors": held.descriptors,
            "tasks": held.tasks,
            "resident": resident()?,
        });
        writeln!(io::stdout(), "{line}")?;
        if held.exceeds(&allowed) {
            return Err(format!("round {round} left {held:?}, the first {allowed:?}").into());
        }
    }
    Ok(())
}

/// One no-op run.
async fn visit(spec: &Spec, folder: &Path, interrupt: &Interrupt, report: &Report) -> Result<(), Failure> {
    let contact = Arc::new(contact(spec, folder)?);
    let names: Vec<String> = spec.inventory.hosts.iter().map(|host| host.name.value.clone()).collect();
    let (targets, mut lost) = contact.targets(spec, &names);
    let (members, unreachable) = contact.connect(ENVIRONMENT, &targets, interrupt, report).await;
    lost.extend(unreachable);
    let mut fleet = Fleet { members, lost, ..Fleet::default() };
    let known = Known { facts: fleet.facts(), addresses: contact.addresses.clone(), files: None };
    let plan = compile(spec, &known).map_err(|found| format!("{ENVIRONMENT}: {}", found.summary()))?;
    let asked = Asked { orphans: true, past: false };
    let observation = run::observe(&mut fleet, &plan, &Vaults::default(), PARALLEL, asked, report).await;
    if let Some((_, lost)) = fleet.lost.first_key_value() {
        return Err(lost.message.clone().into());
    }
    let (unchanged, steps) =
        (observation.view.count(ChangeKind::None), plan.hosts.iter().map(|host| host.steps.len()).sum::<usize>());
    if unchanged != steps {
        return Err(format!("{unchanged} of {steps} steps are as they should be").into());
    }
    fleet.leave(false, report).await;
    Ok(())
}

fn contact(spec: &Spec, folder: &Path) -> Result<Contact, Failure> {
    let written = spec.inventory.hosts.iter();
    let written = written.filter_map(|host| Some((host.name.value.clone(), host.address.as_ref()?.value.clone())));
    let known_hosts = folder.join("environments").join(ENVIRONMENT).join("known_hosts");
    let options = ConnectorOptions { known_hosts: Some(known_hosts.clone()), ..ConnectorOptions::default() };
    let named = std::env::var_os("CC_AGENT_BINARY").map(PathBuf::from);
    Ok(Contact {
        addresses: written.collect(),
        identity_files: Vec::new(),
        known_hosts,
        agent: Arc::new(AgentBinary::find(named.as_deref())?),
        connector: Connector::new(options),
        sudo_password: None,
        parallel: PARALLEL,
        patience: Duration::from_secs(30),
    })
}

/// What is held once it is no more than allowed, or, when nothing is said of that, once it no longer changes. Connections end in
/// tasks that nobody waits for, so that only looking tells.
async fn settled(allowed: Option<Holdings>) -> Result<Holdings, Failure> {
    const PAUSE: Duration = Duration::from_millis(50);
    /// So many looks without a change are an end.
    const STILL: usize = 20;
    let (begun, mut held, mut still) = (Instant::now(), holdings()?, 0);
    let settled = |held: &Holdings, still| match &allowed {
        Some(allowed) => !held.exceeds(allowed),
        None => still >= STILL,
    };
    while !settled(&held, still) && begun.elapsed() < PATIENCE {
        tokio::time::sleep(PAUSE).await;
        let now = holdings()?;
        still = if now == held { still + 1 } else { 0 };
        held = now;
    }
    Ok(held)
}

fn holdings() -> io::Result<Holdings> {
    let descriptors = fs::read_dir("/proc/self/fd")?.count();
    Ok(Holdings { descriptors, tasks: Handle::current().metrics().num_alive_tasks() })
}

/// Bytes of memory that this process has.
fn resident() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the kernel says no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
