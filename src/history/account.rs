//! Listens to a run, to tell of it in the history.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::ended::{Blocked, Ended, HostResult, StepResult};
use super::intent::LISTED;
use crate::error::CliError;
use crate::report::{Event, HostSummary, Listener};

/// What has been heard of a run.
pub struct Account {
    begun: Instant,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    hosts: BTreeMap<String, HostHeard>,
    summaries: Vec<HostSummary>,
    blocked: Vec<Blocked>,
    errors: Vec<String>,
    listed: usize,
    unlisted: usize,
}

#[derive(Default)]
struct HostHeard {
    steps: Vec<StepResult>,
    checks: Vec<cc_agent::check::Finding>,
    unreachable: Option<String>,
}

impl Account {
    /// Of a run that begins now.
    pub fn new() -> Self {
        Self { begun: Instant::now(), heard: Mutex::default() }
    }

    /// What is to be told of the run that has ended like this.
    pub fn ended(&self, result: &Result<(), CliError>) -> Ended {
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        let early = Ended::early(result);
        let own = early.errors.into_iter().filter(|message| !message.is_empty());
        let hosts = std::mem::take(&mut heard.summaries).into_iter().map(|summary| {
            let HostHeard { steps, checks, unreachable } = heard.hosts.remove(&summary.host).unwrap_or_default();
            HostResult { summary, steps, checks, unreachable }
        });
        Ended {
            exit_code: early.exit_code,
            millis: u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            hosts: hosts.collect(),
            blocked: heard.blocked,
            errors: heard.errors.into_iter().chain(own).collect(),
            unlisted: heard.unlisted,
        }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::new()
    }
}

impl Listener for Account {
    fn hear(&self, event: &Event) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).hear(event);
    }
}

impl Heard {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::StepFinished { host, step, change, millis, error } if !change.is_none() || error.is_some() => {
                // What failed is always told.
                if error.is_none() && self.listed == LISTED {
                    self.unlisted += 1;
                    return;
                }
                self.listed += 1;
                let (step, error) = ((*step).to_owned(), error.cloned());
                self.host(host).steps.push(StepResult { step, kind: change.kind, millis: *millis, error });
            }
            Event::Check { host, finding } if !finding.healthy => self.host(host).checks.push((*finding).clone()),
            Event::Unreachable { host, message, .. } => self.host(host).unreachable = Some((*message).to_owned()),
            Event::Blocked { service, hosts, reason } => self.blocked.push(Blocked {
                service: (*service).to_owned(),
                hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
                reason: (*reason).to_owned(),
            }),
            Event::Stopped { reason, .. } => self.errors.push(format!("stopped: {reason}")),
            Event::Error { message, .. } => self.errors.push((*message).to_owned()),
            Event::Summary { hosts, .. } => self.summaries = hosts.to_vec(),
            _ => {}
        }
    }

    fn host(&mut self, name: &str) -> &mut HostHeard {
        self.hosts.entry(name.to_owned()).or_default()
    }
}
