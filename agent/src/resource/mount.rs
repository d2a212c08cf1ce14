//! A file system in `/etc/fstab` and mounted.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::fstab::{FstabEntry, find, replace};
use super::mount_table::{Mounted, mounted_at};
use super::plain::plain;
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::{Attributes, Host};
use crate::step_error::StepError;

const FSTAB: &str = "/etc/fstab";

/// A file system in `/etc/fstab` and mounted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Mount point; created when missing.
    pub path: String,
    /// Device, `UUID=…` or remote.
    #[serde(default)]
    pub device: String,
    /// Type: `ext4`, `xfs`, `nfs`, `tmpfs`.
    #[serde(default)]
    pub fstype: String,
    /// Mount options.
    #[serde(default = "mount_defaults")]
    pub options: String,
    /// Mounted now, not only at boot.
    #[serde(default = "yes")]
    pub mounted: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

fn mount_defaults() -> String {
    "defaults".to_owned()
}

fn yes() -> bool {
    true
}

/// What the host has of a mount.
pub struct MountState {
    fstab: String,
    mounted: Option<Mounted>,
}

impl Mount {
    fn check(&self) -> Result<(), StepError> {
        for (field, value) in
            [("mount", &self.path), ("device", &self.device), ("fstype", &self.fstype), ("options", &self.options)]
        {
            plain(field, value)
                .map_err(|error| error.hint("put credentials into a file, and name it in the options"))?;
        }
        let clean =
            self.path.starts_with('/') && (self.path == "/" || !self.path.ends_with('/')) && !self.path.contains("//");
        if !clean {
            let error = StepError::new(format!("`{}` is not a mount point", self.path));
            return Err(error.hint("write an absolute path without a slash at its end; for swap there is `swap_file`"));
        }
        if self.state == Presence::Present && (self.device.is_empty() || self.fstype.is_empty()) {
            return Err(StepError::new(format!("the mount {} needs a `device` and an `fstype`", self.path)));
        }
        Ok(())
    }

    fn entry(&self) -> FstabEntry {
        FstabEntry {
            device: self.device.clone(),
            path: self.path.clone(),
            fstype: self.fstype.clone(),
            options: self.options.clone(),
        }
    }

    fn is_here(&self, entry: &FstabEntry) -> bool {
        entry.path == self.path
    }

    /// The device that is mounted, where it is certainly not the desired one.
    fn other_device<'a>(&self, mounted: &'a Mounted) -> Option<&'a str> {
        let wanted = block_device(&self.device)?;
        let found = block_device(&mounted.source)?;
        (wanted != found).then_some(mounted.source.as_str())
    }

    /// Brings what is mounted nearer to the desired state; true when it is mounted afterwards. It comes before the line in fstab:
    /// were it the other way around and the agent killed between the two, nobody would see that the old options are still in use.
    fn correct(&self, mounted: &Mounted, before: Option<&FstabEntry>, host: &Host) -> Result<bool, StepError> {
        let other_source = before.is_some_and(|entry| (&entry.device, &entry.fstype) != (&self.device, &self.fstype));
        if other_source || self.other_device(mounted).is_some() {
            self.unmount(host)?;
            return Ok(false);
        }
        if before.is_none_or(|entry| entry.options != self.options) {
            // With device and path, mount(8) takes these options alone and none of the old ones from fstab.
            let options = format!("remount,{}", self.options);
            host.command(["mount", "-o", &options, "--", &self.device, &self.path]).run()?;
        }
        Ok(true)
    }

    fn unmount(&self, host: &Host) -> Result<(), StepError> {
        let unmounted = host.command(["umount", "--", &self.path]).run();
        unmounted.map(drop).map_err(|error| {
            error.hint(format!(
                "stop what uses {} first: `fuser -vm {}` or `lsof {}` names it",
                self.path, self.path, self.path
            ))
        })
    }
}

/// The block device that an entry of fstab names, links followed; `None` for all else and for what is not there.
fn block_device(device: &str) -> Option<PathBuf> {
    let path = match device.split_once('=') {
        Some((tag, value)) => {
            let folder = format!("/dev/disk/by-{}", tag.to_ascii_lowercase());
            Path::new(&folder).join(value.trim_matches('"'))
        }
        None => PathBuf::from(device),
    };
    path.starts_with("/dev").then(|| fs::canonicalize(path).ok()).flatten()
}

/// Writes `/etc/fstab` when it differs, and lets systemd make its units from it again.
pub(super) fn write_fstab(host: &Host, before: &str, after: &str) -> Result<(), StepError> {
    if before == after {
        return Ok(());
    }
    host.write(Path::new(FSTAB), after.as_bytes(), Attributes::default())?;
    if host.has_systemd() { host.command(["systemctl", "daemon-reload"]).run().map(drop) } else { Ok(()) }
}

/// The text of `/etc/fstab`.
pub(super) fn read_fstab(host: &Host) -> Result<String, StepError> {
    Ok(host.read_text(Path::new(FSTAB))?.unwrap_or_default())
}

impl ResourceType for Mount {
    type State = MountState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        let mountinfo = host.read_text(Path::new("/proc/self/mountinfo"))?.unwrap_or_default();
        Ok(MountState { fstab: read_fstab(host)?, mounted: mounted_at(&mountinfo, &self.path) })
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let before = find(&state.fstab, |entry| self.is_here(entry));
        if self.state == Presence::Absent {
            return Ok(match (&before, &state.mounted) {
                (None, None) => Change::none(),
                (_, Some(mounted)) => {
                    Change::of(ChangeKind::Delete).note(format!("{} will be unmounted", mounted.source))
                }
                (Some(_), None) => Change::of(ChangeKind::Delete),
            });
        }
        let mut differ = Differ::default();
        let old = before.as_ref();
        differ.field("device", old.map(|entry| &entry.device), Some(&self.device));
        differ.field("fstype", old.map(|entry| &entry.fstype), Some(&self.fstype));
        differ.field("options", old.map(|entry| &entry.options), Some(&self.options));
        if self.mounted {
            differ.field("mounted", Some(state.mounted.is_some()), Some(true));
            let other = state.mounted.as_ref().and_then(|mounted| self.other_device(mounted));
            differ.field("mounted device", other, other.map(|_| &self.device));
        }
        Ok(if before.is_none() && state.mounted.is_none() { differ.create() } else { differ.update() })
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if self.state == Presence::Absent {
            if state.mounted.is_some() {
                self.unmount(host)?;
            }
            return write_fstab(host, &state.fstab, &replace(&state.fstab, |entry| self.is_here(entry), None));
        }
        let (entry, path) = (self.entry(), Path::new(&self.path));
        let before = find(&state.fstab, |entry| self.is_here(entry));
        fs::create_dir_all(path).map_err(|error| StepError::io("create", path, &error))?;
        let is_mounted = match &state.mounted {
            Some(mounted) if self.mounted => self.correct(mounted, before.as_ref(), host)?,
            mounted => mounted.is_some(),
        };
        if before.as_ref() != Some(&entry) {
            write_fstab(host, &state.fstab, &replace(&state.fstab, |entry| self.is_here(entry), Some(&entry)))?;
        }
        if self.mounted && !is_mounted { host.command(["mount", "--", &self.path]).run().map(drop) } else { Ok(()) }
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, ..self.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mount(json: &str) -> Mount {
        serde_json::from_str(json).unwrap()
    }

    const DATA: &str = r#"{"path": "/srv", "device": "/dev/vdb", "fstype": "ext4", "options": "noatime"}"#;

    fn state(fstab: &str, mounted: bool) -> MountState {
        let mounted = mounted.then(|| Mounted { source: "/dev/no-such-vdb".into(), fstype: "ext4".into() });
        MountState { fstab: fstab.to_owned(), mounted }
    }

    #[test]
    fn every_field_is_compared() {
        let host = Host::new("/nonexistent");
        let data = mount(DATA);
        let line = "/dev/vdb /srv ext4 noatime 0 2\n";
        assert!(data.diff(&state(line, true), &host).unwrap().is_none());
        let change = data.diff(&state("", false), &host).unwrap();
        assert_eq!((change.kind, change.details.len()), (ChangeKind::Create, 4));
        let change = data.diff(&state("/dev/vdb /srv ext4 defaults 0 2\n", false), &host).unwrap();
        let expected = Change::of(ChangeKind::Update)
            .value("options", Some("defaults".into()), Some("noatime".into()))
            .value("mounted", Some("false".into()), Some("true".into()));
        assert_eq!(change, expected);
    }

    #[test]
    fn at_boot_only_does_not_ask_for_a_mount_now() {
        let host = Host::new("/nonexistent");
        let later = Mount { mounted: false, ..mount(DATA) };
        assert!(later.diff(&state("/dev/vdb /srv ext4 noatime\n", false), &host).unwrap().is_none());
    }

    #[test]
    fn removal_says_what_it_unmounts() {
        let host = Host::new("/nonexistent");
        let gone = mount(DATA).absent().unwrap();
        assert!(gone.diff(&state("", false), &host).unwrap().is_none());
        let change = gone.diff(&state("", true), &host).unwrap();
        assert_eq!(change, Change::of(ChangeKind::Delete).note("/dev/no-such-vdb will be unmounted"));
    }

    #[test]
    fn what_is_no_mount_point_is_refused() {
        for path in ["none", "srv", "/srv/", "", "//srv"] {
            assert!(Mount { path: path.to_owned(), ..mount(DATA) }.check().is_err(), "{path}");
        }
        assert!(mount(r#"{"path": "/srv"}"#).check().is_err());
    }
}
