//! Writing accepted keys into the environment's file.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::UnknownKey;

/// Adds keys to a known_hosts file, all or none: readers see the old file or the new one. A key that is already there is
/// not added again.
pub(super) fn pin(path: &Path, keys: &[UnknownKey]) -> io::Result<()> {
    // A link is followed, so that it stays one.
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Two runs that pin at once must not lose each other's keys. The folder is locked because the file is replaced.
    let lock = File::open(folder)?;
    lock.lock()?;
    let (mut text, mode) = match fs::read_to_string(&path) {
        Ok(text) => (text, fs::metadata(&path)?.permissions().mode()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (String::new(), 0o644),
        Err(error) => return Err(error),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for key in keys {
        let line = line(key)?;
        if !text.lines().any(|known| known == line) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    lock.sync_all()
}

fn line(key: &UnknownKey) -> io::Result<String> {
    let mut public = key.key.clone();
    public.set_comment("");
    let public = public.to_openssh().map_err(io::Error::other)?;
    // The inventory's name as comment tells a reader which host an address is.
    Ok(format!("{} {} {}", key.name, public.trim_end(), key.host))
}
