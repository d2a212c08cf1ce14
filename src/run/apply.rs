//! The run: batch after batch, every host of a batch at the same time, health before the next.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cc_agent::fence::Fence;
use cc_agent::protocol::{Outcome, Reply, Request};
use cc_plan::plan::Plan;
use futures_util::{StreamExt, stream};

use super::fleet::Fleet;
use super::intent::Intent;
use super::interrupt::Interrupt;
use super::losses::Losses;
use super::member::{Member, is_refusal};
use super::observe::Observation;
use super::pursuit::{Pursuit, Restore};
use super::schedule::{Batch, Schedule, Work};
use super::tally::Tally;
use super::vaults::Vaults;
use crate::report::{Event, HostState, HostSummary, Report};
use crate::ssh::SshError;

/// How a run is to go.
pub struct Options {
    /// The run, whose name stands in journals and ledgers, with the lock that it holds.
    pub fence: Fence,
    /// Hosts that are worked on at the same time.
    pub parallel: usize,
    /// How long a service may take to become healthy.
    pub health_deadline: Duration,
    /// Remove orphans at the end.
    pub prune: bool,
    /// What was approved, for who goes on with the run after its controller was cut off.
    pub intent: Intent,
    /// How long to try to reach a host again whose connection was cut in the middle of its work.
    pub reconnect: Duration,
    /// The hosts' secrets.
    pub vaults: Vaults,
}

/// A run under way.
pub(super) struct Run<'r> {
    pub(super) plan: &'r Plan,
    pub(super) options: &'r Options,
    pub(super) interrupt: &'r Interrupt,
    pub(super) report: &'r Report,
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
    let run = Run { plan, options, interrupt, report };
    let mut tally = Tally::new(plan, &observation.view);
    let mut schedule = Schedule::new(plan, observation.due.clone(), fleet.lost.keys().cloned());
    let mut missing = observation.missing;
    let (stages, mut stage) = (schedule.stages(), 0);
    let mut last = None;
    while let Some(batch) = schedule.next_batch() {
        if last.replace(batch.stage) != Some(batch.stage) {
            stage += 1;
        }
        if !run.pause(batch.pause).await {
            break;
        }
        run.announce(&batch, (stage, stages), &tally);
        let results = run.batch(fleet, &batch, &missing, &mut schedule).await;
        for (work, result) in results {
            missing.remove(&work.host);
            run.settle(fleet, &mut tally, &work, result);
        }
        if !batch.gate.is_empty() && !interrupt.is_set() {
            run.gate(fleet, &batch, &mut schedule, &mut tally).await;
        }
    }
    run.left_undone(&schedule);
    if options.prune && !interrupt.is_set() {
        run.prune(fleet, &observation.view, &mut tally).await;
    }
    let hosts = tally.summaries(fleet);
    if hosts.iter().all(|host| host.state == HostState::Ok) {
        fleet.members.values_mut().for_each(|member| member.over = Some(options.fence.run.clone()));
    }
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    report.emit(&Event::Summary { run: &options.fence.run, hosts: &hosts, millis });
    Outcomes { hosts, interrupted: interrupt.is_set() }
}

type Applied = (Vec<Outcome>, Vec<cc_agent::check::Finding>, bool);

impl Run<'_> {
    /// Waits between two batches; false when the person stopped it.
    async fn pause(&self, seconds: u64) -> bool {
        if seconds > 0 {
            self.report.emit(&Event::Note { message: &format!("pausing {seconds} s before the next batch") });
            let _ = tokio::time::timeout(Duration::from_secs(seconds), self.interrupt.wait()).await;
        }
        !self.interrupt.is_set()
    }

    /// Says that a batch begins.
    fn announce(&self, batch: &Batch, (stage, stages): (usize, usize), tally: &Tally) {
        let mut services: Vec<&str> = batch.work.iter().flat_map(|work| &work.services).map(String::as_str).collect();
        let mut seen = std::collections::BTreeSet::new();
        services.retain(|service| seen.insert(*service));
        self.report.emit(&Event::StageStarted {
            stage,
            stages,
            services,
            batch: batch.number + 1,
            batches: batch.of,
            hosts: batch.work.iter().map(|work| work.host.as_str()).collect(),
            steps: batch.work.iter().map(|work| tally.due_steps(work)).sum(),
        });
    }

    /// Works on all hosts of a batch, so many at a time.
    async fn batch(
        &self,
        fleet: &mut Fleet,
        batch: &Batch,
        missing: &BTreeMap<String, Vec<String>>,
        schedule: &mut Schedule<'_>,
    ) -> Vec<(Work, Result<Applied, SshError>)> {
        let mut members: BTreeMap<&str, &mut Member> =
            fleet.members.iter_mut().map(|(host, member)| (host.as_str(), member)).collect();
        // Those that have to wait for a free place learn what has failed before their turn came.
        let schedule = &RefCell::new(schedule);
        let jobs = batch.work.iter().filter_map(|work| {
            let member = members.remove(work.host.as_str())?;
            let digests = missing.get(&work.host).map(Vec::as_slice).unwrap_or_default();
            Some(async move {
                let work = schedule.borrow_mut().begin(work.clone())?;
                let result = self.work_on(member, &work, digests).await;
                book(schedule.borrow_mut().losses(), &work, &result);
                Some((work, result))
            })
        });
        stream::iter(jobs).buffer_unordered(self.options.parallel).filter_map(std::future::ready).collect().await
    }

    /// Content first, then steps, handlers and checks in one request.
    async fn work_on(&self, member: &mut Member, work: &Work, digests: &[String]) -> Result<Applied, SshError> {
        for digest in digests {
            if let Some(content) = self.plan.blobs.get(digest) {
                member.send_blob(digest, content).await?;
            }
        }
        let host = self.plan.hosts.iter().find(|host| host.host == work.host);
        let checks = host.map(|host| &host.checks).into_iter().flatten();
        let checks = checks.filter(|check| work.services.contains(&check.service)).cloned().collect();
        let request = Request::Apply {
            run: self.options.fence.run.clone(),
            origin: self.options.intent.origin(),
            fence: self.options.fence.clone(),
            steps: work.steps.clone(),
            checks,
            deadline: self.options.health_deadline.as_secs(),
        };
        let restore = host.map(|plan| Restore { plan, vaults: &self.options.vaults });
        match self.pursuit(member).apply(&request, restore).await? {
            Reply::Applied { outcomes, findings, stopped } => Ok((outcomes, findings, stopped)),
            other => Err(member.unexpected(&other)),
        }
    }

    fn pursuit<'m>(&'m self, member: &'m mut Member) -> Pursuit<'m> {
        let Options { fence: Fence { run, .. }, reconnect: patience, .. } = self.options;
        Pursuit { member, run, patience: *patience, interrupt: self.interrupt, report: self.report }
    }

    /// Tells how a host's part of a batch ended.
    fn settle(&self, fleet: &mut Fleet, tally: &mut Tally, work: &Work, result: Result<Applied, SshError>) {
        match result {
            Ok((outcomes, findings, _)) => {
                for finding in findings.iter().filter(|finding| !finding.healthy) {
                    self.report.emit(&Event::Check { host: &work.host, finding });
                }
                tally.applied(work, &outcomes, &findings);
            }
            Err(trouble) if !is_refusal(&trouble) => {
                let (message, hint) = (trouble.to_string(), trouble.hint());
                self.report.emit(&Event::Unreachable { host: &work.host, message: &message, hint: hint.as_deref() });
                fleet.lose(&work.host, &trouble);
            }
            Err(refusal) => {
                complain(self.report, &refusal);
                tally.refused(work);
            }
        }
    }

    /// Removes the orphans.
    async fn prune(&self, fleet: &mut Fleet, view: &crate::report::PlanView, tally: &mut Tally) {
        for host in &view.hosts {
            let orphans: Vec<String> =
                host.orphans.iter().filter(|orphan| orphan.removable).map(|orphan| orphan.id.clone()).collect();
            let Some(member) = fleet.members.get_mut(&host.host).filter(|_| !orphans.is_empty()) else { continue };
            let fence = self.options.fence.clone();
            let (run, origin) = (fence.run.clone(), self.options.intent.origin());
            let request = Request::Prune { run, origin, fence, orphans };
            match self.pursuit(member).apply(&request, None).await {
                Ok(Reply::Applied { outcomes, .. }) => tally.pruned(&host.host, &outcomes),
                Ok(other) => complain(self.report, &member.unexpected(&other)),
                Err(trouble) => complain(self.report, &trouble),
            }
        }
    }

    /// Says what was not begun, and why.
    fn left_undone(&self, schedule: &Schedule) {
        let standing = schedule.standing();
        for blocked in schedule.blocked().iter().filter(|blocked| Some(blocked.reason.as_str()) != schedule.stopped()) {
            let hosts = blocked.hosts.iter().map(String::as_str).collect();
            self.report.emit(&Event::Blocked { service: &blocked.service, hosts, reason: &blocked.reason });
        }
        if let Some(reason) = schedule.stopped() {
            self.report.emit(&Event::Stopped { reason, standing: &standing });
        }
    }
}

/// Books what failed and what was lost.
fn book(losses: &mut Losses, work: &Work, result: &Result<Applied, SshError>) {
    match result {
        Ok((outcomes, findings, _)) => {
            let failed = outcomes.iter().filter(|outcome| outcome.error.is_some());
            failed.for_each(|outcome| losses.failed(&work.host, outcome.id.split('/').next().unwrap_or_default()));
            let sick = findings.iter().filter(|finding| !finding.healthy);
            sick.for_each(|finding| losses.failed(&work.host, &finding.service));
        }
        Err(trouble) if is_refusal(trouble) => {
            work.services.iter().for_each(|service| losses.failed(&work.host, service));
        }
        Err(_) => losses.lost(&work.host),
    }
}

fn complain(report: &Report, trouble: &SshError) {
    let message = trouble.to_string();
    report.emit(&Event::Error { code: 1, message: &message, hints: trouble.hint().as_slice() });
}
