//! Why a hook did not succeed.

use std::time::Duration;

/// Why a hook did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It could not be started.
    #[error("cannot be run: {0}")]
    Start(String),
    /// It said so.
    #[error("ended with exit code {0}")]
    Code(i32),
    /// A signal ended it.
    #[error("was ended by signal {0}")]
    Signal(i32),
    /// It took too long, and was ended with everything that it had started.
    #[error("was ended after {} s, which is its time limit", .0.as_secs())]
    Late(Duration),
    /// The person at the keyboard stopped it.
    #[error("was interrupted")]
    Interrupted,
}

impl Failure {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Start(_) => "its first line must name the program that runs it: `#!/bin/sh`",
            Self::Code(_) | Self::Signal(_) => "what it printed stands above; `--no-hooks` leaves all hooks out",
            Self::Late(_) => "`--hook-timeout SECONDS` gives hooks more time; `--no-hooks` leaves all of them out",
            Self::Interrupted => "`--no-hooks` leaves all hooks out",
        }
    }
}
