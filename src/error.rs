//! The one error that reaches a person, and the one place where it becomes an exit code.

use std::fmt;

/// What kind of failure it is; scripts see it as the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something failed.
    Failed,
    /// Changes are pending (`plan --detailed-exitcode`).
    Pending,
    /// Health checks or the smoke test failed.
    ChecksFailed,
    /// Some hosts were unreachable; nothing failed on the others.
    Unreachable,
    /// Somebody else holds the environment's lock, a run is at work, or it is frozen.
    Locked,
    /// The command line is wrong.
    Usage,
    /// Ctrl-C.
    Interrupted,
}

impl Kind {
    /// The exit code, as `--help` documents it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Pending => 2,
            Self::ChecksFailed => 3,
            Self::Unreachable => 4,
            Self::Locked => 5,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }
}

/// What went wrong, and what to do.
#[derive(Debug)]
pub struct CliError {
    /// Decides the exit code.
    pub kind: Kind,
    /// The thing, the place and the reason, in one sentence; empty when everything has been reported already.
    pub message: String,
    /// What to do, one line each.
    pub hints: Vec<String>,
}

impl CliError {
    /// A failure.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, message: message.into(), hints: Vec::new() }
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), hints: Vec::new() }
    }

    /// Checks that were not passed.
    pub fn checks_failed(message: impl Into<String>) -> Self {
        Self { kind: Kind::ChecksFailed, message: message.into(), hints: Vec::new() }
    }

    /// Everything has been said; only the exit code is left.
    pub fn reported(kind: Kind) -> Self {
        Self { kind, message: String::new(), hints: Vec::new() }
    }

    /// The library speaks of `secrets set`, whatever the environment; here it is known.
    #[must_use]
    pub fn in_environment(mut self, environment: &str) -> Self {
        for hint in &mut self.hints {
            *hint = hint.replace("`secrets ", &format!("`cc-cloud {environment} secrets "));
        }
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

impl From<crate::rehearsal::RehearsalError> for CliError {
    fn from(error: crate::rehearsal::RehearsalError) -> Self {
        // The remedy is the last line of its message.
        let text = error.to_string();
        match text.split_once("hint: ") {
            Some((message, hint)) => Self::failed(message.trim_end()).hint(hint),
            None => Self::failed(text),
        }
    }
}

impl From<crate::ssh::AgentBinaryError> for CliError {
    fn from(error: crate::ssh::AgentBinaryError) -> Self {
        Self::failed(error.to_string()).hint(error.hint())
    }
}

impl From<crate::secrets::Error> for CliError {
    fn from(error: crate::secrets::Error) -> Self {
        let kind = match error {
            crate::secrets::Error::Interrupted => Kind::Interrupted,
            crate::secrets::Error::Name(_) | crate::secrets::Error::Recipient(_) => Kind::Usage,
            _ => Kind::Failed,
        };
        Self { kind, message: error.to_string(), hints: error.hints() }
    }
}
