//! Keeping the team's records.

use super::lock::busy;
use super::session::Session;
use crate::fence::Fence;
use crate::hex::Hex;
use crate::kept::{Put, Records, Removed, Version};
use crate::last_run::is_alive;
use crate::protocol::Reply;
use crate::step_error::StepError;

impl Session<'_> {
    /// Refuses the changes of earlier holders of the lock from now on, unless a run is at work here: that one comes to the end of
    /// its stage, whoever followed on its controller.
    pub(super) fn raise(&self, fence: &Fence) -> Result<(), StepError> {
        if is_alive(self.host.state()) {
            return Err(busy(self.host.state()));
        }
        fence.raise(&self.host)
    }

    /// Reads, writes or removes a record, or lists those below a key.
    pub(super) fn keep(&self, key: &str, content: Option<&Hex>, seen: Option<&Version>) -> Result<Reply, StepError> {
        let records = Records::of(&self.host);
        if let Some(folder) = key.strip_suffix('/') {
            return Ok(Reply::Keys { keys: records.list(folder)? });
        }
        let (done, current) = match (content, seen) {
            (None, None) => (true, records.get(key)?),
            (Some(content), seen) => match records.put(key, &content.0, seen)? {
                Put::Done(version) => return Ok(Reply::Kept { done: true, version: Some(version), content: None }),
                Put::Moved(current) => (false, current),
            },
            (None, Some(seen)) => match records.remove(key, seen)? {
                Removed::Done => (true, None),
                Removed::Moved(current) => (false, current),
            },
        };
        let (version, content) = current.map(|kept| (kept.version, Hex(kept.content))).unzip();
        Ok(Reply::Kept { done, version, content })
    }
}
