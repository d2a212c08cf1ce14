//! A command that runs when its guard says so.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Always, ResourceType};
use crate::change::{Change, ChangeKind};
use crate::host::{CommandLine, Host};
use crate::secret::contains_token;
use crate::step_error::StepError;

/// A command that runs when its guard says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What it does, for the plan.
    pub name: String,
    /// Program and arguments, without a shell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// A line for `sh -eu -c` instead of `argv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// Runs only while this path does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creates: Option<String>,
    /// Runs only while this `sh` line fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<String>,
    /// `always`: runs in every deploy and says so in every plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Always>,
    /// Working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// User to run as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment; may hold secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Standard input; may hold secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// Seconds until it is killed.
    #[serde(default = "ten_minutes")]
    pub timeout: u64,
}

fn ten_minutes() -> u64 {
    600
}

/// Whether a [`Command`] has something to do.
pub enum CommandState {
    /// It runs, and why.
    Due(String),
    /// Its guard holds.
    Done,
}

impl ResourceType for Command {
    type State = CommandState;

    fn observe(&self, host: &Host) -> Result<CommandState, StepError> {
        self.validate()?;
        if let Some(path) = &self.creates {
            return Ok(match host.stat(Path::new(path))? {
                Some(_) => CommandState::Done,
                None => CommandState::Due(format!("{path} does not exist")),
            });
        }
        let Some(guard) = &self.unless else {
            return Ok(CommandState::Due("it runs in every deploy".to_owned()));
        };
        if self.holds(guard, host)? {
            Ok(CommandState::Done)
        } else {
            Ok(CommandState::Due("its guard says so".to_owned()))
        }
    }

    fn diff(&self, state: &CommandState, host: &Host) -> Result<Change, StepError> {
        Ok(match state {
            CommandState::Done => Change::none(),
            CommandState::Due(why) => Change::of(ChangeKind::Run).note(why.clone()).note(self.line(host).masked()),
        })
    }

    fn apply(&self, _: &CommandState, host: &Host) -> Result<(), StepError> {
        let mut command = self.line(host).timeout(Duration::from_secs(self.timeout));
        if let Some(text) = &self.stdin {
            command = command.stdin(text);
        }
        command.run()?;
        let hint = "a command must make its guard true, or it runs in every deploy: then say `changes: always`";
        let text = match (&self.creates, &self.unless) {
            (Some(path), _) if host.stat(Path::new(path))?.is_none() => {
                format!("`{}` succeeded, but {path} still does not exist", self.name)
            }
            (None, Some(guard)) if !self.holds(guard, host)? => {
                format!("`{}` succeeded, but its guard `{}` still fails", self.name, guard)
            }
            _ => return Ok(()),
        };
        Err(StepError::new(text).hint(hint))
    }
}

impl Command {
    fn validate(&self) -> Result<(), StepError> {
        let shown = self.argv.iter().chain(&self.shell).chain(&self.unless);
        if shown.into_iter().any(|text| contains_token(text)) {
            let text = format!(
                "the command `{}` has a secret among its words, which everyone on the host could read",
                self.name
            );
            return Err(StepError::new(text).hint("pass the secret in `env` or `stdin`"));
        }
        let wrong = match (self.argv.is_empty(), &self.shell) {
            (true, None) => "has neither `argv` nor `shell`",
            (false, Some(_)) => "has both `argv` and `shell`",
            _ if self.creates.is_none() && self.unless.is_none() && self.changes.is_none() => {
                "has no `creates`, `unless` or `changes: always`"
            }
            _ => return Ok(()),
        };
        Err(StepError::new(format!("the command `{}` {wrong}", self.name)))
    }

    /// The command as it runs, but for its input and time limit.
    fn line<'h>(&self, host: &'h Host) -> CommandLine<'h> {
        let command = match &self.shell {
            Some(line) => host.shell(line),
            None => host.command(self.argv.iter().cloned()),
        };
        self.placed(command)
    }

    /// User, directory and environment, which the guard shares with the command.
    fn placed<'h>(&self, mut command: CommandLine<'h>) -> CommandLine<'h> {
        for (name, value) in &self.env {
            command = command.env(name, value);
        }
        if let Some(user) = &self.user {
            command = command.user(user);
        }
        if let Some(cwd) = &self.cwd {
            command = command.cwd(cwd);
        }
        command
    }

    /// Whether the guard succeeds. One that could not run at all has no answer, which is an error rather than a no.
    fn holds(&self, guard: &str, host: &Host) -> Result<bool, StepError> {
        let command = self.placed(host.shell(guard)).timeout(Duration::from_secs(self.timeout));
        let output = command.output()?;
        match output.status {
            0 => Ok(true),
            126 | 127 | 129.. => {
                let failed = command.failed(&output);
                let text = format!("the guard of `{}` cannot run: {}", self.name, failed.message);
                let hint =
                    failed.hint.clone().unwrap_or_else(|| "add a step for the package that has its command".to_owned());
                Err(StepError { message: text, hint: Some(hint), ..failed })
            }
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resource::tests::Bench;
    use crate::secret::token;

    fn command(value: serde_json::Value) -> Command {
        let mut value = value;
        value["name"] = "test".into();
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn creates_and_unless_run_it_once() {
        let bench = Bench::new();
        let path = bench.path("made");
        let change = bench.converge(&command(serde_json::json!({"argv": ["touch", path], "creates": path})));
        assert_eq!(change.kind, ChangeKind::Run);
        std::fs::remove_file(&path).unwrap();
        let guarded = serde_json::json!({"shell": "cat > made", "stdin": token("pw", &[]), "unless": "test -e made", "cwd": bench.path("")});
        bench.converge(&command(guarded));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hunter22");
    }

    #[test]
    fn always_is_always_due() {
        let bench = Bench::new();
        let always = command(serde_json::json!({"argv": ["true"], "changes": "always"}));
        let state = always.observe(&bench.host).unwrap();
        always.apply(&state, &bench.host).unwrap();
        assert_eq!(always.diff(&state, &bench.host).unwrap().kind, ChangeKind::Run);
    }

    #[test]
    fn a_guard_that_cannot_run_is_an_error() {
        let bench = Bench::new();
        for value in [
            serde_json::json!({"argv": ["true"], "unless": "no-such-program"}),
            serde_json::json!({"argv": ["true"], "unless": "true", "user": "nobody-here"}),
            serde_json::json!({"argv": ["true"], "unless": "kill -9 $$"}),
            serde_json::json!({"argv": ["true"], "unless": "sleep 9", "timeout": 0}),
            serde_json::json!({"argv": ["true"]}),
            serde_json::json!({"shell": format!("echo {}", token("pw", &[])), "changes": "always"}),
        ] {
            assert!(command(value.clone()).observe(&bench.host).is_err(), "{value}");
        }
    }

    #[test]
    fn a_guard_that_still_fails_afterwards_is_an_error() {
        let bench = Bench::new();
        let wrong = command(serde_json::json!({"argv": ["true"], "unless": "false"}));
        let state = wrong.observe(&bench.host).unwrap();
        assert!(wrong.apply(&state, &bench.host).unwrap_err().message.contains("its guard `false` still fails"));
    }
}
