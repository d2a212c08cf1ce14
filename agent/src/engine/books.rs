//! Journal and ledger during one run: both know of a change before the host does.

use std::collections::BTreeSet;

use crate::change::Change;
use crate::fence::Fence;
use crate::host::Host;
use crate::journal::{self, Entry, Journal};
use crate::ledger::Ledger;
use crate::ordered::ordered;
use crate::protocol::Outcome;
use crate::step::{Step, StepId};
use crate::step_error::StepError;

/// Journal and ledger of one environment on this host, for one run.
pub(super) struct Books<'a> {
    host: &'a Host,
    run: &'a str,
    fence: &'a Fence,
    journal: Journal,
    pub(super) ledger: Ledger,
    /// Entries that stand in the ledger ahead of a change that has not begun.
    ahead: BTreeSet<StepId>,
}

impl<'a> Books<'a> {
    /// Opens both.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn open(host: &'a Host, run: &'a str, fence: &'a Fence, steps: usize) -> Result<Self, StepError> {
        let mut journal = Journal::open(host.state(), run)?;
        journal.append(Entry::Apply { steps })?;
        let ledger = Ledger::read(host.state())?;
        Ok(Self { host, run, fence, journal, ledger, ahead: BTreeSet::new() })
    }

    /// Puts steps that will change something into the ledger, in one write: from here on they may be on the host.
    pub(super) fn expect<'s>(&mut self, steps: impl Iterator<Item = &'s Step>) -> Result<(), StepError> {
        let begun = |step: &&Step| self.ledger.begin(step, self.run);
        self.ahead = ordered(steps.filter(begun).map(|step| step.id.clone()));
        if self.ahead.is_empty() { Ok(()) } else { self.ledger.write(self.host) }
    }

    /// Handlers that were notified and did not run.
    pub(super) fn pending(&self) -> Result<BTreeSet<StepId>, StepError> {
        Ok(ordered(journal::pending(self.host.state())?))
    }

    /// A step is about to change something.
    pub(super) fn begin(&mut self, step: &Step, change: &Change) -> Result<(), StepError> {
        // Where nobody expected a change, the ledger does not know of it yet.
        let new = !self.ahead.remove(&step.id) && self.ledger.begin(step, self.run);
        self.ledger.claim(step, change.kind);
        if new {
            self.ledger.write(self.host)?;
        }
        self.begin_as(&step.id, change, &step.notify)
    }

    /// Something that is not in the ledger, or leaves it, is about to change something.
    pub(super) fn begin_as(&mut self, id: &str, change: &Change, notify: &[StepId]) -> Result<(), StepError> {
        // Whoever follows may have come while this run was at work.
        self.fence.check(self.host)?;
        self.journal.append(Entry::Begin { id: id.to_owned(), change: change.kind, notify: notify.to_vec() })?;
        self.journal.sync()
    }

    /// A step is as desired, because it was `changed` or without that.
    pub(super) fn applied(&mut self, step: &Step, changed: bool) {
        self.ledger.applied(step, self.run, self.host.vault(), changed);
    }

    /// A step or handler that had begun to change something ended, or one failed.
    pub(super) fn end(&mut self, outcome: &Outcome) -> Result<(), StepError> {
        let (id, error) = (outcome.id.clone(), outcome.error.clone());
        self.journal.append(Entry::End { id, millis: outcome.millis, error })
    }

    /// Writes down what is now known.
    pub(super) fn close(mut self) -> Result<(), StepError> {
        for id in std::mem::take(&mut self.ahead) {
            self.ledger.forget(&id);
        }
        self.ledger.write(self.host)?;
        self.journal.sync()
    }
}
