//! Following a run that another controller began, or this one before it was cut off.

use std::collections::BTreeMap;
use std::time::Duration;

use cc_agent::protocol::{LastRun, Reply, RunState};
use futures_util::future::join_all;

use super::fleet::Fleet;
use super::interrupt::Interrupt;
use super::member::is_refusal;
use super::pursuit::Pursuit;
use crate::report::{Event, HostState, HostSummary, Report};
use crate::ssh::SshError;

/// A run as its hosts told it.
pub struct Attached {
    /// One line a host that has something of the run.
    pub hosts: Vec<HostSummary>,
    /// Hosts on which it was cut off.
    pub cut: Vec<String>,
}

impl Fleet {
    /// The newest run of each host, newest first; hosts with the same one together.
    pub fn last_runs(&self) -> Vec<(LastRun, Vec<String>)> {
        let mut runs: BTreeMap<String, (LastRun, Vec<String>)> = BTreeMap::new();
        for (host, last) in self.members.values().filter_map(|member| Some((&member.host, member.last.as_ref()?))) {
            let (known, hosts) = runs.entry(last.run.clone()).or_insert_with(|| (last.clone(), Vec::new()));
            hosts.push(host.clone());
            // The one that is furthest from its end speaks for all.
            if order(last.state) < order(known.state) {
                *known = last.clone();
            }
        }
        // Their names begin with the time.
        runs.into_values().rev().collect()
    }

    /// The run that is at work on a host, if any, and its hosts.
    pub fn at_work(&self) -> Vec<(LastRun, Vec<String>)> {
        self.last_runs().into_iter().filter(|(last, _)| last.state == RunState::Working).collect()
    }
}

fn order(state: RunState) -> u8 {
    match state {
        RunState::Working => 0,
        RunState::Cut => 1,
        RunState::Waiting => 2,
        RunState::Over => 3,
    }
}

/// Shows what a run has done on each host and follows it to the end of what is under way. `stop` asks it to begin no other
/// step; `patience` is how long to try to reach a host again.
pub async fn attach(fleet: &mut Fleet, run: &str, stop: bool, patience: Duration, report: &Report) -> Attached {
    let interrupt = Interrupt::never();
    let jobs = fleet.members.values_mut().map(|member| {
        let (host, interrupt) = (member.host.clone(), &interrupt);
        async move { (host, Pursuit { member, run, patience, interrupt, report }.attach(stop).await) }
    });
    let results: Vec<(String, Result<Vec<Reply>, SshError>)> = join_all(jobs).await;
    let mut attached = Attached { hosts: Vec::new(), cut: Vec::new() };
    for (host, result) in results {
        match result {
            Ok(replies) => attached.take(host, &replies, report),
            Err(refusal) if is_refusal(&refusal) => {
                let message = refusal.to_string();
                report.emit(&Event::Error { code: 1, message: &message, hints: refusal.hint().as_slice() });
                attached.hosts.push(HostSummary { state: HostState::Failed, ..nothing(host) });
            }
            Err(trouble) => {
                let (message, hint) = (trouble.to_string(), trouble.hint());
                report.emit(&Event::Unreachable { host: &host, message: &message, hint: hint.as_deref() });
                fleet.lose(&host, &trouble);
                attached.hosts.push(HostSummary { state: HostState::Unreachable, ..nothing(host) });
            }
        }
    }
    attached
}

impl Attached {
    fn take(&mut self, host: String, replies: &[Reply], report: &Report) {
        let cut = matches!(replies.last(), Some(Reply::Ended { cut: true }));
        if replies.len() < 2 && !cut {
            return;
        }
        let mut summary = nothing(host);
        for reply in replies {
            if let Reply::Applied { outcomes, findings, stopped } = reply {
                for outcome in outcomes {
                    summary.millis += outcome.millis;
                    match &outcome.error {
                        Some(_) => summary.failed += 1,
                        None if outcome.change.is_none() => summary.unchanged += 1,
                        None => summary.changed += 1,
                    }
                }
                for finding in findings.iter().filter(|finding| !finding.healthy) {
                    summary.failed += 1;
                    report.emit(&Event::Check { host: &summary.host, finding });
                }
                if *stopped {
                    summary.state = HostState::Skipped;
                }
            }
        }
        if cut {
            self.cut.push(summary.host.clone());
        }
        if cut || summary.failed > 0 {
            summary.state = HostState::Failed;
        }
        self.hosts.push(summary);
    }
}

fn nothing(host: String) -> HostSummary {
    HostSummary { host, state: HostState::Ok, changed: 0, unchanged: 0, failed: 0, skipped: 0, millis: 0 }
}
