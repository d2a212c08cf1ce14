//! What keepers know of an environment's lock.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::LockError;
use crate::keeper::{KeeperError, Keepers};

/// The key of the record.
pub const KEY: &str = "lock";

/// Who holds the lock of an environment, or held it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRecord {
    /// Each holder's is higher than all before; hosts refuse the changes of a lower one.
    pub token: u64,
    /// Chance, so that no two holders are the same, not even two runs of one name.
    pub holder: String,
    /// The login of who holds it.
    pub owner: String,
    /// The machine that the command runs on.
    pub host: String,
    /// The run.
    pub run: String,
    /// What runs: `deploy`.
    pub command: String,
    /// Why, where somebody gave a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was taken, by the holder's clock; for people.
    pub since: Timestamp,
    /// When the record was last written, by the holder's clock; for people.
    pub last_beat: Timestamp,
    /// Counts up while the holder lives. Only that it stands still says something, to who watches it.
    pub beat: u64,
    /// Seconds that `beat` must be seen to stand still before the lock may be taken over.
    pub lease_seconds: u64,
    /// What became of it.
    pub state: State,
    /// The process that holds it, so that others on its machine can see that it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
}

/// What became of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is held, or about to be.
    Held,
    /// It was held, and given back.
    Released,
    /// Who wrote this did not get enough keepers, and never held it.
    Withdrawn,
}

impl LockRecord {
    /// What the keepers of an environment have.
    ///
    /// # Errors
    /// Too few of them answer, or a record cannot be read.
    pub async fn read(keepers: &mut Keepers) -> Result<Vec<Self>, LockError> {
        let records = keepers.get(KEY).await?;
        let names = keepers.answering().iter().map(|keeper| keeper.name().to_owned());
        let kept = names.zip(records).filter_map(|(name, kept)| Some((name, kept?)));
        kept.map(|(name, kept)| serde_json::from_slice(&kept.content).map_err(|_| damaged(name, KEY).into())).collect()
    }

    /// Whether both were written for the same taking of the lock.
    pub fn is_same(&self, other: &Self) -> bool {
        self.token == other.token && self.holder == other.holder
    }

    /// Whether this proves that `other` does not hold the lock any more: it was given back, and `other` did not come after it.
    fn ends(&self, other: &Self) -> bool {
        self.state == State::Released && (self.token > other.token || self.is_same(other))
    }

    /// What a person wants to know of the holder, in one line.
    pub fn describe(&self) -> String {
        format!(
            "{}@{}, run {}, `{}`, since {:.0}, last heartbeat {:.0}",
            self.owner, self.host, self.run, self.command, self.since, self.last_beat
        )
    }
}

/// A record that is not what is written there.
pub(super) fn damaged(keeper: String, key: &str) -> KeeperError {
    let hint = match key {
        KEY => "when no run is under way, `unlock --force --reason TEXT` writes a new one",
        _ => "`freeze` and `unfreeze` write a new one",
    };
    KeeperError::Refused { keeper, reason: format!("its record `{key}` is damaged"), hint: Some(hint.to_owned()) }
}

/// The records among these that may be a holder's.
pub fn live<'r>(records: &'r [&'r LockRecord]) -> impl Iterator<Item = &'r LockRecord> {
    let held = records.iter().copied().filter(|record| record.state == State::Held);
    held.filter(|record| !records.iter().any(|other| other.ends(record)))
}

/// Who holds the lock, by what the keepers say.
pub fn holder<'r>(records: &'r [&'r LockRecord]) -> Option<&'r LockRecord> {
    live(records).max_by_key(|record| record.token)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::lock) fn record(token: u64, holder: &str, state: State) -> LockRecord {
        LockRecord {
            token,
            holder: holder.to_owned(),
            owner: holder.to_owned(),
            host: "laptop".to_owned(),
            run: format!("run-{holder}"),
            command: "deploy".to_owned(),
            reason: None,
            since: Timestamp::UNIX_EPOCH,
            last_beat: Timestamp::UNIX_EPOCH,
            beat: 0,
            lease_seconds: 30,
            state,
            process: None,
        }
    }

    #[test]
    fn the_highest_that_nobody_has_ended_holds_it() {
        let held = |token, holder| record(token, holder, State::Held);
        let of = |records: &[LockRecord]| {
            let records: Vec<&LockRecord> = records.iter().collect();
            holder(&records).map(|record| record.holder.clone())
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[held(1, "ann"), held(2, "bob")]), Some("bob".to_owned()));
        // What a keeper that was down kept of a run that has ended since.
        assert_eq!(of(&[held(1, "ann"), record(1, "ann", State::Released)]), None);
        assert_eq!(of(&[held(1, "ann"), record(2, "bob", State::Released)]), None);
        // A number that was given twice, as by keepers that did not know of each other.
        assert_eq!(of(&[held(2, "ann"), record(2, "bob", State::Released)]), Some("ann".to_owned()));
        // Who never held it has ended nothing.
        assert_eq!(of(&[held(1, "ann"), record(2, "bob", State::Withdrawn)]), Some("ann".to_owned()));
        assert_eq!(of(&[held(3, "cy"), record(2, "bob", State::Released)]), Some("cy".to_owned()));
    }

    #[test]
    fn a_person_reads_who_holds_it() {
        assert_eq!(
            record(1, "ann", State::Held).describe(),
            "ann@laptop, run run-ann, `deploy`, since 1970-01-01T00:00:00Z, last heartbeat 1970-01-01T00:00:00Z"
        );
    }

    #[test]
    fn fields_that_are_not_known_yet_are_passed_over() {
        let mut value = serde_json::to_value(record(1, "ann", State::Held)).unwrap_or_default();
        value["from"] = "a later version".into();
        let read: LockRecord = serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read, record(1, "ann", State::Held));
    }
}
