//! A kernel parameter, now and at boot.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::plain::plain;
use super::{Content, File, Mode, Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::Host;
use crate::step_error::StepError;

/// A kernel parameter, now and at boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sysctl {
    /// Key with dots: `net.core.somaxconn`.
    pub name: String,
    /// Value.
    #[serde(default)]
    pub value: String,
    /// Whether it should be set at boot; absent leaves the running value.
    #[serde(default)]
    pub state: Presence,
}

/// What the host has of a kernel parameter.
pub struct SysctlState {
    /// The running value; `None` when this kernel has no such parameter.
    running: Option<String>,
    /// The value that our file sets at boot.
    at_boot: Option<String>,
    file: <File as ResourceType>::State,
}

impl Sysctl {
    fn check(&self) -> Result<(), StepError> {
        plain("sysctl", &self.name)?;
        plain("value", &self.value)?;
        let valid =
            |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains([' ', '\t', '=', '#']);
        if !self.name.contains(['.', '/']) || !self.name.split(['.', '/']).all(valid) {
            return Err(StepError::new(format!(
                "`{}` is not a kernel parameter such as net.core.somaxconn",
                self.name
            )));
        }
        if self.state == Presence::Present && self.value.trim().is_empty() {
            return Err(StepError::new(format!("the kernel parameter {} has no value", self.name)));
        }
        Ok(())
    }

    /// Where the kernel has it. As in sysctl(8), a `/` stands for a dot inside of a name: `net.ipv4.conf.eth0/100.forwarding`.
    pub fn path(&self) -> PathBuf {
        let path: String = self
            .name
            .chars()
            .map(|c| {
                if c == '.' {
                    '/'
                } else if c == '/' {
                    '.'
                } else {
                    c
                }
            })
            .collect();
        Path::new("/proc/sys").join(path)
    }

    /// The file that sets it at boot, one for each key.
    fn file(&self) -> File {
        // The last file wins at boot, and 99-sysctl.conf is the link to /etc/sysctl.conf.
        File {
            path: format!("/etc/sysctl.d/99-zz-cc-cloud-{}.conf", self.name.replace('/', "-")),
            content: (self.state == Presence::Present).then(|| Content::Text(self.render())),
            owner: Some("root".to_owned()),
            group: Some("root".to_owned()),
            mode: Some(Mode::new(0o644)),
            secret: false,
            state: self.state,
        }
    }

    fn render(&self) -> String {
        format!("{} = {}\n", self.name, words(&self.value))
    }

    fn set(&self) -> Result<(), StepError> {
        let path = self.path();
        fs::write(&path, words(&self.value)).map_err(|error| {
            let failed = StepError::io("set", &path, &error);
            match error.kind() {
                io::ErrorKind::NotFound => StepError::new(format!("this kernel has no parameter {}", self.name))
                    .hint("check the spelling, or load the kernel module that brings it"),
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => StepError {
                    hint: None,
                    ..failed
                }
                .hint(
                    "/proc/sys is read-only here, as in most containers: set it on the machine that runs the container",
                ),
                io::ErrorKind::InvalidInput => {
                    failed.hint(format!("the kernel does not take the value `{}`", self.value))
                }
                _ => failed,
            }
        })
    }
}

/// Values of several numbers are separated by tabs in /proc and by spaces in files.
fn words(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The value of the last assignment to the key.
fn assigned(text: &str, name: &str) -> Option<String> {
    let mut pairs = text.lines().rev().filter_map(|line| line.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| words(value))
}

impl ResourceType for Sysctl {
    type State = SysctlState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        let file = self.file();
        let at_boot = host.read_text(Path::new(&file.path))?.and_then(|text| assigned(&text, &self.name));
        let running = host.read_text(&self.path())?.map(|text| words(&text));
        Ok(SysctlState { running, at_boot, file: file.observe(host)? })
    }

    fn diff(&self, state: &Self::State, host: &Host) -> Result<Change, StepError> {
        let file = self.file().diff(&state.file, host)?;
        if self.state == Presence::Absent {
            let note = |change: Change| change.note("the running value stays until the next boot");
            return Ok(if file.is_none() { file } else { note(Change::of(ChangeKind::Delete)) });
        }
        let mut differ = Differ::default();
        differ.field("value", state.running.as_ref(), Some(words(&self.value)));
        differ.field("value at boot", state.at_boot.as_ref(), Some(words(&self.value)));
        let change = differ.update();
        // Owner, mode or text of the file that do not change what it sets.
        let change = if change.is_none() { file } else { change };
        let created = state.at_boot.is_none() && change.kind == ChangeKind::Update;
        Ok(if created { Change { kind: ChangeKind::Create, ..change } } else { change })
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        let file = self.file();
        // The running value first: one that the kernel refuses must not wait in a file for the next boot.
        if self.state == Presence::Present && state.running != Some(words(&self.value)) {
            self.set()?;
        }
        if file.diff(&state.file, host)?.is_none() { Ok(()) } else { file.apply(&state.file, host) }
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, ..self.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sysctl(name: &str, value: &str) -> Sysctl {
        Sysctl { name: name.to_owned(), value: value.to_owned(), state: Presence::Present }
    }

    #[test]
    fn keys_are_paths_with_dots_and_slashes_swapped() {
        assert_eq!(sysctl("net.core.somaxconn", "1").path(), Path::new("/proc/sys/net/core/somaxconn"));
        let vlan = sysctl("net.ipv4.conf.eth0/100.forwarding", "1");
        assert_eq!(vlan.path(), Path::new("/proc/sys/net/ipv4/conf/eth0.100/forwarding"));
        assert_eq!(vlan.file().path, "/etc/sysctl.d/99-zz-cc-cloud-net.ipv4.conf.eth0-100.forwarding.conf");
    }

    #[test]
    fn keys_that_leave_proc_sys_are_refused() {
        for name in ["net", "", "net..core", "net.core.", "a=b.c", "//etc/passwd", "net.core x"] {
            assert!(sysctl(name, "1").check().is_err(), "{name}");
        }
        assert!(sysctl("vm.swappiness", " ").check().is_err());
    }

    #[test]
    fn values_compare_by_words() {
        assert_eq!(words("32768\t60999\n"), "32768 60999");
        assert_eq!(assigned("# x\na.b=1\n a.b =  2  3\n", "a.b"), Some("2 3".to_owned()));
        assert_eq!(assigned("a.bc = 1\n", "a.b"), None);
    }

    #[test]
    fn a_parameter_without_our_file_is_created_though_the_kernel_has_it() {
        let host = Host::new("/nonexistent");
        let limit = sysctl("net.test.limit", "10");
        let state =
            SysctlState { running: Some("5".into()), at_boot: None, file: limit.file().observe(&host).unwrap() };
        let change = limit.diff(&state, &host).unwrap();
        let expected = Change::of(ChangeKind::Create).value("value", Some("5".into()), Some("10".into())).value(
            "value at boot",
            None,
            Some("10".into()),
        );
        assert_eq!(change, expected);
    }
}
