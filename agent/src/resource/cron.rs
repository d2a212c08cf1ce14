//! A job in `/etc/cron.d`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cron_schedule::check_schedule;
use super::plain::plain;
use super::{Content, File, Mode, Presence, ResourceType};
use crate::change::Change;
use crate::host::Host;
use crate::secret::contains_token;
use crate::step_error::StepError;

/// Where cron looks for the jobs of packages and administrators.
const FOLDER: &str = "/etc/cron.d";

/// A job in `/etc/cron.d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// File name.
    pub name: String,
    /// Five fields or `@daily` and such.
    #[serde(default)]
    pub schedule: String,
    /// Command line for `sh`; `%` is escaped.
    #[serde(default)]
    pub command: String,
    /// User that runs it.
    #[serde(default = "root")]
    pub user: String,
    /// Environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn root() -> String {
    "root".to_owned()
}

impl Cron {
    fn check(&self) -> Result<(), StepError> {
        let named = |why: String| StepError::new(format!("the cron job `{}`: {why}", self.name.escape_default()));
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if self.name.is_empty() || !self.name.bytes().all(valid) {
            let hint =
                "cron skips files with any other character in their name, a dot too: use letters, digits, `-` and `_`";
            return Err(named("its name is not one that cron reads".to_owned()).hint(hint));
        }
        if self.state == Presence::Absent {
            return Ok(());
        }
        check_schedule(&self.schedule).map_err(named)?;
        plain("user", &self.user)?;
        if self.user.is_empty() || self.user.contains([' ', '\t']) {
            return Err(named(format!("`{}` is not a user", self.user)));
        }
        if self.command.trim().is_empty() || self.command.contains(['\n', '\r']) {
            let hint = "put several lines into a script, and run that";
            return Err(named("its command must be one line that is not empty".to_owned()).hint(hint));
        }
        self.env.iter().try_for_each(|(name, value)| {
            let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
            let valid = first && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if valid && !value.contains(['\n', '\r']) && !(value.contains('"') && value.contains('\'')) {
                return Ok(());
            }
            Err(named(format!("the variable `{name}` cannot be written in a crontab")).hint(
                "a value is one line and holds at most one kind of quotes; set others in the command or a script",
            ))
        })
    }

    fn render(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.env {
            let quote = if value.contains('"') { '\'' } else { '"' };
            text.push_str(&format!("{name}={quote}{value}{quote}\n"));
        }
        // cron would end the command at a bare `%` and pass the rest as its input.
        let command = self.command.replace('%', "\\%");
        text.push_str(&format!("{} {} {command}\n", self.schedule, self.user));
        text
    }

    /// The file behind the job. What held a secret once stays hidden.
    fn file(&self, host: &Host) -> File {
        let text = self.render();
        let private = contains_token(&text);
        File {
            path: format!("{FOLDER}/{}", self.name),
            content: (self.state == Presence::Present).then_some(Content::Text(text)),
            owner: Some("root".to_owned()),
            group: Some("root".to_owned()),
            mode: Some(Mode::new(if private { 0o600 } else { 0o644 })),
            secret: !private && host.was_secret(&format!("cron:{}", self.name)),
            state: self.state,
        }
    }
}

impl ResourceType for Cron {
    type State = <File as ResourceType>::State;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        self.file(host).observe(host)
    }

    fn diff(&self, state: &Self::State, host: &Host) -> Result<Change, StepError> {
        self.file(host).diff(state, host)
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        let written = self.file(host).apply(state, host);
        written.map_err(|error| error.hint("the folder comes with the package `cron`: add a step for it before"))
    }

    fn absent(&self) -> Option<Self> {
        // The ledger keeps this form: it must not hold what the command is given.
        let (schedule, command) = (String::new(), String::new());
        Some(Self { schedule, command, env: BTreeMap::new(), state: Presence::Absent, ..self.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn cron(json: &str) -> Cron {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_file_is_what_cron_reads() {
        let job = cron(
            r#"{"name": "backup", "schedule": "0 4 * * *", "command": "dump > /b/$(date +%F)", "user": "postgres",
                "env": {"MAILTO": "ops@example.org", "TITLE": "the \"big\" one"}}"#,
        );
        job.check().unwrap();
        assert_eq!(
            job.render(),
            "MAILTO=\"ops@example.org\"\nTITLE='the \"big\" one'\n0 4 * * * postgres dump > /b/$(date +\\%F)\n"
        );
    }

    #[test]
    fn what_cron_would_skip_in_silence_is_refused() {
        for bad in [
            r#"{"name": "a.b", "schedule": "@daily", "command": "x"}"#,
            r#"{"name": "../x", "schedule": "@daily", "command": "x"}"#,
            r#"{"name": "x", "schedule": "@often", "command": "x"}"#,
            r#"{"name": "x", "schedule": "@daily", "command": ""}"#,
            r#"{"name": "x", "schedule": "@daily", "command": "a\nb"}"#,
            r#"{"name": "x", "schedule": "@daily", "command": "a", "user": "a b"}"#,
            r#"{"name": "x", "schedule": "@daily", "command": "a", "env": {"A B": "c"}}"#,
        ] {
            assert!(cron(bad).check().is_err(), "{bad}");
        }
    }
}
