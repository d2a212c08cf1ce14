//! A systemd unit file: service, timer, socket, drop-in.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::plain::plain;
use super::{Content, File, Mode, Presence, ResourceType};
use crate::change::{Change, ChangeKind};
use crate::host::{Host, UnitState, is_unit_name};
use crate::secret::contains_token;
use crate::step_error::StepError;

/// Where an administrator's units are.
const FOLDER: &str = "/etc/systemd/system";

/// The endings of unit files.
const ENDINGS: [&str; 9] =
    [".service", ".timer", ".socket", ".target", ".mount", ".automount", ".path", ".slice", ".swap"];

/// A systemd unit file: service, timer, socket, drop-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// File name under `/etc/systemd/system`: `web.service`, `redis-server.service.d/limits.conf`.
    pub name: String,
    /// The unit file.
    #[serde(default)]
    pub content: String,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// A unit file as the host has it.
pub struct UnitFile {
    file: <File as ResourceType>::State,
    /// What systemd has loaded under the name; `None` for a template, which it cannot load.
    loaded: Option<Arc<UnitState>>,
}

impl Unit {
    /// The name of the unit that the file makes or changes: `web.service` for `web.service.d/limits.conf`. `None` for a
    /// template (`web@.service`), of which only instances can be asked for, and for a name that cannot be one.
    pub(crate) fn unit_name(&self) -> Option<&str> {
        let name = self.name.split_once('/').map_or(self.name.as_str(), |(folder, _)| folder.trim_end_matches(".d"));
        (is_unit_name(name) && ENDINGS.iter().any(|ending| name.ends_with(ending))).then_some(name)
    }

    fn is_drop_in(&self) -> bool {
        self.name.contains('/')
    }

    pub(crate) fn path(&self) -> PathBuf {
        Path::new(FOLDER).join(&self.name)
    }

    fn check(&self) -> Result<(), StepError> {
        plain("unit", &self.name)?;
        let (file, folder) = match self.name.split_once('/') {
            None => (self.name.as_str(), None),
            Some((folder, file)) => (file, Some(folder)),
        };
        let is_unit = |name: &str| ENDINGS.iter().any(|ending| name.len() > ending.len() && name.ends_with(ending));
        let known = match folder {
            None => is_unit(file),
            Some(folder) => {
                folder.strip_suffix(".d").is_some_and(is_unit) && file.ends_with(".conf") && file != ".conf"
            }
        };
        if known && !file.contains('/') && !self.name.starts_with('.') {
            return Ok(());
        }
        let message = format!("`{}` is not the name of a unit file", self.name);
        Err(StepError::new(message)
            .hint("write `web.service`, `backup.timer` or, to add to a unit, `web.service.d/limits.conf`"))
    }

    /// The file behind the unit. What held a secret once stays hidden.
    fn file(&self, host: &Host) -> File {
        let private = contains_token(&self.content);
        File {
            path: self.path().to_string_lossy().into_owned(),
            content: (self.state == Presence::Present).then(|| Content::Text(self.content.clone())),
            owner: Some("root".to_owned()),
            group: Some("root".to_owned()),
            mode: Some(Mode::new(if private { 0o600 } else { 0o644 })),
            secret: !private && host.was_secret(&format!("unit:{}", self.name)),
            state: self.state,
        }
    }

    /// Stops and disables what the file made, so that nothing runs without a file.
    fn retire(&self, state: &UnitFile, host: &Host) -> Result<(), StepError> {
        if self.is_drop_in() || !host.has_systemd() {
            return Ok(());
        }
        match &state.loaded {
            Some(unit) if !unit.exists() => Ok(()),
            Some(_) => host.command(["systemctl", "disable", "--now", "--", &self.name]).run().map(drop),
            None => {
                let instances = self.name.replacen('@', "@*", 1);
                host.command(["systemctl", "stop", "--", &instances]).run()?;
                host.command(["systemctl", "disable", "--", &self.name]).run().map(drop)
            }
        }
    }
}

impl ResourceType for Unit {
    type State = UnitFile;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        let loaded = match self.unit_name() {
            Some(name) if host.has_systemd() => Some(host.unit(name)?),
            _ => None,
        };
        Ok(UnitFile { file: self.file(host).observe(host)?, loaded })
    }

    fn diff(&self, state: &Self::State, host: &Host) -> Result<Change, StepError> {
        let change = self.file(host).diff(&state.file, host)?;
        let stale = state.loaded.as_ref().is_some_and(|unit| unit.get("NeedDaemonReload") == "yes");
        if change.is_none() && stale && self.state == Presence::Present {
            return Ok(Change::of(ChangeKind::Update).note("systemd has not read the file since it changed"));
        }
        let active = state.loaded.as_ref().is_some_and(|unit| unit.is_active());
        if change.kind == ChangeKind::Delete && active && !self.is_drop_in() {
            return Ok(change.note("it is running and will be stopped"));
        }
        Ok(change)
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        let file = self.file(host);
        let folder = self.path();
        let folder = folder.parent().filter(|_| self.is_drop_in());
        if self.state == Presence::Absent {
            self.retire(state, host)?;
        } else if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| StepError::io("create", folder, &error))?;
        }
        if !file.diff(&state.file, host)?.is_none() {
            file.apply(&state.file, host)?;
        }
        if let Some(folder) = folder.filter(|_| self.state == Presence::Absent) {
            // Other drop-ins may be in it; then it stays.
            let _ = fs::remove_dir(folder);
        }
        if !host.has_systemd() {
            let message = format!(
                "{} was written, but this host does not run systemd, which would read it",
                self.path().display()
            );
            return Err(StepError::new(message).hint("units need a host whose init process is systemd"));
        }
        host.command(["systemctl", "daemon-reload"]).run().map(drop)
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { content: String::new(), state: Presence::Absent, ..self.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn unit(name: &str) -> Unit {
        Unit { name: name.to_owned(), content: String::new(), state: Presence::Present }
    }

    #[test]
    fn names_of_units_and_drop_ins() {
        for (name, asked) in [
            ("web.service", Some("web.service")),
            ("backup.timer", Some("backup.timer")),
            ("redis-server.service.d/limits.conf", Some("redis-server.service")),
            ("web@1.service", Some("web@1.service")),
            ("web@.service", None),
            ("web@.service.d/x.conf", None),
        ] {
            assert!(unit(name).check().is_ok(), "{name}");
            assert_eq!(unit(name).unit_name(), asked, "{name}");
        }
    }

    #[test]
    fn names_that_would_leave_the_folder_or_mean_nothing_are_refused() {
        for name in [
            "web",
            ".service",
            "../x.service",
            "a/b.service",
            "web.service.d/x",
            "web.service.d/../x.conf",
            "/x.service",
            "",
        ] {
            assert!(unit(name).check().is_err(), "{name}");
        }
    }

    #[test]
    fn a_unit_that_holds_a_secret_is_private() {
        let host = Host::new("/nonexistent");
        let mut web = unit("web.service");
        assert_eq!(web.file(&host).mode, Some(Mode::new(0o644)));
        web.content = format!("[Service]\nEnvironment=KEY={}\n", crate::secret::token("key", &[]));
        assert_eq!(web.file(&host).mode, Some(Mode::new(0o600)));
    }
}
