//! Reading and writing files so that nobody ever sees half of one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::Host;
use crate::resource::Mode;
use crate::step_error::StepError;

/// Owner, group and permission bits that something shall have; what is absent stays as it is, or becomes the agent's user and
/// group and the default bits where nothing is yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Number of the owner.
    pub uid: Option<u32>,
    /// Number of the group.
    pub gid: Option<u32>,
    /// Permission bits.
    pub mode: Option<Mode>,
}

impl Attributes {
    /// These permission bits, and the owner and group that are there.
    pub fn of_mode(bits: u32) -> Self {
        Self { mode: Some(Mode::new(bits)), ..Self::default() }
    }
}

/// What is at a path, without following a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// `file`, `directory`, `symlink`, `socket`, `pipe` or `device`.
    pub kind: &'static str,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
    /// Permission bits.
    pub mode: Mode,
    /// Bytes.
    pub size: u64,
}

impl Host {
    /// What is at a path, without following a link; `None` when nothing is, or a parent is missing.
    ///
    /// # Errors
    /// When the path cannot be looked at.
    pub fn stat(&self, path: &Path) -> Result<Option<Metadata>, StepError> {
        match fs::symlink_metadata(path) {
            Ok(meta) => Ok(Some(Metadata {
                kind: kind(meta.file_type()),
                uid: meta.uid(),
                gid: meta.gid(),
                mode: Mode::new(meta.mode()),
                size: meta.size(),
            })),
            Err(error) if missing(&error) => Ok(None),
            Err(error) => Err(StepError::io("look at", path, &error)),
        }
    }

    /// The content of a file; `None` when it does not exist.
    ///
    /// # Errors
    /// When it cannot be read, or is a directory.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StepError> {
        match fs::read(path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if missing(&error) => Ok(None),
            Err(error) => Err(StepError::io("read", path, &error)),
        }
    }

    /// The content of a text file; `None` when it does not exist.
    ///
    /// # Errors
    /// When it cannot be read, or is not UTF-8.
    pub fn read_text(&self, path: &Path) -> Result<Option<String>, StepError> {
        let Some(content) = self.read(path)? else {
            return Ok(None);
        };
        String::from_utf8(content)
            .map(Some)
            .map_err(|_| StepError::new(format!("{} is not UTF-8 text", path.display())))
    }

    /// Numbers for an owner and a group given by name or number.
    ///
    /// # Errors
    /// When one of them does not exist.
    pub fn attributes(
        &self,
        owner: Option<&str>,
        group: Option<&str>,
        mode: Option<Mode>,
    ) -> Result<Attributes, StepError> {
        let accounts = self.accounts()?;
        let unknown = |what: &str, name: &str| {
            StepError::new(format!("the {what} `{name}` does not exist"))
                .hint(format!("add a step `{what}: {name}` before it"))
        };
        let uid = owner.map(|name| accounts.uid(name).ok_or_else(|| unknown("user", name))).transpose()?;
        let gid = group.map(|name| accounts.gid(name).ok_or_else(|| unknown("group", name))).transpose()?;
        Ok(Attributes { uid, gid, mode })
    }

    /// Puts a file with this content in its place in one go: under a temporary name in the same folder, with owner and mode set,
    /// synced, then renamed. Whatever was there (a link too) is replaced.
    ///
    /// # Errors
    /// Names the path and the reason; nothing is left of a file that could not be finished.
    pub fn write(&self, path: &Path, content: &[u8], attributes: Attributes) -> Result<(), StepError> {
        self.write_from(path, attributes, |file| file.write_all(content))
    }

    /// As [`Host::write`], with content from anywhere.
    ///
    /// # Errors
    /// As [`Host::write`].
    pub fn write_from(
        &self,
        path: &Path,
        attributes: Attributes,
        content: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), StepError> {
        let (folder, temporary) = beside(path)?;
        let before = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
        let attributes = Attributes {
            uid: attributes.uid.or(before.as_ref().map(fs::Metadata::uid)),
            gid: attributes.gid.or(before.as_ref().map(fs::Metadata::gid)),
            mode: attributes.mode.or(before.as_ref().map(|meta| Mode::new(meta.mode()))).or(Some(Mode::new(0o644))),
        };
        let finished = finish(path, &temporary, attributes, content);
        if finished.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        finished?;
        sync_folder(folder).map_err(|error| StepError::io("sync the folder", folder, &error))
    }

    /// Sets owner, group and mode of what is there. The owner comes first, because a change of owner clears set-id bits.
    ///
    /// # Errors
    /// Names the path and the reason. A link is refused: it would be the target that changes.
    pub fn set_attributes(&self, path: &Path, attributes: Attributes) -> Result<(), StepError> {
        let io = |doing| move |error| StepError::io(doing, path, &error);
        if attributes.uid.is_some() || attributes.gid.is_some() {
            std::os::unix::fs::lchown(path, attributes.uid, attributes.gid).map_err(io("change the owner of"))?;
        }
        let Some(mode) = attributes.mode else {
            return Ok(());
        };
        if fs::symlink_metadata(path).map_err(io("look at"))?.is_symlink() {
            return Err(StepError::new(format!("{} is a symbolic link: its mode cannot be set", path.display())));
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode.bits())).map_err(io("change the mode of"))
    }

    /// Removes a file or link; nothing there is fine.
    ///
    /// # Errors
    /// Names the path and the reason.
    pub fn remove(&self, path: &Path) -> Result<(), StepError> {
        match fs::remove_file(path) {
            Ok(()) => path
                .parent()
                .map_or(Ok(()), sync_folder)
                .map_err(|error| StepError::io("sync the folder of", path, &error)),
            Err(error) if missing(&error) => Ok(()),
            Err(error) => Err(StepError::io("remove", path, &error)),
        }
    }
}

/// Whether this is the way in which a path is not there.
fn missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The folder of a path, and the temporary name in it. The name is always the same, so that one left by a killed agent is
/// replaced by the next; it begins with a dot and ends in no known ending, so that cron, sudo, apt and systemd ignore it.
pub(crate) fn beside(path: &Path) -> Result<(&Path, PathBuf), StepError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(StepError::new(format!("{} is not the path of a file", path.display())));
    };
    if !path.is_absolute() {
        return Err(StepError::new(format!("{} is not an absolute path", path.display())));
    }
    if !folder.is_dir() {
        let text = format!("cannot write {}: the folder {} does not exist", path.display(), folder.display());
        return Err(StepError::new(text).hint(format!("add a step `directory: {}` before it", folder.display())));
    }
    let name = name.to_string_lossy();
    // Names have at most 255 bytes.
    let name: String = name.chars().take(60).collect();
    Ok((folder, folder.join(format!(".{name}.cc-cloud"))))
}

fn finish(
    path: &Path,
    temporary: &Path,
    attributes: Attributes,
    content: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), StepError> {
    let io = |error| StepError::io("write", path, &error);
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StepError::io("remove", temporary, &error));
        }
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary).map_err(io)?;
    content(&mut file).map_err(io)?;
    std::os::unix::fs::fchown(&file, attributes.uid, attributes.gid).map_err(io)?;
    if let Some(mode) = attributes.mode {
        file.set_permissions(fs::Permissions::from_mode(mode.bits())).map_err(io)?;
    }
    file.sync_all().map_err(io)?;
    fs::rename(temporary, path).map_err(|error| StepError::io("replace", path, &error))
}

/// Makes a rename in this folder last.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn kind(file_type: fs::FileType) -> &'static str {
    if file_type.is_file() {
        "file"
    } else if file_type.is_dir() {
        "directory"
    } else if file_type.is_symlink() {
        "symlink"
    } else if file_type.is_socket() {
        "socket"
    } else if file_type.is_fifo() {
        "pipe"
    } else {
        "device"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn writes_replaces_and_keeps_attributes() {
        let folder = tempfile::tempdir().unwrap();
        let (host, path) = (Host::new("/nonexistent"), folder.path().join("x.conf"));
        host.write(&path, b"one", Attributes { mode: Some(Mode::new(0o640)), ..Attributes::default() }).unwrap();
        host.write(&path, b"two", Attributes::default()).unwrap();
        assert_eq!(host.read_text(&path).unwrap().as_deref(), Some("two"));
        assert_eq!(host.stat(&path).unwrap().unwrap().mode, Mode::new(0o640));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        host.remove(&path).unwrap();
        assert_eq!(host.stat(&path).unwrap(), None);
    }

    #[test]
    fn what_a_killed_agent_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (host, path) = (Host::new("/nonexistent"), folder.path().join("x"));
        fs::write(folder.path().join(".x.cc-cloud"), "half").unwrap();
        host.write(&path, b"whole", Attributes::default()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_replaced_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (host, path, target) =
            (Host::new("/nonexistent"), folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "keep").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        host.write(&path, b"new", Attributes::default()).unwrap();
        assert_eq!((host.stat(&path).unwrap().unwrap().kind, fs::read(&target).unwrap()), ("file", b"keep".to_vec()));
    }

    #[test]
    fn a_failure_names_the_path_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (host, path) = (Host::new("/nonexistent"), folder.path().join("x"));
        let full = |_: &mut File| Err(io::ErrorKind::StorageFull.into());
        let error = host.write_from(&path, Attributes::default(), full).unwrap_err();
        assert!(error.message.starts_with(&format!("cannot write {}", path.display())) && error.hint.is_some());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let error = host.write(&path.join("y/z"), b"", Attributes::default()).unwrap_err();
        assert!(error.message.contains("does not exist") && error.hint.unwrap().starts_with("add a step `directory: "));
    }
}
