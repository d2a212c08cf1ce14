//! What a check asks.

use cc_agent::probe::Probe;

use crate::outside::Outside;
use crate::scene::HostScene;

/// What a check wants to know about a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// It does not apply, for this reason.
    Skip(String),
    /// Only a person can answer, for this reason.
    Attest(String),
    /// Answers to these questions; none for what the scene alone tells.
    Measure(Vec<Question>),
}

/// One question. The same question of several checks is asked once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// Of the agent on a host.
    On {
        /// The host's name.
        host: String,
        /// What it reads.
        probe: Probe,
    },
    /// Of the operator's machine.
    Outside(Outside),
}

impl Ask {
    /// It does not apply.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Skip(reason.into())
    }

    /// Only a person can answer.
    pub fn attest(reason: impl Into<String>) -> Self {
        Self::Attest(reason.into())
    }

    /// What a host's agent reads.
    pub fn of(host: &HostScene<'_>, probes: impl IntoIterator<Item = Probe>) -> Self {
        let on = |probe| Question::On { host: host.name.clone(), probe };
        Self::Measure(probes.into_iter().map(on).collect())
    }

    /// Nothing has to be asked: the scene tells.
    pub fn nothing() -> Self {
        Self::Measure(Vec::new())
    }
}

/// The text of a file.
pub fn file(path: impl Into<String>) -> Probe {
    Probe::File { path: path.into() }
}

/// The names in a folder.
pub fn folder(path: impl Into<String>) -> Probe {
    Probe::Folder { path: path.into() }
}

/// What a program says within ten seconds. A program that needs longer is a [`Probe::Command`] with its own limit.
pub fn command(argv: &[&str]) -> Probe {
    Probe::Command { argv: argv.iter().map(|word| (*word).to_owned()).collect(), seconds: 10 }
}
