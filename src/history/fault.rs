//! What is wrong with a history.

use std::fmt;

use super::sealed::Broken;

/// What is wrong with a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A record is not as it was written.
    Changed {
        /// Its number.
        number: u64,
        /// Where.
        place: String,
        /// How it shows.
        why: Broken,
    },
    /// A sound record stands under another number.
    Moved {
        /// The number that it stands under.
        number: u64,
        /// Where.
        place: String,
        /// Its own.
        says: u64,
    },
    /// Two neighbours are sound, and the later one was written after another one.
    Unlinked {
        /// The later one.
        number: u64,
        /// Where.
        place: String,
    },
    /// Records are not there.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
        /// Where.
        place: String,
    },
    /// A record is sound in several places and not the same.
    Differs {
        /// The first such.
        number: u64,
        /// The places, those that agree together.
        sides: Vec<Vec<String>>,
    },
    /// Something that is no record stands among them.
    Stranger {
        /// Its key.
        key: String,
        /// Where.
        place: String,
    },
}

impl Fault {
    /// The record that it is about; the first where there are several, none for what is no record.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Changed { number, .. }
            | Self::Moved { number, .. }
            | Self::Unlinked { number, .. }
            | Self::Differs { number, .. } => Some(*number),
            Self::Missing { first, .. } => Some(*first),
            Self::Stranger { .. } => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { number, place, why } => write!(f, "record {number} was changed on {place}: {why}"),
            Self::Moved { number, place, says } => {
                write!(f, "record {says} stands in the place of record {number} on {place}")
            }
            Self::Unlinked { number, place } => {
                let before = number.saturating_sub(1);
                write!(f, "record {number} on {place} does not follow record {before}: one of them was replaced")
            }
            Self::Missing { first, last, place } if first == last => write!(f, "record {first} is missing on {place}"),
            Self::Missing { first, last, place } => {
                let to = if last - first == 1 { "and" } else { "to" };
                write!(f, "records {first} {to} {last} are missing on {place}")
            }
            Self::Differs { number, sides } => {
                let sides: Vec<String> = sides.iter().map(|places| places.join(" and ")).collect();
                write!(f, "record {number} is not the same on {}", sides.join(" as on "))
            }
            Self::Stranger { key, place } => write!(f, "{key} on {place} is no record of the history"),
        }
    }
}
