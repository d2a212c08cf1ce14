//! A file takes the place of another as a whole, or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes `text` under a temporary name in the same folder, syncs it and renames it to `path`. A kill at any point leaves
/// the old file or the new one. `new` means that there must be no file yet (`AlreadyExists` otherwise).
pub(super) fn replace(path: &Path, text: &str, new: bool) -> io::Result<()> {
    // Through a symbolic link to the file behind it, which would otherwise stay as it was.
    let path = if new { path.to_owned() } else { fs::canonicalize(path)? };
    let folder = folder(&path);
    if new {
        fs::create_dir_all(&folder)?;
    }
    let mode = if new { 0o644 } else { fs::metadata(&path)?.permissions().mode() & 0o777 };
    let mut file = tempfile::Builder::new().prefix(".secrets-").tempfile_in(&folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    if new {
        file.persist_noclobber(&path).map_err(|error| error.error)?;
    } else {
        file.persist(&path).map_err(|error| error.error)?;
    }
    File::open(&folder)?.sync_all()
}

/// Keeps other writers of the folder out while the result lives, where the file system has locks. Where it has none, the
/// comparison of what is there with what was read still catches all but the same few milliseconds.
pub(super) fn lock(path: &Path) -> Option<File> {
    let folder = File::open(folder(path)).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn mode_and_link_stay_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        replace(&file, "one", true).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&link, "two", false).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(replace(&file, "three", true).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
