//! A folder for plaintext while an editor is open: in memory where there is such a place, wiped and removed afterwards.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How the folders are called.
const PREFIX: &str = "cc-cloud-secrets-";

/// A folder of mode 0700 that only lives as long as this value.
pub(super) struct Scratch {
    folder: TempDir,
    /// Tells a folder in use from one that a killed process left behind.
    _lock: File,
    in_memory: bool,
}

impl Scratch {
    /// In `/dev/shm` or `$XDG_RUNTIME_DIR`, if these are in memory, else in the folder for temporary files. What killed
    /// processes of this user left there is wiped first.
    pub(super) fn new() -> io::Result<Self> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let memory = [Some(PathBuf::from("/dev/shm")), runtime].into_iter().flatten().find(|place| is_memory(place));
        let place = memory.clone().unwrap_or_else(std::env::temp_dir);
        sweep(&place)?;
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(PREFIX).permissions(private).tempdir_in(place)?;
        let lock = File::open(folder.path())?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock, in_memory: memory.is_some() })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether what is written there stays off the disk.
    pub(super) fn in_memory(&self) -> bool {
        self.in_memory
    }

    /// Writes a file of mode 0600.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path().join(name);
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// Wipes and removes it, and says so if that fails. Dropping it does the same as well as it can.
    pub(super) fn close(self) -> io::Result<()> {
        wipe(self.path())?;
        fs::remove_dir_all(self.path())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // After `close`, or when there is nobody left to tell. TempDir removes the folder.
        let _gone = wipe(self.path());
    }
}

/// Overwrites every file in a folder: an editor leaves copies beside the one that it was given.
fn wipe(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            wipe(&entry.path())?;
        } else if kind.is_file() {
            let mut file = File::options().write(true).open(entry.path())?;
            io::copy(&mut io::Read::take(io::repeat(0), file.metadata()?.len()), &mut file)?;
            file.sync_all()?;
        }
    }
    Ok(())
}

/// Removes folders of this user that no process has locked any more.
fn sweep(place: &Path) -> io::Result<()> {
    let own = rustix::process::getuid().as_raw();
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // Gone in the meantime, or somebody else's.
        let Ok(metadata) = fs::symlink_metadata(entry.path()) else { continue };
        if !metadata.is_dir() || metadata.uid() != own {
            continue;
        }
        let Ok(folder) = File::open(entry.path()) else { continue };
        if folder.try_lock().is_ok() {
            wipe(&entry.path())?;
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a place is a folder in a file system that lives in memory.
#[cfg(target_os = "linux")]
fn is_memory(place: &Path) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    rustix::fs::statfs(place).is_ok_and(|system| [TMPFS, RAMFS].contains(&u64::try_from(system.f_type).unwrap_or(0)))
}

/// Other systems have no such place that can be told for sure.
#[cfg(not(target_os = "linux"))]
fn is_memory(_place: &Path) -> bool {
    false
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_private_and_goes_with_all_that_is_in_it() {
        let scratch = Scratch::new().unwrap();
        let file = scratch.write("prod.yml", "hunter2").unwrap();
        let folder = scratch.path().to_owned();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        fs::create_dir(folder.join("sub")).unwrap();
        fs::write(folder.join("sub").join("copy"), "hunter2").unwrap();
        let other_name = File::open(&file).unwrap();
        scratch.close().unwrap();
        assert!(!folder.exists());
        let mut left = String::new();
        io::Read::read_to_string(&mut &other_name, &mut left).unwrap();
        assert_eq!(left, "\0".repeat(7), "wiped, not only removed");
    }

    #[test]
    fn a_sweep_takes_what_nobody_uses() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let folder = place.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("prod.yml"), "hunter2").unwrap();
            folder
        };
        let (left, used) = (make("left"), make("used"));
        fs::write(place.path().join("other"), "").unwrap();
        let lock = File::open(&used).unwrap();
        lock.lock().unwrap();
        sweep(place.path()).unwrap();
        assert!(!left.exists() && used.exists() && place.path().join("other").exists());
    }
}
