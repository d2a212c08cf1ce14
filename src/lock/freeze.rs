//! A time in which nothing is deployed.

use cc_agent::kept::{Kept, Put, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::LockError;
use super::record::damaged;
use crate::keeper::{KeeperError, Keepers};
use crate::operator::Operator;

/// The key of the record.
const KEY: &str = "freeze";

/// A time in which nothing is deployed, or one that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Counts the freezes of an environment, so that a keeper that was down shows no older one.
    pub number: u64,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Why.
    pub why: String,
    /// Who wants it, as `user@machine`.
    pub by: String,
    /// When they said so.
    pub since: Timestamp,
    /// Who ended it before its time, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(String, Timestamp)>,
}

impl Freeze {
    /// Whether it holds at this time.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.until
    }

    /// What a person wants to know of it, after the words `the environment is frozen`.
    pub fn describe(&self) -> String {
        let end = match &self.ended {
            Some((by, at)) => format!(", ended by {by} at {at:.0}"),
            None => String::new(),
        };
        format!("until {:.0} by {} since {:.0}: {}{end}", self.until, self.by, self.since, self.why)
    }

    /// The newest freeze of an environment, whether it holds or has ended.
    ///
    /// # Errors
    /// Too few keepers answer, or none has a record that can be read.
    pub async fn read(keepers: &mut Keepers) -> Result<Option<Self>, LockError> {
        let records = keepers.get(KEY).await?;
        let newest = newest(&records);
        match records.iter().flatten().next() {
            Some(_) if newest.is_none() => {
                let keeper = keepers.answering().first().map(|keeper| keeper.name().to_owned());
                Err(damaged(keeper.unwrap_or_default(), KEY).into())
            }
            _ => Ok(newest),
        }
    }

    /// Freezes an environment.
    ///
    /// # Errors
    /// Too few keepers answer, or somebody else did so at the same time.
    pub async fn begin(
        keepers: &mut Keepers,
        until: Timestamp,
        why: &str,
        by: &Operator,
        now: Timestamp,
    ) -> Result<Self, LockError> {
        let records = keepers.get(KEY).await?;
        let number = newest(&records).map_or(0, |freeze| freeze.number) + 1;
        let freeze = Self { number, until, why: why.to_owned(), by: by.to_string(), since: now, ended: None };
        freeze.write(keepers, &records).await?;
        Ok(freeze)
    }

    /// Ends the freeze of an environment; `None` when there is none.
    ///
    /// # Errors
    /// Too few keepers answer, or somebody else did so at the same time.
    pub async fn end(keepers: &mut Keepers, by: &Operator, now: Timestamp) -> Result<Option<Self>, LockError> {
        let records = keepers.get(KEY).await?;
        let is_damaged = newest(&records).is_none() && records.iter().flatten().next().is_some();
        let ended = Some((by.to_string(), now));
        let freeze = match newest(&records).filter(|freeze| freeze.holds(now)) {
            Some(freeze) => Self { number: freeze.number + 1, ended, ..freeze },
            None if is_damaged => {
                let why = "not known: its record was damaged".to_owned();
                Self { number: 1, until: now, why, by: by.to_string(), since: now, ended }
            }
            None => return Ok(None),
        };
        freeze.write(keepers, &records).await?;
        Ok(Some(freeze))
    }

    /// Replaces what was seen on the keepers.
    async fn write(&self, keepers: &mut Keepers, seen: &[Option<Kept>]) -> Result<(), LockError> {
        let content = serde_json::to_vec(self).map_err(|error| KeeperError::Refused {
            keeper: "this machine".to_owned(),
            reason: error.to_string(),
            hint: None,
        })?;
        let (majority, mut written, mut moved, mut failed) = (keepers.majority(), 0, false, keepers.silent().to_vec());
        for (keeper, seen) in keepers.answering().iter_mut().zip(seen) {
            let seen: Option<&Version> = seen.as_ref().map(|kept| &kept.version);
            match keeper.put(KEY, &content, seen).await {
                Ok(Put::Done(_)) => written += 1,
                Ok(Put::Moved(_)) => moved = true,
                Err(error) => failed.push(error),
            }
        }
        match () {
            () if written >= majority => Ok(()),
            () if moved => Err(LockError::Raced("freeze")),
            () => Err(crate::keeper::NoMajority { silent: failed, of: keepers.count() }.into()),
        }
    }
}

fn newest(records: &[Option<Kept>]) -> Option<Freeze> {
    let read = records.iter().flatten().filter_map(|kept| serde_json::from_slice::<Freeze>(&kept.content).ok());
    read.max_by_key(|freeze| freeze.number)
}
