//! What a lock is wanted for.

use jiff::Timestamp;

use super::process;
use super::record::{LockRecord, State};
use super::terms::Terms;
use crate::operator::Operator;

/// What a lock is wanted for.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who wants it.
    pub operator: Operator,
    /// The run.
    pub run: String,
    /// What runs: `deploy`.
    pub command: String,
    /// Why, where somebody gave a reason.
    pub reason: Option<String>,
}

impl Claim {
    /// The record of a holder who has nothing yet.
    pub(super) fn record(&self, terms: &Terms) -> LockRecord {
        let now = Timestamp::now();
        LockRecord {
            token: 0,
            holder: format!("{:032x}", rand::random::<u128>()),
            owner: self.operator.user.clone(),
            host: self.operator.machine.clone(),
            run: self.run.clone(),
            command: self.command.clone(),
            reason: self.reason.clone(),
            since: now,
            last_beat: now,
            beat: 0,
            lease_seconds: terms.lease.as_secs(),
            state: State::Held,
            process: process::own(),
        }
    }
}
