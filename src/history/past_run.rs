//! A run of the past.

use serde::Serialize;

use super::began::Began;
use super::ended::{Ended, StepResult};
use super::record::{Entry, Record};

/// A run of the past: its two records put together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastRun {
    /// Its name.
    pub run: String,
    /// When it began; nothing where that record is not at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_at: Option<String>,
    /// When it ended; nothing where no end was written: it is still at work, or its controller died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// One or two words: `ok`, `failed`, `no end`.
    pub result: String,
    /// The numbers of its records.
    pub records: Vec<u64>,
    /// What was known before its first change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<Began>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

impl PastRun {
    /// The runs that records tell of, the newest first.
    pub fn all(records: &[Record]) -> Vec<Self> {
        let mut records: Vec<&Record> = records.iter().collect();
        records.sort_by_key(|record| record.number);
        let mut runs: Vec<Self> = Vec::new();
        for record in records {
            let index = runs.iter().position(|known| known.run == record.run).unwrap_or_else(|| {
                runs.push(Self::unknown(&record.run));
                runs.len() - 1
            });
            runs[index].add(record);
        }
        runs.reverse();
        runs
    }

    fn unknown(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            began_at: None,
            ended_at: None,
            result: "no end".to_owned(),
            records: Vec::new(),
            began: None,
            ended: None,
        }
    }

    fn add(&mut self, record: &Record) {
        self.records.push(record.number);
        match &record.entry {
            Entry::Began(began) => {
                self.began_at = Some(record.at.clone());
                self.began = Some((**began).clone());
            }
            Entry::Ended(ended) => {
                self.ended_at = Some(record.at.clone());
                self.result = result(ended.exit_code);
                self.ended = Some((**ended).clone());
            }
        }
    }

    /// What was run, for a person: `deploy: 2 to create on 1 host`.
    pub fn what(&self) -> String {
        self.began.as_ref().map_or_else(String::new, |began| format!("{}: {}", began.command, began.plan.summary()))
    }

    /// Steps that failed, with their hosts.
    pub fn failed_steps(&self) -> impl Iterator<Item = (&str, &StepResult)> {
        let hosts = self.ended.iter().flat_map(|ended| &ended.hosts);
        let steps = hosts.flat_map(|host| host.steps.iter().map(|step| (host.summary.host.as_str(), step)));
        steps.filter(|(_, step)| step.error.is_some())
    }
}

/// An exit code in words.
fn result(code: u8) -> String {
    let word = match code {
        0 => "ok",
        1 => "failed",
        3 => "checks failed",
        4 => "unreachable",
        5 => "locked",
        6 => "rolled back",
        130 => "interrupted",
        _ => return format!("exit code {code}"),
    };
    word.to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn records_become_runs_in_whatever_order_they_come() {
        let mut records: Vec<Record> = sample::chain(3).iter().map(|sealed| sealed.record().unwrap()).collect();
        records.reverse();
        let runs = PastRun::all(&records);
        let seen: Vec<_> =
            runs.iter().map(|run| (run.run.as_str(), run.result.as_str(), run.records.as_slice())).collect();
        assert_eq!(seen, [("run-2", "no end", &[3][..]), ("run-1", "ok", &[1, 2])]);
    }
}
