//! The host's name, now and at boot.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ResourceType;
use crate::change::{Change, Differ};
use crate::host::{Attributes, Host};
use crate::step_error::StepError;

/// The host's name, now and at boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hostname {
    /// Host name.
    pub name: String,
}

/// What the host calls itself.
pub struct HostnameState {
    running: String,
    at_boot: Option<String>,
}

const FILE: &str = "/etc/hostname";

impl Hostname {
    fn check(&self) -> Result<(), StepError> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // The kernel's limit.
        if self.name.len() <= 64 && self.name.split('.').all(label) {
            return Ok(());
        }
        let error = StepError::new(format!("`{}` is not a host name", self.name.escape_default()));
        Err(error.hint("use at most 64 letters, digits and `-`, in labels separated by dots"))
    }
}

/// The first line that is no comment, as `hostname(5)` has it.
fn first_name(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
}

impl ResourceType for Hostname {
    type State = HostnameState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        let running = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(HostnameState { running, at_boot: host.read_text(Path::new(FILE))?.as_deref().and_then(first_name) })
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let mut differ = Differ::default();
        differ.field("name", Some(&state.running), Some(&self.name));
        differ.field("name at boot", state.at_boot.as_ref(), Some(&self.name));
        Ok(differ.update())
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if state.at_boot.as_ref() != Some(&self.name) {
            let attributes = Attributes::of_mode(0o644);
            host.write(Path::new(FILE), format!("{}\n", self.name).as_bytes(), attributes)?;
        }
        if state.running != self.name {
            rustix::system::sethostname(self.name.as_bytes()).map_err(|error| {
                StepError::new(format!("cannot set the host name `{}`: {error}", self.name))
                    .hint("in most containers the name is set by what starts the container")
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["web1", "web-1.example.org", "A", "1"] {
            assert!(Hostname { name: good.to_owned() }.check().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a..b", "a_b", "a b", "a\n", "é", &"a".repeat(64), &"a.".repeat(40)] {
            assert!(Hostname { name: bad.to_owned() }.check().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_file_may_have_comments() {
        assert_eq!(first_name("# ours\n\n web1 \n"), Some("web1".to_owned()));
        assert_eq!(first_name("\n"), None);
    }
}
