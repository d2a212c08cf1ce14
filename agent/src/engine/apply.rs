//! Applying steps, running handlers, waiting for health.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Stop;
use super::books::Books;
use super::session::Session;
use super::transaction;
use crate::change::Change;
use crate::check::ServiceCheck;
use crate::fence::Fence;
use crate::ordered::ordered;
use crate::protocol::{Event, Outcome, Reply};
use crate::step::{Handler, Step, StepId};
use crate::step_error::StepError;

/// One `Apply` under way.
pub(super) struct Applying<'a> {
    session: &'a Session<'a>,
    books: Books<'a>,
    /// Handlers to run.
    pending: BTreeSet<StepId>,
    /// Services that are stopped by a step that failed.
    stopped: BTreeSet<String>,
    /// Steps that failed, in this apply or one before it.
    failed: BTreeSet<StepId>,
    outcomes: Vec<Outcome>,
}

impl Session<'_> {
    /// Applies steps in their order, then runs the notified handlers of their services, then waits for the checks.
    pub(super) fn apply(
        &self,
        run: &str,
        fence: &Fence,
        ids: &[StepId],
        checks: &[ServiceCheck],
        deadline: Duration,
        stop: &Stop,
    ) -> Result<Reply, StepError> {
        let steps = self.chosen(ids)?;
        let services = steps.iter().map(|step| step.service.as_str());
        let services: Vec<&str> = services.chain(checks.iter().map(|check| check.service.as_str())).collect();
        let mut applying = Applying::begin(self, run, fence, &steps)?;
        let stopped = applying.steps(&steps, stop)? || applying.handlers(&services, stop)?;
        let Applying { outcomes, books, .. } = applying;
        books.close()?;
        let healthy_so_far = outcomes.iter().all(|outcome| outcome.error.is_none());
        let findings = if healthy_so_far && !stopped { self.check(checks, deadline, stop) } else { Vec::new() };
        Ok(Reply::Applied { outcomes, findings, stopped: stopped || stop.is_set() })
    }

    /// The steps with these names, in the order of the plan.
    fn chosen(&self, ids: &[StepId]) -> Result<Vec<Step>, StepError> {
        let wanted: BTreeSet<&str> = ordered(ids.iter().map(String::as_str));
        let steps: Vec<Step> = self.steps.iter().filter(|step| wanted.contains(step.id.as_str())).cloned().collect();
        if steps.len() != wanted.len() {
            let known = |id: &&str| steps.iter().any(|step| step.id == *id);
            let id = wanted.into_iter().find(|id| !known(id)).unwrap_or_default();
            return Err(StepError::new(format!("the step {id} was not observed in this session")));
        }
        if let Some((step, fact)) = steps.iter().find_map(|step| Some((step, step.unknown.as_ref()?))) {
            let text = format!("the step {} depends on a fact that is not known: {fact}", step.id);
            return Err(StepError::new(text).hint("plan again when that host can be reached"));
        }
        Ok(steps)
    }
}

impl<'a> Applying<'a> {
    fn begin(session: &'a Session<'a>, run: &'a str, fence: &'a Fence, steps: &[Step]) -> Result<Self, StepError> {
        let mut books = Books::open(&session.host, run, fence, steps.len())?;
        books.expect(steps.iter().filter(|step| !session.unchanged.contains(&step.id)))?;
        let pending = books.pending()?;
        let (stopped, failed) = (BTreeSet::new(), session.failed.clone());
        Ok(Self { session, books, pending, stopped, failed, outcomes: Vec::new() })
    }

    /// Applies the steps; true when it was stopped before the last.
    fn steps(&mut self, steps: &[Step], stop: &Stop) -> Result<bool, StepError> {
        let mut rest = steps;
        while let Some(step) = rest.first() {
            if stop.is_set() {
                return Ok(true);
            }
            let together = transaction::length(rest);
            let (now, later) = rest.split_at(together);
            rest = later;
            if self.stopped.contains(&step.service) {
                continue;
            }
            if together > 1 && self.together(now)? {
                continue;
            }
            for step in now {
                if self.stopped.contains(&step.service) {
                    break;
                }
                if stop.is_set() {
                    return Ok(true);
                }
                self.step(step, together > 1)?;
            }
        }
        Ok(false)
    }

    /// Applies one step on its own; `tried` when its start was told before, as one of several.
    fn step(&mut self, step: &Step, tried: bool) -> Result<(), StepError> {
        if !tried {
            self.event(Event::Started { id: step.id.clone() });
        }
        let begin = Instant::now();
        let missing = step.requires.iter().find(|id| self.failed.contains(*id));
        let outcome = match missing {
            Some(id) => Err(StepError::new(format!("it requires {id}, which failed"))),
            None => step.resource.apply(&self.session.host, &mut |change| self.books.begin(step, change)),
        };
        let outcome = outcome.map(|change| transaction::made(&self.session.host, step, change));
        self.ended(step, Outcome::new(&step.id, outcome, begin))
    }

    /// Installs neighbouring packages in one go. False when that is not to be or failed: then each is applied on its own, so that
    /// the error is that of the package that has it.
    fn together(&mut self, steps: &[Step]) -> Result<bool, StepError> {
        let begin = Instant::now();
        for step in steps {
            self.event(Event::Started { id: step.id.clone() });
        }
        let host = &self.session.host;
        let Ok(changes) = transaction::plan(host, steps) else {
            return Ok(false);
        };
        let required = |step: &Step| step.requires.iter().any(|id| self.failed.contains(id));
        if steps.iter().any(required) || changes.iter().filter(|change| !change.is_none()).count() < 2 {
            return Ok(false);
        }
        for (step, change) in steps.iter().zip(&changes).filter(|(_, change)| !change.is_none()) {
            self.books.begin(step, change)?;
        }
        let outcome = transaction::apply(host, steps);
        host.changed();
        if outcome.is_err() {
            return Ok(false);
        }
        for (step, change) in steps.iter().zip(changes) {
            let change = transaction::made(host, step, change);
            let mut outcome = Outcome::new(&step.id, Ok(change), begin);
            // The time that they took together, in equal parts.
            outcome.millis /= steps.len().max(1) as u64;
            self.ended(step, outcome)?;
        }
        Ok(true)
    }

    fn ended(&mut self, step: &Step, outcome: Outcome) -> Result<(), StepError> {
        if outcome.error.is_some() {
            self.stopped.insert(step.service.clone());
            self.failed.insert(step.id.clone());
            self.books.end(&outcome)?;
        } else {
            self.failed.remove(&step.id);
            self.books.applied(step, !outcome.change.is_none());
            if !outcome.change.is_none() {
                self.pending.extend(step.notify.iter().cloned());
                self.books.end(&outcome)?;
            }
        }
        self.finished(outcome);
        Ok(())
    }

    /// Runs what was notified, now or by a run that died, in the order of declaration; true when it was stopped before the last.
    /// Handlers of a service that failed stay pending.
    fn handlers(&mut self, services: &[&str], stop: &Stop) -> Result<bool, StepError> {
        let session = self.session;
        for handler in &session.handlers {
            let service = handler.service.as_str();
            if !self.pending.contains(&handler.id) || !services.contains(&service) || self.stopped.contains(service) {
                continue;
            }
            if stop.is_set() {
                return Ok(true);
            }
            self.handler(handler)?;
        }
        Ok(false)
    }

    fn handler(&mut self, handler: &Handler) -> Result<(), StepError> {
        self.event(Event::Started { id: handler.id.clone() });
        let begin = Instant::now();
        let outcome =
            handler.resource.apply(&self.session.host, &mut |change| self.books.begin_as(&handler.id, change, &[]));
        let outcome = Outcome::new(&handler.id, outcome, begin);
        if outcome.error.is_some() {
            self.stopped.insert(handler.service.clone());
        } else {
            self.pending.remove(&handler.id);
        }
        self.books.end(&outcome)?;
        self.finished(outcome);
        Ok(())
    }

    fn finished(&mut self, outcome: Outcome) {
        self.event(Event::Finished(outcome.clone()));
        self.outcomes.push(outcome);
    }

    fn event(&self, event: Event) {
        self.session.outbox.event(event);
    }
}

impl Outcome {
    /// How something ended that began then.
    pub(super) fn new(id: &str, outcome: Result<Change, StepError>, begin: Instant) -> Self {
        let millis = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (change, error) = match outcome {
            Ok(change) => (change, None),
            Err(error) => (Change::none(), Some(error)),
        };
        Self { id: id.to_owned(), change, millis, error }
    }
}
