//! Who may change this host: a holder of the environment's lock whom nobody has followed yet.

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::kept::{Put, Records};
use crate::step_error::StepError;

/// The key of the record with the highest fence that this host has seen.
pub const KEY: &str = "fence";

/// What the holder of an environment's lock shows with each change. A host keeps the highest that it has seen and refuses a
/// lower one: so the write of a holder who was cut off and has been followed by another comes to nothing, however late it is.
///
/// On the wire and on the disk it is text, a line for each field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fence {
    /// The lock's number: each holder's is higher than all before.
    pub token: u64,
    /// Chance, so that no two holders are the same.
    pub holder: String,
    /// Who it is, as `user@machine`.
    pub owner: String,
    /// The run that the lock is held for.
    pub run: String,
}

impl From<Fence> for String {
    fn from(fence: Fence) -> Self {
        format!("{}\n{}\n{}\n{}", fence.token, fence.holder, fence.owner, fence.run)
    }
}

impl TryFrom<String> for Fence {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(text.as_bytes()).ok_or("not the lines of a fence")
    }
}

impl Fence {
    /// The fence in a record.
    pub fn read(content: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(content).ok()?.split('\n');
        let token = lines.next()?.parse().ok()?;
        let mut line = || lines.next().map(str::to_owned);
        let fence = Self { token, holder: line()?, owner: line()?, run: line()? };
        line().is_none().then_some(fence)
    }

    /// Whether its holder may go on where `highest` has been seen.
    pub fn passes(&self, highest: &Self) -> bool {
        self.token > highest.token || (self.token == highest.token && self.holder == highest.holder)
    }

    /// Shows it to this host, which refuses every lower one from now on.
    ///
    /// # Errors
    /// When a higher one has been seen, or the record of it cannot be read or written.
    pub(crate) fn raise(&self, host: &Host) -> Result<(), StepError> {
        let records = Records::of(host);
        let content = String::from(self.clone());
        loop {
            let seen = records.get(KEY)?;
            if let Some(kept) = &seen {
                let highest = read(host, &kept.content)?;
                self.check_against(&highest)?;
                if *self == highest {
                    return Ok(());
                }
            }
            if let Put::Done(_) = records.put(KEY, content.as_bytes(), seen.as_ref().map(|kept| &kept.version))? {
                return Ok(());
            }
        }
    }

    /// Whether it is still the highest.
    ///
    /// # Errors
    /// When a higher one has been seen since it was shown.
    pub(crate) fn check(&self, host: &Host) -> Result<(), StepError> {
        match Records::of(host).get(KEY)? {
            Some(kept) => self.check_against(&read(host, &kept.content)?),
            None => Ok(()),
        }
    }

    fn check_against(&self, highest: &Self) -> Result<(), StepError> {
        if self.passes(highest) {
            return Ok(());
        }
        let (token, run, owner) = (highest.token, &highest.run, &highest.owner);
        let text = format!(
            "the run {} may change nothing here: it holds lock {}, and the run {run} of {owner} came with lock {token}",
            self.run, self.token
        );
        Err(StepError::new(text).hint("its lock was taken over: look at what the other run did, then plan again"))
    }
}

fn read(host: &Host, content: &[u8]) -> Result<Fence, StepError> {
    Fence::read(content).ok_or_else(|| {
        let path = Records::of(host).folder().join(KEY);
        StepError::new(format!("{} is damaged", path.display()))
            .hint("look at who changed it; when no run is under way, remove the file")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fence(token: u64, holder: &str) -> Fence {
        Fence { token, holder: holder.to_owned(), owner: format!("{holder}@laptop"), run: format!("r-{holder}") }
    }

    #[test]
    fn a_lower_lock_is_refused_from_the_moment_a_higher_one_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(folder.path().join("e"));
        let (old, new) = (fence(3, "ann"), fence(4, "bob"));
        old.raise(&host).unwrap();
        old.check(&host).unwrap();
        new.raise(&host).unwrap();
        let refusal = "the run r-ann may change nothing here: it holds lock 3, and the run r-bob of bob@laptop came with \
                       lock 4";
        assert_eq!(old.check(&host).unwrap_err().message, refusal);
        assert_eq!(old.raise(&host).unwrap_err().message, refusal);
        new.raise(&host).unwrap();
        new.check(&host).unwrap();
    }

    /// As when keepers were restored from an old copy and gave the same number twice.
    #[test]
    fn of_two_holders_with_the_same_number_the_first_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(folder.path().join("e"));
        fence(3, "ann").raise(&host).unwrap();
        assert!(fence(3, "bob").raise(&host).is_err());
        fence(3, "ann").raise(&host).unwrap();
    }

    #[test]
    fn a_damaged_record_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let host = Host::new(folder.path().join("e"));
        for damaged in [&b"3\nann\nann@laptop"[..], b"x\nann\nann@laptop\nr", b"3\na\nb\nc\nd", b"\xff", b""] {
            let seen = Records::of(&host).get(KEY).unwrap().map(|kept| kept.version);
            Records::of(&host).put(KEY, damaged, seen.as_ref()).unwrap();
            let error = fence(1, "ann").raise(&host).unwrap_err();
            assert!(error.message.ends_with("kept/fence is damaged"), "{error}");
        }
    }

    #[test]
    fn comes_back_from_the_wire() {
        let sent = fence(3, "ann");
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Fence>(&text).unwrap(), sent);
        assert!(serde_json::from_str::<Fence>("\"3\"").is_err());
    }
}
