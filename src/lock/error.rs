//! Why a lock is not held.

use super::freeze::Freeze;
use super::message::Loss;
use super::record::LockRecord;
use crate::error::{CliError, Kind};
use crate::keeper::{KeeperError, NoMajority};
use crate::run::Interrupt;

/// Why a lock is not held.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error("somebody else is at work: {}", .0.describe())]
    Held(Box<LockRecord>),
    /// Nothing may be deployed for some time.
    #[error("the environment is frozen {}", .0.describe())]
    Frozen(Box<Freeze>),
    /// Too few keepers answer.
    #[error(transparent)]
    NoMajority(#[from] NoMajority),
    /// A keeper's record is not what is written there.
    #[error(transparent)]
    Record(#[from] KeeperError),
    /// Two people wrote the same record at the same time.
    #[error("somebody else has changed the {0} at the same time")]
    Raced(&'static str),
    /// It was held, and is no longer.
    #[error("the environment's lock was lost during the run: {}", reason(.0))]
    Lost(Loss),
    /// The person did not want to wait any longer.
    #[error("interrupted")]
    Interrupted,
}

impl LockError {
    /// The error that a person sees.
    pub fn in_environment(self, environment: &str) -> CliError {
        let (kind, hints) = match &self {
            Self::Held(_) => (
                Kind::Locked,
                vec![
                    "wait for them with `--lock-timeout SECONDS`, or ask them".to_owned(),
                    format!("`cc-cloud {environment} unlock` ends the lock of a command that is not running any more"),
                ],
            ),
            Self::Frozen(_) => {
                (Kind::Locked, vec![format!("`cc-cloud {environment} unfreeze` ends it before its time")])
            }
            Self::NoMajority(few) => few.advice(),
            Self::Record(trouble) => (Kind::Failed, trouble.hint().map(str::to_owned).into_iter().collect()),
            Self::Raced(_) => (
                Kind::Locked,
                vec![format!("look at it with `cc-cloud {environment} status`, then run the command again")],
            ),
            Self::Lost(_) => (
                Kind::Locked,
                vec![
                    "what had begun was finished, nothing else was started: see what the others did, then deploy again"
                        .to_owned(),
                ],
            ),
            Self::Interrupted => return Interrupt::error(),
        };
        CliError { kind, message: self.to_string(), hints }
    }
}

impl NoMajority {
    /// What kind of failure it is, and what to do.
    fn advice(&self) -> (Kind, Vec<String>) {
        let kind = if self.is_unreachable() { Kind::Unreachable } else { Kind::Failed };
        let mut hints: Vec<String> = self.silent.iter().filter_map(|error| error.hint().map(str::to_owned)).collect();
        hints.dedup();
        let rule = "the first three hosts of the inventory keep them, or the first one where there are fewer; nothing is \
                    changed before more than half of them answer";
        hints.push(rule.to_owned());
        (kind, hints)
    }
}

fn reason(loss: &Loss) -> String {
    match loss {
        Loss::Taken(by) => format!("it was taken over by {}", by.describe()),
        Loss::Silence => "too few of the hosts that keep it answered its heartbeat".to_owned(),
    }
}
