//! Removing what the ledger has and no step mentions any more.

use std::time::Instant;

use super::Stop;
use super::books::Books;
use super::session::Session;
use crate::fence::Fence;
use crate::ledger;
use crate::protocol::{Event, Outcome, Reply};
use crate::step::StepId;
use crate::step_error::StepError;

impl Session<'_> {
    /// Removes orphans, what was made last first.
    pub(super) fn prune(&self, run: &str, fence: &Fence, orphans: &[StepId], stop: &Stop) -> Result<Reply, StepError> {
        let mut books = Books::open(&self.host, run, fence, orphans.len())?;
        let known = books.ledger.orphans(&self.steps, &self.host);
        if let Some(id) = orphans.iter().find(|id| known.iter().all(|orphan| orphan.id != **id)) {
            let text = format!("{id} is no orphan on this host");
            return Err(StepError::new(text).hint("plan again: the spec or the host has changed since"));
        }
        let chosen = |entry: &&ledger::Entry| orphans.contains(&entry.id);
        let entries: Vec<ledger::Entry> = books.ledger.entries().iter().rev().filter(chosen).cloned().collect();
        let (mut outcomes, mut stopped) = (Vec::new(), false);
        for entry in entries {
            if stop.is_set() {
                stopped = true;
                break;
            }
            self.outbox.event(Event::Started { id: entry.id.clone() });
            let outcome = self.remove(&entry, &mut books);
            books.end(&outcome)?;
            if outcome.error.is_none() {
                books.ledger.forget(&entry.id);
            }
            self.outbox.event(Event::Finished(outcome.clone()));
            outcomes.push(outcome);
        }
        books.close()?;
        Ok(Reply::Applied { outcomes, findings: Vec::new(), stopped })
    }

    fn remove(&self, entry: &ledger::Entry, books: &mut Books<'_>) -> Outcome {
        let begin = Instant::now();
        let removed = match entry.removal() {
            None => Err(StepError::new(format!("{} cannot be removed by its type", entry.target))),
            Some(resource) => resource.apply(&self.host, &mut |change| books.begin_as(&entry.id, change, &[])),
        };
        Outcome::new(&entry.id, removed, begin)
    }
}
