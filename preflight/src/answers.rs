//! What was answered.

use std::collections::{BTreeMap, HashMap};

use cc_agent::probe::{Outcome, Reading};

use crate::judgement::Unmeasured;
use crate::question::Question;

/// All answers, by question.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// What was read.
    pub readings: HashMap<Question, Reading>,
    /// What is known of each host's conversation, by its name.
    pub hosts: BTreeMap<String, HostAnswers>,
}

/// What is known of a host's conversation.
#[derive(Clone, Debug, Default)]
pub struct HostAnswers {
    /// Its clock beside the operator's.
    pub clock: Option<Clock>,
    /// Why it stopped answering, when it did.
    pub lost: Option<String>,
}

/// A host's clock beside the operator's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// How far the host's clock is ahead, in seconds.
    pub ahead: f64,
    /// How wrong that may be, in seconds: half the round trip.
    pub uncertainty: f64,
}

/// The answers to one check's questions, in their order.
#[derive(Debug)]
pub struct Answered<'a> {
    pub(crate) questions: &'a [Question],
    pub(crate) answers: &'a Answers,
}

impl Answered<'_> {
    /// The outcome of a question by its place. A question that nobody answered reads as failed.
    pub fn outcome(&self, index: usize) -> &Outcome {
        static LOST: std::sync::LazyLock<Outcome> =
            std::sync::LazyLock::new(|| Outcome::Failed { why: "it was not answered".to_owned() });
        let question = self.questions.get(index);
        question.and_then(|question| self.answers.readings.get(question)).map_or(&LOST, |reading| &reading.outcome)
    }

    /// The text of a file; none where there is no such file.
    ///
    /// # Errors
    /// When it could not be read, or not as a whole.
    pub fn file(&self, index: usize) -> Result<Option<&str>, Unmeasured> {
        match self.outcome(index) {
            Outcome::Text { cut: false, text } => Ok(Some(text)),
            Outcome::Absent => Ok(None),
            other => Err(self.trouble(index, other)),
        }
    }

    /// The names in a folder; none where there is no such folder.
    ///
    /// # Errors
    /// When it could not be read.
    pub fn names(&self, index: usize) -> Result<Option<&[String]>, Unmeasured> {
        match self.outcome(index) {
            Outcome::Names { names } => Ok(Some(names)),
            Outcome::Absent => Ok(None),
            other => Err(self.trouble(index, other)),
        }
    }

    /// Standard output of a program that succeeded; none where it is not installed.
    ///
    /// # Errors
    /// When it failed, hung, or wrote too much.
    pub fn installed(&self, index: usize) -> Result<Option<&str>, Unmeasured> {
        match self.outcome(index) {
            Outcome::Ended { status: 0, cut: false, stdout, .. } => Ok(Some(stdout)),
            Outcome::Absent => Ok(None),
            other => Err(self.trouble(index, other)),
        }
    }

    /// Standard output of a program that must be there and succeed.
    ///
    /// # Errors
    /// When it is not there, failed, hung, or wrote too much.
    pub fn stdout(&self, index: usize) -> Result<&str, Unmeasured> {
        self.installed(index)?.ok_or_else(|| self.trouble(index, &Outcome::Absent))
    }

    /// Status, standard output and standard error of a program that may fail for a reason.
    ///
    /// # Errors
    /// When it is not there, hung, or wrote too much.
    pub fn ended(&self, index: usize) -> Result<(i32, &str, &str), Unmeasured> {
        match self.outcome(index) {
            Outcome::Ended { status, stdout, stderr, cut: false } => Ok((*status, stdout, stderr)),
            other => Err(self.trouble(index, other)),
        }
    }

    /// A text that is not a file: what an [`Outside`](crate::Outside) probe gave.
    ///
    /// # Errors
    /// When there is none.
    pub fn text(&self, index: usize) -> Result<&str, Unmeasured> {
        self.file(index)?.ok_or_else(|| self.trouble(index, &Outcome::Absent))
    }

    /// Microseconds of each attempt, and why the last that failed did.
    ///
    /// # Errors
    /// When there are none.
    pub fn times(&self, index: usize) -> Result<(&[Option<u32>], Option<&str>), Unmeasured> {
        match self.outcome(index) {
            Outcome::Times { micros, why } => Ok((micros, why.as_deref())),
            other => Err(self.trouble(index, other)),
        }
    }

    /// The clock of a host.
    ///
    /// # Errors
    /// When it was not told.
    pub fn clock(&self, host: &str) -> Result<Clock, Unmeasured> {
        let clock = self.answers.hosts.get(host).and_then(|host| host.clock);
        clock.ok_or_else(|| Unmeasured::new("the host did not tell its time"))
    }

    fn trouble(&self, index: usize, outcome: &Outcome) -> Unmeasured {
        let what = self.questions.get(index).map(name).unwrap_or_default();
        Unmeasured::new(match outcome {
            Outcome::Absent => format!("`{what}` is not there"),
            Outcome::Denied => format!("reading `{what}` is not allowed"),
            Outcome::Late { seconds } => format!("`{what}` gave no answer within {seconds} s"),
            Outcome::Failed { why } => format!("`{what}`: {why}"),
            Outcome::Ended { cut: true, .. } | Outcome::Text { cut: true, .. } => {
                format!("`{what}` gave more than can be read")
            }
            Outcome::Ended { status, stderr, stdout, .. } => {
                let last =
                    |text: &str| text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
                let line = last(stderr).or_else(|| last(stdout)).map(|line| format!(": {line}")).unwrap_or_default();
                format!("`{what}` exited with status {status}{line}")
            }
            _ => format!("`{what}` was answered by something else"),
        })
    }
}

/// What was asked, in a word or two: the program, the path.
fn name(question: &Question) -> String {
    use cc_agent::probe::Probe;

    use crate::outside::Outside;
    match question {
        Question::On { probe: Probe::File { path } | Probe::Folder { path }, .. } => path.clone(),
        Question::On { probe: Probe::Command { argv, .. }, .. } | Question::Outside(Outside::Command { argv, .. }) => {
            program(argv)
        }
        Question::On { probe: Probe::Listen { port }, .. } => format!("listening on port {port}"),
        Question::On { probe: Probe::Connect { address, port, .. }, .. }
        | Question::On { probe: Probe::Echo { address, port, .. }, .. }
        | Question::On { probe: Probe::Throughput { address, port, .. }, .. }
        | Question::Outside(Outside::Connect { address, port, .. } | Outside::Tls { address, port, .. })
        | Question::Outside(Outside::Smtp { address, port, .. }) => format!("{address}:{port}"),
        Question::Outside(Outside::Resolve { name, .. } | Outside::Authoritative { name, .. }) => name.clone(),
        Question::Outside(Outside::Http { url, .. }) => url.clone(),
    }
}

/// The program. A script that a shell runs is named as it calls itself: for the tool that it is about.
fn program(argv: &[String]) -> String {
    match argv {
        [shell, option, _, name, ..] if shell == "sh" && option == "-c" => name.clone(),
        [program, ..] => program.clone(),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cc_agent::probe::Probe;

    use crate::about::Phase;
    use crate::question::Question;
    use crate::trial::Trial;
    use crate::{Selection, questions};

    #[test]
    fn a_person_reads_the_name_of_the_tool_and_not_of_the_shell() {
        let mut trial = Trial::new();
        (trial.deep, trial.phase) = (true, Phase::GoLive);
        let asked: BTreeSet<Question> = questions(&trial.scene(), &Selection::default());
        let commands =
            asked.iter().filter(|question| matches!(question, Question::On { probe: Probe::Command { .. }, .. }));
        let shells: Vec<&Question> = commands.filter(|question| super::name(question) == "sh").collect();
        assert!(shells.is_empty(), "scripts without a name: {shells:?}");
    }
}
