//! What would change: every host compares its steps with itself, at the same time.

use std::collections::{BTreeMap, BTreeSet};

use cc_agent::change::{Change, ChangeKind};
use cc_agent::protocol::{Observed, Past, Reply, Request};
use cc_plan::plan::{HostPlan, Plan};
use futures_util::{StreamExt, stream};

use super::fleet::{Fleet, Lost};
use super::member::Member;
use super::schedule::Due;
use super::vaults::Vaults;
use crate::report::{Event, HostView, PlanView, Report, StepView};
use crate::ssh::SshError;

/// What the hosts say of a plan.
pub struct Observation {
    /// For people.
    pub view: PlanView,
    /// For the run.
    pub due: Due,
    /// Content that hosts lack, by host.
    pub missing: BTreeMap<String, Vec<String>>,
    /// Handlers that a run that was cut off left behind, by host.
    pub pending: BTreeMap<String, Vec<String>>,
    /// What hosts know of steps that are not as desired, by host, when it was asked for.
    pub pasts: BTreeMap<String, Vec<Past>>,
}

/// What is asked beside what would change.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What the ledgers have beyond the plan: of no interest when the plan is only a part of the environment.
    pub orphans: bool,
    /// What the hosts know of steps that are not as desired.
    pub past: bool,
}

/// What one host says.
pub(super) struct HostObservation {
    changes: Vec<Observed>,
    pending: Vec<String>,
    missing: Vec<String>,
    orphans: Vec<cc_agent::protocol::Orphan>,
    pasts: Vec<Past>,
}

/// Asks every host of the plan. A host that is lost meanwhile leaves the fleet.
pub async fn observe(
    fleet: &mut Fleet,
    plan: &Plan,
    vaults: &Vaults,
    parallel: usize,
    asked: Asked,
    report: &Report,
) -> Observation {
    let total = fleet.members.len();
    let mut results: BTreeMap<String, Result<HostObservation, SshError>> = BTreeMap::new();
    {
        let jobs = fleet.members.values_mut().filter_map(|member| {
            let host = plan.hosts.iter().find(|host| host.host == member.host)?;
            Some(async move { (member.host.clone(), ask(member, host, vaults, asked.past).await) })
        });
        let mut answers = stream::iter(jobs).buffer_unordered(parallel);
        while let Some((host, result)) = answers.next().await {
            results.insert(host, result);
            report.emit(&Event::Working { activity: "observe", done: results.len(), total });
        }
    }
    let mut observation = Observation {
        view: PlanView { environment: plan.environment.clone(), services: services(plan), hosts: Vec::new() },
        due: Due::default(),
        missing: BTreeMap::new(),
        pending: BTreeMap::new(),
        pasts: BTreeMap::new(),
    };
    for host in &plan.hosts {
        let view = match results.remove(&host.host) {
            Some(Ok(answer)) => observation.take(host, answer, asked.orphans),
            Some(Err(trouble)) => {
                fleet.lose(&host.host, &trouble);
                unreachable(host, fleet)
            }
            None => unreachable(host, fleet),
        };
        observation.view.hosts.push(view);
    }
    observation
}

/// Hands a host its part of the plan, and takes what it says. That a session knows the plan is what `Apply` needs.
pub(super) async fn ask(
    member: &mut Member,
    plan: &HostPlan,
    vaults: &Vaults,
    past: bool,
) -> Result<HostObservation, SshError> {
    if let Some(frame) = vaults.frame(&member.host) {
        member.send_secrets(frame).await?;
    }
    let request = Request::Observe { steps: plan.steps.clone(), handlers: plan.handlers.clone(), past };
    match member.ask(&request).await? {
        Reply::Observed { changes, orphans, pending, missing, pasts } => {
            Ok(HostObservation { changes, pending, missing, orphans, pasts })
        }
        other => Err(member.unexpected(&other)),
    }
}

fn services(plan: &Plan) -> Vec<String> {
    plan.stages.iter().flat_map(|stage| &stage.services).map(|service| service.name.clone()).collect()
}

fn unreachable(host: &HostPlan, fleet: &Fleet) -> HostView {
    let (why, hint) = match fleet.lost.get(&host.host) {
        Some(lost) => (lost.message.clone(), lost.hint.clone()),
        None => (Lost::unknown(&host.host).message, None),
    };
    HostView { host: host.host.clone(), unreachable: Some(why), hint, steps: Vec::new(), orphans: Vec::new() }
}

impl Observation {
    fn take(&mut self, plan: &HostPlan, answer: HostObservation, orphans: bool) -> HostView {
        let by_id: BTreeMap<&str, &Observed> = answer.changes.iter().map(|seen| (seen.id.as_str(), seen)).collect();
        let mut notified: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut steps = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let seen = by_id.get(step.id.as_str());
            let error = seen.and_then(|seen| seen.error.clone());
            let change = match (&step.unknown, seen) {
                (Some(fact), _) => Change::unknown(format!("{fact} is not known yet")),
                (None, Some(seen)) => seen.change.clone(),
                (None, None) => Change::unknown("the host did not answer for this step"),
            };
            if !change.is_none() || error.is_some() {
                self.due.add(&plan.host, &step.service);
                for handler in &step.notify {
                    notified.entry(handler).or_default().insert(&step.id);
                }
            }
            steps.push(StepView { id: step.id.clone(), service: step.service.clone(), change, error });
        }
        for handler in &plan.handlers {
            let pending = answer.pending.contains(&handler.id);
            let why = match (notified.get(handler.id.as_str()), pending) {
                (Some(_), _) => "notified by a change above".to_owned(),
                (None, true) => "still pending from a run that was cut off".to_owned(),
                (None, false) => continue,
            };
            self.due.add(&plan.host, &handler.service);
            let change = Change::of(ChangeKind::Run).note(why);
            steps.push(StepView { id: handler.id.clone(), service: handler.service.clone(), change, error: None });
        }
        if !answer.missing.is_empty() {
            self.missing.insert(plan.host.clone(), answer.missing);
        }
        self.pending.insert(plan.host.clone(), answer.pending);
        self.pasts.insert(plan.host.clone(), answer.pasts);
        let orphans = if orphans { answer.orphans } else { Vec::new() };
        HostView { host: plan.host.clone(), unreachable: None, hint: None, steps, orphans }
    }
}
