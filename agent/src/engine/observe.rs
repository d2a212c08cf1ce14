//! What would change: observing touches nothing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::session::Session;
use crate::change::{Change, ChangeKind};
use crate::host::{Expected, Host};
use crate::journal;
use crate::ledger::Ledger;
use crate::ordered::ordered;
use crate::protocol::{Observed, Reply};
use crate::resource::{Content, Presence, Resource};
use crate::side_by_side::side_by_side;
use crate::step::{Handler, Step};
use crate::step_error::StepError;

/// Threads that observe. What takes long is waiting for other programs, so that more than there are processors is right.
const THREADS: usize = 4;

impl Session<'_> {
    /// Observes all steps and keeps them for an `Apply`.
    pub(super) fn observe(&mut self, steps: Vec<Step>, handlers: Vec<Handler>, past: bool) -> Result<Reply, StepError> {
        let ledger = self.take_plan(steps, handlers)?;
        self.host.changed();
        let changes = settle(observe_all(&self.host, &self.steps));
        let unchanged = changes.iter().filter(|observed| observed.change.kind == ChangeKind::None);
        self.unchanged = ordered(unchanged.map(|observed| observed.id.clone()));
        let known = |id: &String| self.handlers.iter().any(|handler| handler.id == *id);
        let pending = journal::pending(self.host.state())?.into_iter().filter(known).collect();
        let missing = missing(&self.host, &self.steps, &changes);
        let pasts = if past { self.pasts(&ledger, &changes) } else { Vec::new() };
        Ok(Reply::Observed { orphans: ledger.orphans(&self.steps, &self.host), changes, pending, missing, pasts })
    }
}

impl Session<'_> {
    /// Keeps steps and handlers for the requests that follow; gives the ledger.
    pub(super) fn take_plan(&mut self, steps: Vec<Step>, handlers: Vec<Handler>) -> Result<Ledger, StepError> {
        (self.steps, self.handlers) = (steps, handlers);
        let ledger = Ledger::read(self.host.state())?;
        self.host.set_secret_before(ledger.secret_targets());
        self.host.expect(Expected::of(self.steps.iter().map(|step| &step.resource)));
        Ok(ledger)
    }
}

/// Observes in parallel; the answers come in the order of the steps.
fn observe_all(host: &Host, steps: &[Step]) -> Vec<Observed> {
    let next = AtomicUsize::new(0);
    let found: Vec<OnceLock<Observed>> = steps.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(step), Some(place)) = (steps.get(at), found.get(at)) else {
                return;
            };
            place.get_or_init(|| observe_one(host, step));
        }
    };
    side_by_side(THREADS.min(steps.len()), &work);
    found.into_iter().filter_map(OnceLock::into_inner).collect()
}

fn observe_one(host: &Host, step: &Step) -> Observed {
    let (change, error) = match &step.unknown {
        Some(fact) => (Change::unknown(fact), None),
        None => match step.resource.plan(host) {
            Ok(change) => (change, None),
            Err(error) => {
                let change = Change::unknown(&error.message);
                // What a command said says more than how it ended.
                (error.telling_line().into_iter().fold(change, Change::note), Some(error))
            }
        },
    };
    Observed { id: step.id.clone(), change, error }
}

/// What could not be observed is unknown where an earlier step changes something, for that may be what it lacks; on a host that
/// needs nothing before it, it is an error.
fn settle(mut observed: Vec<Observed>) -> Vec<Observed> {
    let mut changes = false;
    for observed in &mut observed {
        if changes {
            observed.error = None;
        }
        changes |= observed.error.is_none() && observed.change.kind != ChangeKind::None;
    }
    observed
}

/// Content that the changes need and the host does not have.
fn missing(host: &Host, steps: &[Step], observed: &[Observed]) -> Vec<String> {
    let blobs = host.blobs();
    let mut missing: Vec<String> = Vec::new();
    for (step, _) in steps.iter().zip(observed).filter(|(_, observed)| !observed.change.is_none()) {
        let digest = match &step.resource {
            Resource::File(file) => match &file.content {
                Some(Content::Blob { sha256, .. }) if file.state == Presence::Present => sha256,
                _ => continue,
            },
            Resource::Archive(archive) if archive.url.is_none() && archive.state == Presence::Present => {
                &archive.sha256
            }
            _ => continue,
        };
        if !missing.contains(digest) && blobs.path(digest).is_none() {
            missing.push(digest.clone());
        }
    }
    missing
}
