//! Records for tests.

use cc_agent::change::ChangeKind;
use cc_agent::protocol::StepError;

use super::{Author, Began, Ended, Entry, HostResult, Record, Sealed, StepResult};
use crate::report::{HostState, HostSummary};

/// A run that is about to begin.
pub(super) fn began() -> Began {
    Began {
        environment: "t".to_owned(),
        command: "deploy".to_owned(),
        command_line: ["cc-cloud", "t", "deploy"].map(str::to_owned).to_vec(),
        author: Author { who: "anna@laptop".to_owned(), folder: "/srv/site".to_owned(), address: None },
        message: Some("more \"space\" für web1\n".to_owned()),
        commit: None,
        cc_cloud: "0.1.0".to_owned(),
        plan: super::Intent::default(),
        preflight: super::Gate::default(),
    }
}

/// A run that went well.
pub(super) fn ended() -> Ended {
    Ended { exit_code: 0, millis: 1234, hosts: Vec::new(), blocked: Vec::new(), errors: Vec::new(), unlisted: 0 }
}

/// A host on which a step failed.
pub(super) fn failed(error: StepError) -> HostResult {
    let summary = HostSummary {
        host: "web1".to_owned(),
        state: HostState::Failed,
        changed: 1,
        unchanged: 2,
        failed: 1,
        skipped: 0,
        millis: 61_500,
    };
    let (step, kind) = ("site/command:finish".to_owned(), ChangeKind::Run);
    let steps = vec![StepResult { step, kind, millis: 40, error: Some(error) }];
    HostResult { summary, steps, checks: Vec::new(), unreachable: None }
}

/// A sound chain of this many records: beginnings and ends by turns.
pub(super) fn chain(length: u64) -> Vec<Sealed> {
    let mut chain: Vec<Sealed> = Vec::new();
    for number in 1..=length {
        let entry = if number % 2 == 1 { Entry::Began(Box::new(began())) } else { Entry::Ended(Box::new(ended())) };
        let record = Record {
            number,
            previous: chain.last().map_or_else(|| Sealed::NOTHING.to_owned(), |before| before.digest.clone()),
            run: format!("run-{}", number.div_ceil(2)),
            at: format!("2026-11-22T12:{number:02}:00Z"),
            entry,
        };
        chain.push(Sealed::seal(&record).unwrap());
    }
    chain
}
