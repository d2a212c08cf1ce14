//! A folder of this machine as a keeper.

use std::future::ready;
use std::path::PathBuf;

use cc_agent::host::Host;
use cc_agent::kept::Records;
use cc_agent::protocol::StepError;

use super::{Answer, Keeper, KeeperError, Kept, Put, Removed, Version};

/// Keeps records in a folder of this machine, as the agent does on a host: what tests of locks and history use.
pub struct FolderKeeper {
    name: String,
    host: Host,
}

impl FolderKeeper {
    /// Keeps records in the folder `kept` of this one, an absolute path; nothing is created before the first is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { name: format!("folder {}", folder.display()), host: Host::new(folder) }
    }

    /// The files are small and near: they are read and written at once.
    fn answer<'a, T: Send + 'a>(&self, work: impl FnOnce(&Records) -> Result<T, StepError>) -> Answer<'a, T> {
        let refused = |error: StepError| KeeperError::Refused {
            keeper: self.name.clone(),
            reason: error.message,
            hint: error.hint,
        };
        Box::pin(ready(work(&Records::of(&self.host)).map_err(refused)))
    }
}

impl Keeper for FolderKeeper {
    fn name(&self) -> &str {
        &self.name
    }

    fn get<'a>(&'a mut self, key: &'a str) -> Answer<'a, Option<Kept>> {
        self.answer(|records| records.get(key))
    }

    fn put<'a>(&'a mut self, key: &'a str, content: &'a [u8], seen: Option<&'a Version>) -> Answer<'a, Put> {
        self.answer(|records| records.put(key, content, seen))
    }

    fn list<'a>(&'a mut self, folder: &'a str) -> Answer<'a, Vec<String>> {
        self.answer(|records| records.list(folder))
    }

    fn remove<'a>(&'a mut self, key: &'a str, seen: &'a Version) -> Answer<'a, Removed> {
        self.answer(|records| records.remove(key, seen))
    }
}
