//! One keeper, as the driver of a lock speaks to it.

use cc_agent::fence::{self, Fence};
use cc_agent::kept::{Kept, Put, Version};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::message::{Event, Sight, Wrote};
use super::process;
use super::record::{KEY, LockRecord, damaged};
use crate::keeper::{Keeper, KeeperError};

/// What a keeper is to do.
pub(super) enum Job {
    /// Say what it knows of the lock.
    Look,
    /// Replace its record.
    Write(Box<LockRecord>, Option<Version>),
}

/// What came of it, and why when nothing did.
pub(super) type Answered = (Event, Option<KeeperError>);

/// One keeper with its number: it does one job after the other.
pub(super) struct Desk {
    pub number: usize,
    pub keeper: Box<dyn Keeper>,
    /// Whether a record that cannot be read is as good as none.
    pub force: bool,
}

impl Desk {
    /// Works until nobody has a job any more, or wants the answer.
    pub async fn serve(mut self, mut jobs: mpsc::UnboundedReceiver<Job>, answers: mpsc::UnboundedSender<Answered>) {
        while let Some(job) = jobs.recv().await {
            let answer = match job {
                Job::Look => self.look().await,
                Job::Write(record, seen) => self.write(*record, seen.as_ref()).await,
            };
            if answers.send(answer).is_err() {
                return;
            }
        }
    }

    async fn look(&mut self) -> Answered {
        match self.sight().await {
            Ok(sight) => (Event::Looked(self.number, Some(Box::new(sight))), None),
            Err(error) => (Event::Looked(self.number, None), Some(error)),
        }
    }

    async fn sight(&mut self) -> Result<Sight, KeeperError> {
        let kept = self.keeper.get(KEY).await?;
        let fence = self.keeper.get(fence::KEY).await?;
        let fence = fence.and_then(|kept| Fence::read(&kept.content));
        let sight = Sight { fence: fence.map_or(0, |fence| fence.token), ..read(kept) };
        if sight.record.is_none() && sight.version.is_some() && !self.force {
            return Err(damaged(self.keeper.name().to_owned(), KEY));
        }
        Ok(sight)
    }

    async fn write(&mut self, record: LockRecord, seen: Option<&Version>) -> Answered {
        let record = LockRecord { last_beat: Timestamp::now(), ..record };
        let content = match serde_json::to_vec(&record) {
            Ok(content) => content,
            Err(error) => {
                let (keeper, reason) = (self.keeper.name().to_owned(), error.to_string());
                let refused = KeeperError::Refused { keeper, reason, hint: None };
                return (Event::Wrote(self.number, Wrote::Unknown), Some(refused));
            }
        };
        let (wrote, error) = match self.keeper.put(KEY, &content, seen).await {
            Ok(Put::Done(version)) => (Wrote::Done(version), None),
            Ok(Put::Moved(kept)) => (Wrote::Moved(Box::new(read(kept))), None),
            Err(error) => (Wrote::Unknown, Some(error)),
        };
        (Event::Wrote(self.number, wrote), error)
    }
}

fn read(kept: Option<Kept>) -> Sight {
    let record = kept.as_ref().and_then(|kept| serde_json::from_slice::<LockRecord>(&kept.content).ok());
    let gone = record.as_ref().and_then(|record| record.process.as_deref()).is_some_and(process::has_ended);
    Sight { record, version: kept.map(|kept| kept.version), fence: 0, gone }
}
