//! The time zone.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::ResourceType;
use super::plain::plain;
use crate::change::{Change, Differ};
use crate::host::{Attributes, Host};
use crate::step_error::StepError;

/// The time zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Timezone {
    /// `Etc/UTC`, `Africa/Maseru`.
    pub name: String,
}

/// Where the zones are; comes with the package `tzdata`.
const ZONES: &str = "/usr/share/zoneinfo";
/// The link that programs follow.
const LINK: &str = "/etc/localtime";
/// The name for programs that want one.
const NAME: &str = "/etc/timezone";

/// The zones that the host has set.
pub struct TimezoneState {
    linked: Option<String>,
    named: Option<String>,
}

impl Timezone {
    fn zone(&self) -> PathBuf {
        Path::new(ZONES).join(&self.name)
    }

    fn check(&self) -> Result<(), StepError> {
        plain("timezone", &self.name)?;
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_".contains(&byte))
        };
        let unknown = || {
            StepError::new(format!("there is no time zone `{}`", self.name)).hint(
                "write a name such as Etc/UTC or Africa/Maseru: `timedatectl list-timezones` on a host lists them",
            )
        };
        // Without zones their package is not installed yet.
        let missing = Path::new(ZONES).is_dir() && !self.zone().is_file();
        if !self.name.split('/').all(part) || missing { Err(unknown()) } else { Ok(()) }
    }

    /// Replaces the link in one go.
    fn link(&self) -> Result<(), StepError> {
        let (link, temporary) = (Path::new(LINK), Path::new("/etc/.localtime.cc-cloud"));
        match fs::remove_file(temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StepError::io("remove", temporary, &error));
            }
            _ => {}
        }
        std::os::unix::fs::symlink(self.zone(), temporary)
            .and_then(|()| fs::rename(temporary, link))
            .map_err(|error| StepError::io("replace", link, &error))
    }
}

/// The zone that a link's target names, however it is written.
fn zone_name(target: &Path) -> Option<String> {
    target.to_str()?.split_once("zoneinfo/").map(|(_, name)| name.to_owned())
}

impl ResourceType for Timezone {
    type State = TimezoneState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        let named = host.read_text(Path::new(NAME))?.map(|text| text.trim().to_owned());
        Ok(TimezoneState { linked: fs::read_link(LINK).ok().as_deref().and_then(zone_name), named })
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let mut differ = Differ::default();
        differ.field(LINK, state.linked.as_ref(), Some(&self.name));
        differ.field(NAME, state.named.as_ref(), Some(&self.name));
        Ok(differ.update())
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if !self.zone().is_file() {
            let error = StepError::new(format!("the time zone {} is not on this host", self.zone().display()));
            return Err(error.hint("add a step `package: tzdata` before it"));
        }
        if state.linked.as_ref() != Some(&self.name) {
            self.link()?;
        }
        if state.named.as_ref() != Some(&self.name) {
            let attributes = Attributes::of_mode(0o644);
            host.write(Path::new(NAME), format!("{}\n", self.name).as_bytes(), attributes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_their_zone_however_they_are_written() {
        for target in ["/usr/share/zoneinfo/Africa/Maseru", "../usr/share/zoneinfo/Africa/Maseru"] {
            assert_eq!(zone_name(Path::new(target)).as_deref(), Some("Africa/Maseru"));
        }
        assert_eq!(zone_name(Path::new("/somewhere/else")), None);
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for bad in ["", "../../etc/shadow", "/etc/shadow", "Etc/", "Etc UTC", "No/Where\n"] {
            assert!(Timezone { name: bad.to_owned() }.check().is_err(), "{bad}");
        }
    }
}
