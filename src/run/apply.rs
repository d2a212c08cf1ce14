//! The run: batch after batch, every host of a batch at the same time, health before the next.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cc_agent::protocol::{Event as AgentEvent, Outcome, Reply, Request};
use cc_plan::plan::Plan;
use futures_util::{StreamExt, stream};

use super::fleet::Fleet;
use super::interrupt::Interrupt;
use super::member::{Member, is_refusal};
use super::observe::Observation;
use super::schedule::{Batch, Schedule, Work};
use super::tally::Tally;
use crate::report::{Event, HostSummary, Report};
use crate::ssh::SshError;

/// How a run is to go.
pub struct Options {
    /// Name of the run; stands in journals and ledgers.
    pub run: String,
    /// Hosts that are worked on at the same time.
    pub parallel: usize,
    /// How long a service may take to become healthy.
    pub health_deadline: Duration,
    /// Remove orphans at the end.
    pub prune: bool,
}

/// How a run ended.
pub struct Outcomes {
    /// One line a host, in inventory order.
    pub hosts: Vec<HostSummary>,
    /// Whether it was stopped by the person.
    pub interrupted: bool,
}

/// Applies what was observed.
pub async fn apply(
    fleet: &mut Fleet,
    plan: &Plan,
    observation: Observation,
    options: &Options,
    interrupt: &Interrupt,
    report: &Report,
) -> Outcomes {
    let begun = Instant::now();
    let mut tally = Tally::new(plan, &observation.view);
    let mut schedule = Schedule::new(plan, observation.due.clone(), fleet.lost.keys().cloned());
    let mut missing = observation.missing;
    let (stages, mut stage) = (schedule.stages(), 0);
    let mut last = None;
    while let Some(batch) = schedule.next_batch() {
        if interrupt.is_set() {
            break;
        }
        if last.replace(batch.stage) != Some(batch.stage) {
            stage += 1;
        }
        announce(&batch, (stage, stages), &tally, report);
        let content = std::mem::take(&mut missing);
        let results = run_batch(fleet, plan, &batch, &content, options, interrupt, report).await;
        missing.extend(content.into_iter().filter(|(host, _)| !batch.work.iter().any(|work| work.host == *host)));
        for (work, result) in results {
            settle(fleet, &mut schedule, &mut tally, &work, result, report);
        }
    }
    for blocked in schedule.blocked() {
        let hosts = blocked.hosts.iter().map(String::as_str).collect();
        report.emit(&Event::Blocked { service: &blocked.service, hosts, reason: &blocked.reason });
    }
    if options.prune && !interrupt.is_set() {
        prune(fleet, &observation.view, options, interrupt, &mut tally, report).await;
    }
    let hosts = tally.summaries(fleet);
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    report.emit(&Event::Summary { run: &options.run, hosts: &hosts, millis });
    Outcomes { hosts, interrupted: interrupt.is_set() }
}

fn announce(batch: &Batch, (stage, stages): (usize, usize), tally: &Tally, report: &Report) {
    let mut services: Vec<&str> = batch.work.iter().flat_map(|work| &work.services).map(String::as_str).collect();
    let mut seen = std::collections::BTreeSet::new();
    services.retain(|service| seen.insert(*service));
    report.emit(&Event::StageStarted {
        stage,
        stages,
        services,
        batch: batch.number + 1,
        batches: batch.of,
        hosts: batch.work.iter().map(|work| work.host.as_str()).collect(),
        steps: batch.work.iter().map(|work| tally.due_steps(work)).sum(),
    });
}

type Applied = (Vec<Outcome>, Vec<cc_agent::check::Finding>, bool);

async fn run_batch(
    fleet: &mut Fleet,
    plan: &Plan,
    batch: &Batch,
    missing: &BTreeMap<String, Vec<String>>,
    options: &Options,
    interrupt: &Interrupt,
    report: &Report,
) -> Vec<(Work, Result<Applied, SshError>)> {
    let jobs = fleet.members.values_mut().filter_map(|member| {
        let work = batch.work.iter().find(|work| work.host == member.host)?;
        let digests = missing.get(&member.host).map(Vec::as_slice).unwrap_or_default();
        Some(async move {
            let result = work_on(member, plan, work, digests, options, interrupt, report).await;
            (work.clone(), result)
        })
    });
    stream::iter(jobs).buffer_unordered(options.parallel).collect().await
}

/// Content first, then steps, handlers and checks in one request.
async fn work_on(
    member: &mut Member,
    plan: &Plan,
    work: &Work,
    digests: &[String],
    options: &Options,
    interrupt: &Interrupt,
    report: &Report,
) -> Result<Applied, SshError> {
    for digest in digests {
        if let Some(content) = plan.blobs.get(digest) {
            member.send_blob(digest, content).await?;
        }
    }
    let host = plan.hosts.iter().find(|host| host.host == work.host);
    let checks = host.map(|host| &host.checks).into_iter().flatten();
    let checks = checks.filter(|check| work.services.contains(&check.service)).cloned().collect();
    let request = Request::Apply {
        run: options.run.clone(),
        steps: work.steps.clone(),
        checks,
        deadline: options.health_deadline.as_secs(),
    };
    let name = work.host.as_str();
    match member.work(&request, interrupt, |event| show(report, name, event)).await? {
        Reply::Applied { outcomes, findings, stopped } => Ok((outcomes, findings, stopped)),
        other => Err(member.unexpected(&other)),
    }
}

/// Passes an agent's event on.
fn show(report: &Report, host: &str, event: &AgentEvent) {
    match event {
        AgentEvent::Started { id } => report.emit(&Event::StepStarted { host, step: id }),
        AgentEvent::Finished(outcome) => report.emit(&Event::StepFinished {
            host,
            step: &outcome.id,
            change: &outcome.change,
            millis: outcome.millis,
            error: outcome.error.as_ref(),
        }),
        AgentEvent::Waiting { finding } => report.emit(&Event::Waiting { host, finding }),
        // Only `exec` has output.
        AgentEvent::Output { .. } => {}
    }
}

/// Books a host's part of a batch.
fn settle(
    fleet: &mut Fleet,
    schedule: &mut Schedule,
    tally: &mut Tally,
    work: &Work,
    result: Result<Applied, SshError>,
    report: &Report,
) {
    match result {
        Ok((outcomes, findings, _)) => {
            for outcome in outcomes.iter().filter(|outcome| outcome.error.is_some()) {
                schedule.failed(&work.host, outcome.id.split('/').next().unwrap_or_default());
            }
            for finding in findings.iter().filter(|finding| !finding.healthy) {
                report.emit(&Event::Check { host: &work.host, finding });
                schedule.failed(&work.host, &finding.service);
            }
            tally.applied(work, &outcomes, &findings);
        }
        Err(trouble) if !is_refusal(&trouble) => {
            let (message, hint) = (trouble.to_string(), trouble.hint());
            report.emit(&Event::Unreachable { host: &work.host, message: &message, hint: hint.as_deref() });
            work.services.iter().for_each(|service| schedule.failed(&work.host, service));
            schedule.lost(&work.host);
            fleet.lose(&work.host, &trouble);
        }
        Err(refusal) => {
            complain(report, &refusal);
            work.services.iter().for_each(|service| schedule.failed(&work.host, service));
            tally.refused(work);
        }
    }
}

async fn prune(
    fleet: &mut Fleet,
    view: &crate::report::PlanView,
    options: &Options,
    interrupt: &Interrupt,
    tally: &mut Tally,
    report: &Report,
) {
    for host in &view.hosts {
        let orphans: Vec<String> =
            host.orphans.iter().filter(|orphan| orphan.removable).map(|orphan| orphan.id.clone()).collect();
        let Some(member) = fleet.members.get_mut(&host.host).filter(|_| !orphans.is_empty()) else { continue };
        let request = Request::Prune { run: options.run.clone(), orphans };
        let name = host.host.as_str();
        match member.work(&request, interrupt, |event| show(report, name, event)).await {
            Ok(Reply::Applied { outcomes, .. }) => tally.pruned(&host.host, &outcomes),
            Ok(other) => complain(report, &member.unexpected(&other)),
            Err(trouble) => complain(report, &trouble),
        }
    }
}

fn complain(report: &Report, trouble: &SshError) {
    let message = trouble.to_string();
    report.emit(&Event::Error { code: 1, message: &message, hints: trouble.hint().as_slice() });
}
