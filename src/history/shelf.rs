//! The history as one keeper has it.

use std::collections::BTreeSet;

use super::chain::Copy;
use crate::keeper::{Keeper, KeeperError, Put, Version};

/// Where records stand at a keeper: `history/00000042`. The number alone is the key, so that of two who write the next record
/// at the same time one is told.
const FOLDER: &str = "history";

/// The history as one keeper has it.
pub(super) struct Shelf {
    keeper: Box<dyn Keeper>,
    place: String,
}

/// How the writing of a record ended.
pub(super) enum Written {
    /// It stands there; with this version, if it was not there already.
    Done(Option<Version>),
    /// Another one stands there.
    Taken,
}

impl Shelf {
    /// At a keeper, under its own name or another one.
    pub(super) fn new(keeper: Box<dyn Keeper>, place: Option<&str>) -> Self {
        let place = place.unwrap_or(keeper.name()).to_owned();
        Self { keeper, place }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The numbers of its records, and what stands among them and is none.
    pub(super) async fn numbers(&mut self) -> Result<(BTreeSet<u64>, Vec<String>), KeeperError> {
        let (mut numbers, mut strangers) = (BTreeSet::new(), Vec::new());
        for found in self.keeper.list(FOLDER).await? {
            // Eight digits last for ever; more of them are somebody's joke.
            let name = found.rsplit('/').next().filter(|name| name.len() == 8);
            match name.and_then(|name| name.parse().ok()).filter(|number| *number > 0 && key(*number) == found) {
                Some(number) => drop(numbers.insert(number)),
                None => strangers.push(found),
            }
        }
        Ok((numbers, strangers))
    }

    pub(super) async fn read(&mut self, number: u64) -> Result<Option<Vec<u8>>, KeeperError> {
        Ok(self.keeper.get(&key(number)).await?.map(|kept| kept.content))
    }

    /// Writes a record where none stands.
    pub(super) async fn write(&mut self, number: u64, bytes: &[u8]) -> Result<Written, KeeperError> {
        Ok(match self.keeper.put(&key(number), bytes, None).await? {
            Put::Done(version) => Written::Done(Some(version)),
            // The answer to an earlier attempt was lost.
            Put::Moved(Some(kept)) if kept.content == bytes => Written::Done(None),
            Put::Moved(_) => Written::Taken,
        })
    }

    /// Takes back a record that too few have accepted. One that cannot be taken back is found by the next who appends.
    pub(super) async fn take_back(&mut self, number: u64, version: &Version) {
        let _ = self.keeper.remove(&key(number), version).await;
    }

    /// Everything that stands there.
    pub(super) async fn copy(&mut self) -> Result<Copy, KeeperError> {
        let (numbers, strangers) = self.numbers().await?;
        let mut copy = Copy { place: self.place.clone(), strangers, ..Copy::default() };
        for number in numbers {
            copy.records.extend(self.read(number).await?.map(|bytes| (number, bytes)));
        }
        Ok(copy)
    }
}

fn key(number: u64) -> String {
    format!("{FOLDER}/{number:08}")
}
