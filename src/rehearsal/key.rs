use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};

use super::{RehearsalError, data_folder};

/// The key pair that rehearsal hosts let in. It is made for them alone, so that nothing in `~/.ssh` is used or touched.
#[derive(Debug, Clone)]
pub struct RehearsalKey {
    /// The private key's file: ed25519 in OpenSSH's format, readable by its owner only, without a passphrase.
    pub path: PathBuf,
    /// The public key as a line of `authorized_keys`, without a line end.
    pub authorized: String,
}

impl RehearsalKey {
    /// The key in the user's data folder (`$XDG_DATA_HOME/cc-cloud/rehearsal`, by default below `~/.local/share`); made if
    /// there is none.
    ///
    /// # Errors
    /// Neither XDG_DATA_HOME nor HOME is set, the folder cannot be written, or the file there is no private key.
    pub fn ensure() -> Result<Self, RehearsalError> {
        match data_folder::rehearsal() {
            Some(folder) => Self::ensure_in(&folder),
            None => Err(RehearsalError::NoDataFolder),
        }
    }

    /// The key in `folder`; both are made if they are not there.
    ///
    /// # Errors
    /// The folder cannot be written, or the file there is no private key.
    pub fn ensure_in(folder: &Path) -> Result<Self, RehearsalError> {
        let path = folder.join("id_ed25519");
        let failed = |reason: String| RehearsalError::Key { path: path.clone(), reason };
        let key = match fs::read_to_string(&path) {
            Ok(text) => PrivateKey::from_openssh(text).map_err(|error| {
                failed(format!("not a private key ({error}); remove the file to have a new one made"))
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(&path).map_err(|error| failed(format!("cannot be made: {error}")))?
            }
            Err(error) => return Err(failed(format!("cannot be read: {error}"))),
        };
        let authorized = key.public_key().to_openssh().map_err(|error| failed(error.to_string()))?;
        Ok(Self { path, authorized })
    }
}

fn make(path: &Path) -> Result<PrivateKey, Box<dyn std::error::Error>> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519)?;
    key.set_comment("cc-cloud rehearsal");
    let text = key.to_openssh(LineEnding::LF)?;
    // Never over an existing file: two that start at once must not end with a key that only one of them knows.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let made = RehearsalKey::ensure_in(&folder.path().join("new/rehearsal")).unwrap();
        let found = RehearsalKey::ensure_in(&folder.path().join("new/rehearsal")).unwrap();
        assert_eq!(made.authorized, found.authorized);
        assert!(made.authorized.starts_with("ssh-ed25519 "), "{}", made.authorized);
        assert!(made.authorized.ends_with(" cc-cloud rehearsal"), "{}", made.authorized);
        assert_eq!(fs::metadata(&made.path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_broken_key_is_reported_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id_ed25519");
        fs::write(&path, "no key").unwrap();
        let error = RehearsalKey::ensure_in(folder.path()).unwrap_err().to_string();
        assert!(error.contains("not a private key"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "no key");
    }
}
