//! The history of an environment where it is kept.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::archive_error::ArchiveError;
use super::chain::Copy;
use super::record::{Entry, Record};
use super::sealed::{Sealed, hex};
use super::shelf::{Shelf, Written};
use crate::keeper::{Keeper, KeeperError};

/// How often somebody else may be faster before it is given up.
const ATTEMPTS: usize = 5;

/// Records that one run brings to a keeper that lacks them, so that a new host does not delay a deploy.
const MENDED_AT_ONCE: usize = 100;

/// What the copy on the operator's machine is called.
const HERE: &str = "this machine";

/// The history of an environment where it is kept: at its keepers, and on this machine for reading without them. Without
/// keepers this machine is the only place.
pub struct Archive {
    /// The keepers that answer, then this machine if it is not the only place.
    shelves: Vec<Shelf>,
    keepers: usize,
    /// Keepers that do not answer.
    silent: Vec<KeeperError>,
}

/// A record that is kept.
pub struct Appended {
    /// The record.
    pub sealed: Sealed,
    /// What did not go as it should, for a person; the record is safe all the same.
    pub troubles: Vec<String>,
}

/// Which numbers each shelf has; none where it did not answer.
#[derive(Default)]
struct Survey {
    numbers: Vec<Option<BTreeSet<u64>>>,
    /// All of them.
    known: BTreeSet<u64>,
    troubles: Vec<String>,
}

impl Survey {
    fn head(&self) -> u64 {
        self.known.last().copied().unwrap_or_default()
    }
}

impl Archive {
    /// At these keepers, with a copy here; others are `silent`.
    pub fn new(keepers: Vec<Box<dyn Keeper>>, silent: Vec<KeeperError>, here: Option<Box<dyn Keeper>>) -> Self {
        let alone = keepers.is_empty() && silent.is_empty();
        let mut shelves: Vec<Shelf> = keepers.into_iter().map(|keeper| Shelf::new(keeper, None)).collect();
        let keepers = shelves.len();
        shelves.extend(here.map(|keeper| Shelf::new(keeper, Some(HERE))));
        Self { keepers: if alone { shelves.len() } else { keepers }, shelves, silent }
    }

    /// Writes the next record. It is kept when a majority of the keepers has it; one that fewer have is taken back.
    ///
    /// # Errors
    /// When too few keepers can be asked or take it; nothing is kept then.
    pub async fn append(&mut self, run: &str, entry: &Entry) -> Result<Appended, ArchiveError> {
        for _ in 0..ATTEMPTS {
            let mut survey = self.survey().await;
            self.check(&survey)?;
            let record = Record {
                number: survey.head() + 1,
                previous: self.digest(survey.head()).await?,
                run: run.to_owned(),
                at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                entry: entry.clone(),
            };
            let sealed = Sealed::seal(&record).map_err(|error| ArchiveError::Form(error.to_string()))?;
            if self.write(&sealed, &mut survey).await? {
                self.mend(&mut survey).await;
                return Ok(Appended { sealed, troubles: survey.troubles });
            }
        }
        Err(ArchiveError::Overtaken { attempts: ATTEMPTS })
    }

    /// The newest records that are sound somewhere, newest first, until they are `enough`; and why some places could not be
    /// asked. What is read is remembered here.
    pub async fn newest(&mut self, enough: impl Fn(&[Record]) -> bool) -> (Vec<Record>, Vec<String>) {
        let survey = self.survey().await;
        let (mut records, mut troubles) = (Vec::new(), survey.troubles);
        let mut named = None;
        for number in survey.known.into_iter().rev() {
            if enough(&records) {
                break;
            }
            let Some(sealed) = self.sound(number, named.as_deref()).await else {
                troubles.push(format!("record {number} is sound nowhere; `history verify` says more"));
                named = None;
                continue;
            };
            if named.is_some_and(|digest| digest != sealed.digest) {
                troubles.push(format!(
                    "record {number} is not the one that the next one names; `history verify` says more"
                ));
            }
            match sealed.record() {
                Ok(record) => records.push(record),
                Err(error) => troubles.push(format!("record {number} is of another version of cc-cloud: {error}")),
            }
            named = Some(sealed.previous);
        }
        (records, troubles)
    }

    /// All that each place has, and why some could not be asked.
    pub async fn copies(&mut self) -> (Vec<Copy>, Vec<String>) {
        let (mut copies, mut troubles) = (Vec::new(), self.silent.iter().map(ToString::to_string).collect::<Vec<_>>());
        let answers = join_all(self.shelves.iter_mut().map(Shelf::copy)).await;
        for (index, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(copy) => copies.push(Copy { partial: index >= self.keepers, ..copy }),
                Err(error) => troubles.push(error.to_string()),
            }
        }
        (copies, troubles)
    }

    async fn survey(&mut self) -> Survey {
        let troubles = self.silent.iter().map(ToString::to_string).collect();
        let mut survey = Survey { troubles, ..Survey::default() };
        for answer in join_all(self.shelves.iter_mut().map(Shelf::numbers)).await {
            match answer {
                Ok((numbers, _)) => {
                    survey.known.extend(&numbers);
                    survey.numbers.push(Some(numbers));
                }
                Err(error) => {
                    survey.numbers.push(None);
                    survey.troubles.push(error.to_string());
                }
            }
        }
        survey
    }

    fn check(&self, survey: &Survey) -> Result<(), ArchiveError> {
        let able = survey.numbers.iter().take(self.keepers).flatten().count();
        match self.of() {
            0 => Err(ArchiveError::NoPlace),
            of if able >= majority(of) => Ok(()),
            of => Err(ArchiveError::TooFew { able, of, reasons: survey.troubles.join("; ") }),
        }
    }

    /// How many keepers there are, whether they answer or not.
    fn of(&self) -> usize {
        self.keepers + self.silent.len()
    }

    /// The digest that the record after this one has to name. A newest record that somebody has damaged does not stop the
    /// next run: its bytes are named as they are, and `verify` goes on naming it.
    async fn digest(&mut self, number: u64) -> Result<String, ArchiveError> {
        if number == 0 {
            return Ok(Sealed::NOTHING.to_owned());
        }
        let mut damaged = None;
        let mut reasons = Vec::new();
        for shelf in &mut self.shelves {
            match shelf.read(number).await {
                Ok(Some(bytes)) => match Sealed::open(&bytes) {
                    Ok(sealed) => return Ok(sealed.digest),
                    Err(_) => damaged = Some(hex(&bytes)),
                },
                Ok(None) => {}
                Err(error) => reasons.push(error.to_string()),
            }
        }
        damaged.ok_or_else(|| ArchiveError::Unread(reasons.join("; ")))
    }

    /// Whether the record stands at a majority now; not when another one was faster. The keepers are asked one after the other
    /// in the same order by everybody, so that the first decides between two who come at the same time.
    async fn write(&mut self, sealed: &Sealed, survey: &mut Survey) -> Result<bool, ArchiveError> {
        let (mut accepted, mut new) = (0, Vec::new());
        for (index, shelf) in self.shelves.iter_mut().enumerate().filter(|(index, _)| survey.numbers[*index].is_some())
        {
            let keeper = index < self.keepers;
            match shelf.write(sealed.number, &sealed.bytes).await {
                Ok(Written::Done(version)) => {
                    accepted += usize::from(keeper);
                    new.extend(version.map(|version| (index, version)));
                }
                Ok(Written::Taken) if keeper && accepted == 0 => return Ok(false),
                Ok(Written::Taken) => {
                    survey.troubles.push(format!("another record {} stands on {}", sealed.number, shelf.place()));
                }
                Err(error) => survey.troubles.push(error.to_string()),
            }
        }
        if accepted >= majority(self.of()) {
            return Ok(true);
        }
        for (index, version) in new {
            self.shelves[index].take_back(sealed.number, &version).await;
        }
        Err(ArchiveError::TooFew { able: accepted, of: self.of(), reasons: survey.troubles.join("; ") })
    }

    /// Brings to each keeper what it lacks: a host that was down, or that is new in the inventory.
    async fn mend(&mut self, survey: &mut Survey) {
        for index in 0..self.keepers {
            let Some(present) = &survey.numbers[index] else { continue };
            let lacking = survey.known.iter().rev().filter(|number| !present.contains(number));
            let lacking: Vec<u64> = lacking.take(MENDED_AT_ONCE).copied().collect();
            let mut mended = 0;
            for number in lacking {
                let Some(sealed) = self.sound(number, None).await else { continue };
                mended += usize::from(self.shelves[index].write(number, &sealed.bytes).await.is_ok());
            }
            if mended > 0 {
                let place = self.shelves[index].place();
                survey.troubles.push(format!("{place} lacked a part of the history; records copied there: {mended}"));
            }
        }
    }

    /// A record from a place that has it as it was written, if possible the one with the digest that is `named`: then this
    /// machine is asked first, else the keepers are. This machine keeps it from then on.
    async fn sound(&mut self, number: u64, named: Option<&str>) -> Option<Sealed> {
        let here = self.keepers..self.shelves.len();
        let order: Vec<usize> = match named {
            Some(_) => here.chain(0..self.keepers).collect(),
            None => (0..self.shelves.len()).collect(),
        };
        let mut found: Option<Sealed> = None;
        for index in order {
            let bytes = self.shelves[index].read(number).await.ok().flatten();
            let Some(sealed) = bytes.and_then(|bytes| Sealed::open(&bytes).ok()) else { continue };
            let wanted = named.is_none_or(|digest| sealed.digest == digest);
            if sealed.number == number && (wanted || found.is_none()) {
                found = Some(sealed);
            }
            if wanted && found.is_some() {
                break;
            }
        }
        if let (Some(sealed), Some(here)) = (&found, self.shelves.get_mut(self.keepers)) {
            // A copy that cannot be kept is read again next time.
            let _ = here.write(number, &sealed.bytes).await;
        }
        found
    }
}

/// More than half of so many.
fn majority(count: usize) -> usize {
    count / 2 + 1
}
