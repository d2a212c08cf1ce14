//! From folders down to disks.

use crate::answers::Answered;
use crate::judgement::Unmeasured;
use crate::tool::findmnt::Mounts;
use crate::tool::lsblk::{Device, Devices};

/// The mounts of a host and the devices below them.
pub(super) struct Ways {
    /// What is mounted.
    pub mounts: Mounts,
    devices: Devices,
}

impl Ways {
    /// From the answers to findmnt and lsblk, by their places.
    ///
    /// # Errors
    /// When either does not tell.
    pub fn read(answers: &Answered<'_>, findmnt: usize, lsblk: usize) -> Result<Self, Unmeasured> {
        let mounts = Mounts::parse(answers.stdout(findmnt)?)
            .ok_or_else(|| Unmeasured::new("`findmnt` printed something else than a table of mounts"))?;
        let devices = Devices::parse(answers.stdout(lsblk)?)
            .ok_or_else(|| Unmeasured::new("`lsblk` printed something else than a tree of devices"))?;
        Ok(Self { mounts, devices })
    }

    /// From each disk that a folder is on down to its volume; at least one.
    ///
    /// # Errors
    /// When the folder is on no disk that is seen.
    pub fn of(&self, path: &str) -> Result<Vec<Vec<&Device>>, Unmeasured> {
        let target = self.mounts.of(path).map_or("/", |mount| mount.target.as_str());
        match self.devices.ways(target) {
            ways if ways.is_empty() => {
                Err(Unmeasured::new(format!("{path} is on {target}, and that is on no disk that `lsblk` shows")))
            }
            ways => Ok(ways),
        }
    }
}
