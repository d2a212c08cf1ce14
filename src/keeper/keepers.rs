//! All keepers of an environment.

use futures_util::future::join_all;

use super::{Keeper, KeeperError, Kept};

/// The keepers of an environment, one or three. What more than half of them say holds, so that one of three may be down and
/// two halves of a network that is cut never both go on.
pub struct Keepers {
    answering: Vec<Box<dyn Keeper>>,
    silent: Vec<KeeperError>,
}

/// Too few keepers answer: what the team knows cannot be read, and nothing of it changed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", too_few(.silent, .of))]
pub struct NoMajority {
    /// Those that do not answer, and why.
    pub silent: Vec<KeeperError>,
    /// How many there are.
    pub of: usize,
}

impl NoMajority {
    /// Whether all of them are out of reach, as against being there and refusing.
    pub fn is_unreachable(&self) -> bool {
        self.silent.iter().all(|error| matches!(error, KeeperError::Silent { .. }))
    }
}

impl Keepers {
    /// Those that can be asked, in the order in which everyone asks them, and why the others cannot.
    pub fn new(answering: Vec<Box<dyn Keeper>>, silent: Vec<KeeperError>) -> Self {
        Self { answering, silent }
    }

    /// How many there are, whether they answer or not.
    pub fn count(&self) -> usize {
        self.answering.len() + self.silent.len()
    }

    /// How many must agree.
    pub fn majority(&self) -> usize {
        majority(self.count())
    }

    /// Those that did not answer when they were last asked, and why.
    pub fn silent(&self) -> &[KeeperError] {
        &self.silent
    }

    /// Those that answer, for asking each.
    pub fn answering(&mut self) -> &mut [Box<dyn Keeper>] {
        &mut self.answering
    }

    /// Whether enough of them answer.
    ///
    /// # Errors
    /// When they do not.
    pub fn check(&self) -> Result<(), NoMajority> {
        if self.answering.len() >= self.majority() {
            return Ok(());
        }
        Err(NoMajority { silent: self.silent.clone(), of: self.count() })
    }

    /// The record with this key on each keeper that answers. One that does not is silent from now on.
    ///
    /// # Errors
    /// When too few answer.
    pub async fn get(&mut self, key: &str) -> Result<Vec<Option<Kept>>, NoMajority> {
        let answers = join_all(self.answering.iter_mut().map(|keeper| keeper.get(key))).await;
        let mut records = Vec::new();
        let mut asked = std::mem::take(&mut self.answering).into_iter();
        for (answer, keeper) in answers.into_iter().zip(&mut asked) {
            match answer {
                Ok(record) => {
                    records.push(record);
                    self.answering.push(keeper);
                }
                Err(error) => self.silent.push(error),
            }
        }
        self.check().map(|()| records)
    }

    /// Those that can be asked, and why the others cannot.
    pub fn into_parts(self) -> (Vec<Box<dyn Keeper>>, Vec<KeeperError>) {
        (self.answering, self.silent)
    }
}

/// More than half of so many.
pub(crate) fn majority(count: usize) -> usize {
    count / 2 + 1
}

fn too_few(silent: &[KeeperError], of: &usize) -> String {
    let reasons: Vec<String> = silent.iter().map(ToString::to_string).collect();
    let which = if *of == 1 { "the keeper".to_owned() } else { format!("{} of the {of} keepers", silent.len()) };
    format!("{which} of the environment's lock cannot be asked: {}", reasons.join("; "))
}
