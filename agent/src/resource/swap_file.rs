//! A swap file, on now and at boot.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fstab::{FstabEntry, find, replace};
use super::mount::{read_fstab, write_fstab};
use super::mount_table::is_swap;
use super::plain::plain;
use super::{Mode, Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::{Attributes, Host, Metadata, beside};
use crate::step_error::StepError;

/// mkswap refuses less than ten pages; whoever wants less than this has confused the units.
const SMALLEST: u64 = 1 << 20;
/// Only root may read what was in memory.
const MODE: u32 = 0o600;

/// A swap file, on now and at boot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SwapFile {
    /// Absolute path.
    pub path: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What the host has of a swap file.
pub struct SwapState {
    file: Option<Metadata>,
    /// Whether mkswap has been there.
    formatted: bool,
    active: bool,
    fstab: String,
}

impl SwapFile {
    fn check(&self) -> Result<(), StepError> {
        plain("swap_file", &self.path)?;
        if !self.path.starts_with('/') {
            return Err(StepError::new(format!("`{}` is not an absolute path", self.path)));
        }
        if self.state == Presence::Present && self.size < SMALLEST {
            let error = StepError::new(format!("the swap file {} has a size of {} bytes", self.path, self.size));
            return Err(error.hint("write a size with its unit, such as 2GiB"));
        }
        Ok(())
    }

    fn entry(&self) -> FstabEntry {
        FstabEntry {
            device: self.path.clone(),
            path: "none".to_owned(),
            fstype: "swap".to_owned(),
            options: "sw".to_owned(),
        }
    }

    fn is_ours(&self, entry: &FstabEntry) -> bool {
        entry.device == self.path && entry.fstype == "swap"
    }

    /// Whether the file itself must be made again.
    fn is_stale(&self, state: &SwapState) -> bool {
        !state.formatted || state.file.as_ref().is_none_or(|file| file.size != self.size)
    }

    fn turn_off(&self, host: &Host) -> Result<(), StepError> {
        let off = host.command(["swapoff", "--", &self.path]).run();
        off.map(drop).map_err(|error| error.hint("what is swapped out must fit into memory: see `free -h`"))
    }

    /// Makes the file under a temporary name, so that one under its own name is always whole.
    fn make(&self, host: &Host) -> Result<(), StepError> {
        let path = Path::new(&self.path);
        let (_, temporary) = beside(path)?;
        let made = self.fill(&temporary).and_then(|()| {
            host.command(["mkswap".to_owned(), "--".to_owned(), temporary.to_string_lossy().into_owned()]).run()?;
            fs::rename(&temporary, path).map_err(|error| StepError::io("replace", path, &error))
        });
        if made.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        made
    }

    fn fill(&self, temporary: &Path) -> Result<(), StepError> {
        let io = |error| StepError::io("fill", Path::new(&self.path), &error);
        let _ = fs::remove_file(temporary);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(temporary).map_err(io)?;
        match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, self.size) {
            Ok(()) => {}
            // A swap file must have no holes, so that without the call every byte is written.
            Err(rustix::io::Errno::OPNOTSUPP) => write_zeros(&mut file, self.size).map_err(io)?,
            Err(error) => return Err(io(error.into())),
        }
        file.sync_all().map_err(io)
    }
}

fn write_zeros(file: &mut File, size: u64) -> std::io::Result<()> {
    let block = vec![0; 1 << 20];
    let mut left = size;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        file.write_all(&block[..length])?;
        left -= length as u64;
    }
    Ok(())
}

/// Whether a file has the mark of mkswap at the end of its first page, of whatever size pages are here.
fn is_formatted(path: &Path) -> bool {
    const MARK: &[u8; 10] = b"SWAPSPACE2";
    [4096_u64, 16384, 65536].into_iter().any(|page| {
        let mut mark = [0; 10];
        let read = File::open(path).and_then(|mut file| {
            file.seek(SeekFrom::Start(page - 10))?;
            file.read_exact(&mut mark)
        });
        read.is_ok() && &mark == MARK
    })
}

impl ResourceType for SwapFile {
    type State = SwapState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        let path = Path::new(&self.path);
        let file = host.stat(path)?;
        if let Some(other) = file.as_ref().filter(|file| file.kind != "file") {
            return Err(StepError::new(format!("{} is a {}, not a file", self.path, other.kind)));
        }
        let swaps = host.read_text(Path::new("/proc/swaps"))?.unwrap_or_default();
        Ok(SwapState {
            formatted: file.is_some() && is_formatted(path),
            file,
            active: is_swap(&swaps, &self.path),
            fstab: read_fstab(host)?,
        })
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let at_boot = find(&state.fstab, |entry| self.is_ours(entry));
        if self.state == Presence::Absent {
            let nothing = state.file.is_none() && !state.active && at_boot.is_none();
            return Ok(Change::of(if nothing { ChangeKind::None } else { ChangeKind::Delete }));
        }
        let mut differ = Differ::default();
        differ.field("size", state.file.as_ref().map(|file| file.size), Some(self.size));
        differ.field("mode", state.file.as_ref().map(|file| file.mode), Some(Mode::new(MODE)));
        if state.file.is_some() {
            differ.field("formatted", Some(state.formatted), Some(true));
        }
        differ.field("active", Some(state.active), Some(true));
        differ.field("at boot", Some(at_boot.is_some()), Some(true));
        Ok(if state.file.is_none() { differ.create() } else { differ.update() })
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        let with = |entry: Option<&FstabEntry>| replace(&state.fstab, |found| self.is_ours(found), entry);
        if self.state == Presence::Absent {
            // Its line goes first: a boot must not look for a file that is gone.
            write_fstab(host, &state.fstab, &with(None))?;
            if state.active {
                self.turn_off(host)?;
            }
            return host.remove(Path::new(&self.path));
        }
        let stale = self.is_stale(state);
        if stale {
            if state.active {
                self.turn_off(host)?;
            }
            self.make(host)?;
        } else {
            let private = Attributes { uid: Some(0), gid: Some(0), mode: Some(Mode::new(MODE)) };
            host.set_attributes(Path::new(&self.path), private)?;
        }
        if stale || !state.active {
            host.command(["swapon", "--", &self.path]).run().map_err(|error| {
                error.hint("a swap file cannot be on btrfs with copy on write, on overlayfs, NFS or ZFS, nor be used in a container")
            })?;
        }
        if find(&state.fstab, |entry| self.is_ours(entry)).is_none() {
            write_fstab(host, &state.fstab, &with(Some(&self.entry())))?;
        }
        Ok(())
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, ..self.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn swap(size: u64) -> SwapFile {
        SwapFile { path: "/swapfile".to_owned(), size, state: Presence::Present }
    }

    fn state(size: u64, active: bool, fstab: &str) -> SwapState {
        let file = Metadata { kind: "file", uid: 0, gid: 0, mode: Mode::new(MODE), size };
        SwapState { file: Some(file), formatted: true, active, fstab: fstab.to_owned() }
    }

    const LINE: &str = "/swapfile none swap sw 0 0\n";

    #[test]
    fn size_use_and_boot_are_compared() {
        let host = Host::new("/nonexistent");
        assert!(swap(1 << 30).diff(&state(1 << 30, true, LINE), &host).unwrap().is_none());
        let change = swap(2 << 30).diff(&state(1 << 30, false, ""), &host).unwrap();
        let expected = Change::of(ChangeKind::Update)
            .value("size", Some((1_u64 << 30).to_string()), Some((2_u64 << 30).to_string()))
            .value("active", Some("false".into()), Some("true".into()))
            .value("at boot", Some("false".into()), Some("true".into()));
        assert_eq!(change, expected);
        assert!(swap(2 << 30).is_stale(&state(1 << 30, true, LINE)));
        assert!(!swap(1 << 30).is_stale(&state(1 << 30, false, "")));
    }

    #[test]
    fn a_size_without_its_unit_is_noticed() {
        assert!(swap(2).check().unwrap_err().hint.unwrap().contains("2GiB"));
    }

    #[test]
    fn the_file_is_filled_and_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("swap");
        let file = SwapFile { path: path.to_str().unwrap().to_owned(), size: SMALLEST, state: Presence::Present };
        file.fill(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), SMALLEST);
        assert!(!is_formatted(&path));
        let mut zeros = OpenOptions::new().write(true).open(&path).unwrap();
        write_zeros(&mut zeros, SMALLEST + 5).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), SMALLEST + 5);
        zeros.seek(SeekFrom::Start(4086)).unwrap();
        zeros.write_all(b"SWAPSPACE2").unwrap();
        assert!(is_formatted(&path));
    }
}
