//! What goes into a [`super::Machine`], and what comes out.

use cc_agent::kept::Version;

use super::record::LockRecord;

/// What a keeper says of the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The record; `None` when there is none, or none that can be read.
    pub record: Option<LockRecord>,
    /// What to show to replace it; `None` when there is none.
    pub version: Option<Version>,
    /// The highest token that this keeper has seen as a host.
    pub fence: u64,
    /// Whether the holder's process is known to have ended.
    pub gone: bool,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// Time goes by.
    Tick,
    /// A keeper has answered [`Command::Look`]; `None` when it did not.
    Looked(usize, Option<Box<Sight>>),
    /// A keeper has answered [`Command::Write`].
    Wrote(usize, Wrote),
    /// The lock is wanted no longer.
    Release,
}

/// How a write ended.
#[derive(Clone, Debug)]
pub enum Wrote {
    /// It is written, and has this version.
    Done(Version),
    /// Nothing was written: there is something else by now.
    Moved(Box<Sight>),
    /// No answer came: it may be written, now or later.
    Unknown,
}

/// What to do. Each command but [`Command::Tell`] has its answer as an event, in any order.
#[derive(Clone, Debug)]
pub enum Command {
    /// Ask a keeper for the lock.
    Look(usize),
    /// Replace its record, where it is still as it was seen.
    Write(usize, LockRecord, Option<Version>),
    /// Something to know.
    Tell(News),
}

/// What has become of the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Somebody else holds it, and will be waited for.
    Waiting(LockRecord),
    /// It is held.
    Taken {
        /// Its number.
        token: u64,
        /// Its holder, by the record that stands on the keepers.
        holder: String,
    },
    /// It was not got; this is the end.
    Refused(Refusal),
    /// It was held, and is no longer; [`Event::Release`] is still to come.
    Lost(Loss),
    /// It is given back, as far as keepers answer; this is the end.
    Left,
}

/// Why the lock was not got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else holds it.
    Held(Box<LockRecord>),
    /// Too few keepers answer.
    NoMajority,
}

/// Why a lock is held no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Somebody else took it over.
    Taken(Box<LockRecord>),
    /// Too few keepers answered for too long.
    Silence,
}
