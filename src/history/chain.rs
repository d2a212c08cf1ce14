//! Whether what is kept is what was written.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Fault;
use super::sealed::{Broken, Sealed};

/// What one place has of the history.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// The place, for messages: `host db1`.
    pub place: String,
    /// What stands there, by the number that it stands under.
    pub records: BTreeMap<u64, Vec<u8>>,
    /// Keys of what stands among the records and is none.
    pub strangers: Vec<String>,
    /// Whether it may have less than the others: a cache has what somebody has read.
    pub partial: bool,
}

/// The history, as far as it is sound somewhere.
#[derive(Debug, Default)]
pub struct Chain {
    /// Records in the order of their numbers; those that are sound nowhere are absent.
    pub records: Vec<Sealed>,
    /// Everything that is wrong, in the order of the numbers.
    pub faults: Vec<Fault>,
}

impl Chain {
    /// Compares the copies with themselves and with each other.
    pub fn of(copies: &[Copy]) -> Self {
        let last = copies.iter().filter_map(|copy| copy.records.keys().max()).max().copied().unwrap_or_default();
        let opened: Vec<Opened> = copies.iter().map(Opened::of).collect();
        let mut faults: Vec<Fault> = opened.iter().flat_map(|copy| copy.faults(last)).collect();
        faults.extend(first_difference(&opened));
        faults.sort_by_key(Fault::number);
        let numbers: BTreeSet<u64> = opened.iter().flat_map(|copy| copy.sound.keys().copied()).collect();
        let records =
            numbers.iter().filter_map(|number| opened.iter().find_map(|copy| copy.sound.get(number))).cloned();
        Self { records: records.collect(), faults }
    }
}

/// A copy with its records read.
struct Opened<'c> {
    copy: &'c Copy,
    sound: BTreeMap<u64, Sealed>,
    broken: BTreeMap<u64, Broken>,
}

impl<'c> Opened<'c> {
    fn of(copy: &'c Copy) -> Self {
        let (mut sound, mut broken) = (BTreeMap::new(), BTreeMap::new());
        for (number, bytes) in &copy.records {
            match Sealed::open(bytes) {
                Ok(sealed) => drop(sound.insert(*number, sealed)),
                Err(why) => drop(broken.insert(*number, why)),
            }
        }
        Self { copy, sound, broken }
    }

    /// What is wrong with it by itself, where the whole history ends with this number.
    fn faults(&self, last: u64) -> Vec<Fault> {
        let place = || self.copy.place.clone();
        let changed = self.broken.iter().map(|(number, why)| Fault::Changed {
            number: *number,
            place: place(),
            why: why.clone(),
        });
        let mut faults: Vec<Fault> = changed.collect();
        for (number, sealed) in &self.sound {
            if sealed.number != *number {
                faults.push(Fault::Moved { number: *number, place: place(), says: sealed.number });
            } else if self.previous(*number).is_some_and(|digest| digest != sealed.previous) {
                faults.push(Fault::Unlinked { number: *number, place: place() });
            }
        }
        let stranger = |key: &String| Fault::Stranger { key: key.clone(), place: place() };
        faults.extend(self.copy.strangers.iter().map(stranger));
        if !self.copy.partial {
            faults.extend(self.gaps(last).into_iter().map(|(first, last)| Fault::Missing {
                first,
                last,
                place: place(),
            }));
        }
        faults
    }

    /// The digest that the record with this number must name; none where the one before is no good witness.
    fn previous(&self, number: u64) -> Option<&str> {
        match number {
            0 | 1 => Some(Sealed::NOTHING),
            _ => self
                .sound
                .get(&(number - 1))
                .filter(|before| before.number == number - 1)
                .map(|before| before.digest.as_str()),
        }
    }

    /// Numbers that it lacks, as first and last of each run of them.
    fn gaps(&self, last: u64) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut next = 1;
        for number in self.copy.records.keys().copied().chain([last.saturating_add(1)]) {
            if number > next {
                gaps.push((next, number - 1));
            }
            next = number.saturating_add(1);
        }
        gaps
    }
}

/// The first record that is sound in two places and not the same there. Those after it follow from it.
fn first_difference(copies: &[Opened]) -> Option<Fault> {
    let numbers: BTreeSet<u64> = copies.iter().flat_map(|copy| copy.sound.keys().copied()).collect();
    numbers.into_iter().find_map(|number| {
        let mut sides: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for copy in copies {
            if let Some(sealed) = copy.sound.get(&number).filter(|sealed| sealed.number == number) {
                sides.entry(&sealed.digest).or_default().push(copy.copy.place.clone());
            }
        }
        let mut sides: Vec<Vec<String>> = sides.into_values().collect();
        sides.sort();
        (sides.len() > 1).then_some(Fault::Differs { number, sides })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::sample;
    use super::*;

    fn copy(place: &str, records: &[Sealed]) -> Copy {
        let records = records.iter().map(|sealed| (sealed.number, sealed.bytes.clone())).collect();
        Copy { place: place.to_owned(), records, ..Copy::default() }
    }

    fn faults(copies: &[Copy]) -> Vec<String> {
        Chain::of(copies).faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_was_written_is_found_whole() {
        let records = sample::chain(6);
        let chain = Chain::of(&[copy("a", &records), copy("b", &records)]);
        assert_eq!((chain.faults, chain.records), (Vec::new(), records));
        assert_eq!(Chain::of(&[]).records, Vec::new());
    }

    #[test]
    fn a_missing_record_is_named_wherever_it_was() {
        let records = sample::chain(6);
        assert_eq!(
            faults(&[copy("a", &[&records[..2], &records[4..]].concat())]),
            ["records 3 and 4 are missing on a"]
        );
        assert_eq!(faults(&[copy("a", &records[1..])]), ["record 1 is missing on a"]);
        let short = [copy("a", &records[..3]), copy("b", &records)];
        assert_eq!(faults(&short), ["records 4 to 6 are missing on a"], "only another place knows of the end");
        let cache = Copy { partial: true, ..copy("this machine", &records[2..4]) };
        assert_eq!(faults(&[cache, copy("b", &records)]), [""; 0], "a cache may have a part");
    }

    #[test]
    fn exchanged_records_are_named() {
        let mut exchanged = copy("a", &sample::chain(4));
        let (two, three) = (exchanged.records[&2].clone(), exchanged.records[&3].clone());
        exchanged.records.extend([(2, three), (3, two)]);
        assert_eq!(
            faults(&[exchanged]),
            ["record 3 stands in the place of record 2 on a", "record 2 stands in the place of record 3 on a"]
        );
    }

    #[test]
    fn a_record_that_was_replaced_by_a_sound_one_is_named() {
        let records = sample::chain(5);
        let mut forged = records[2].record().unwrap();
        forged.run = "another".to_owned();
        let mut replaced = records.clone();
        replaced[2] = Sealed::seal(&forged).unwrap();
        assert_eq!(
            faults(&[copy("a", &replaced)]),
            ["record 4 on a does not follow record 3: one of them was replaced"]
        );
        let both = [copy("a", &replaced), copy("b", &records), copy("c", &records)];
        assert_eq!(
            faults(&both),
            [
                "record 3 is not the same on a as on b and c",
                "record 4 on a does not follow record 3: one of them was replaced",
            ]
        );
        // Also the newest, which no later record names.
        let newest = Sealed::seal(&forged_newest(&records)).unwrap();
        let replaced = [&records[..4], &[newest]].concat();
        assert_eq!(faults(&[copy("a", &replaced), copy("b", &records)]), ["record 5 is not the same on a as on b"]);
    }

    fn forged_newest(records: &[Sealed]) -> super::super::Record {
        let mut forged = records[4].record().unwrap();
        forged.at = "2020-01-01T00:00:00Z".to_owned();
        forged
    }

    proptest! {
        #[test]
        fn any_change_of_one_byte_is_found_and_named(length in 1_u64..6, seed: prop::sample::Index, at: prop::sample::Index, other: u8) {
            let records = sample::chain(length);
            let mut changed = copy("a", &records);
            let number = seed.index(records.len()) as u64 + 1;
            let bytes = changed.records.get_mut(&number).unwrap();
            let place = at.index(bytes.len());
            prop_assume!(bytes[place] != other);
            bytes[place] = other;
            let found = Chain::of(&[changed]).faults;
            prop_assert_eq!(found.len(), 1, "{:?}", found);
            prop_assert!(matches!(&found[0], Fault::Changed { number: named, .. } if *named == number), "{:?}", found);
        }

        #[test]
        fn any_bytes_can_be_looked_at(contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5)) {
            let records = contents.into_iter().enumerate().map(|(index, bytes)| (index as u64, bytes)).collect();
            Chain::of(&[Copy { place: "a".to_owned(), records, ..Copy::default() }]);
        }
    }
}
