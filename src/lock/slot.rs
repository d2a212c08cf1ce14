//! What a [`super::Machine`] knows of one keeper.

use std::time::Duration;

use cc_agent::kept::Version;

use super::message::Sight;
use super::record::LockRecord;

/// What is known of one keeper.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// When the request was made whose answer is awaited.
    awaited_since: Option<Duration>,
    /// When the last request was made.
    asked_at: Duration,
    /// What it said when it was last looked at.
    pub sight: Option<Sight>,
    /// Whether the record there is the own one.
    pub mine: Mine,
    /// When the own record was last written, at the earliest.
    pub confirmed: Option<Duration>,
    /// Who has taken its record away from the holder.
    pub foreign: Option<LockRecord>,
    /// Whether the record that says that it is over was sent.
    pub said_goodbye: bool,
    /// The record that is watched, and since when it has stood still.
    watched: Option<(LockRecord, Duration)>,
}

/// Whether the record on a keeper is the own one.
#[derive(Clone, Debug, Default)]
pub(super) enum Mine {
    #[default]
    No,
    /// A write had no answer.
    Unsure,
    /// It is, in this version.
    Yes(Version),
}

impl Slot {
    pub fn is_busy(&self) -> bool {
        self.awaited_since.is_some()
    }

    pub fn asked(&mut self, now: Duration) {
        (self.awaited_since, self.asked_at) = (Some(now), now);
    }

    /// The answer has come; gives the time of the question.
    pub fn answered(&mut self) -> Duration {
        self.awaited_since = None;
        self.asked_at
    }

    /// Watches the record: it was like this before `now`.
    pub fn watch(&mut self, record: Option<&LockRecord>, now: Duration) {
        let same = |(watched, _): &(LockRecord, Duration)| Some(watched) == record;
        if !self.watched.as_ref().is_some_and(same) {
            self.watched = record.map(|record| (record.clone(), now));
        }
    }

    /// Whether the record that was seen last is that of a holder who has ended, or has stood still for its lease while it was
    /// watched: from the first answer that had it to the last question.
    pub fn is_expired(&self) -> bool {
        let gone = self.sight.as_ref().is_some_and(|sight| sight.gone);
        gone || self.watched.as_ref().is_some_and(|(record, since)| {
            self.asked_at.saturating_sub(*since) >= Duration::from_secs(record.lease_seconds)
        })
    }
}
