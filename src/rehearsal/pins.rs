use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{RehearsalError, RunningHost, data_folder};

/// The host keys of an environment's rehearsal hosts, as a file of known hosts that `up` writes and `down` removes.
///
/// They stay with this user: hosts that live on one machine for an afternoon have no place in the repository.
#[derive(Debug, Clone)]
pub struct Pins {
    path: PathBuf,
}

impl Pins {
    /// The pins of an environment, in the user's data folder, whether there are any or not.
    ///
    /// # Errors
    /// Neither XDG_DATA_HOME nor HOME is set.
    pub fn of(environment: &str) -> Result<Self, RehearsalError> {
        let folder = data_folder::rehearsal().ok_or(RehearsalError::NoDataFolder)?;
        Ok(Self::in_folder(&folder, environment))
    }

    /// The pins of an environment in a folder of one's own.
    #[must_use]
    pub fn in_folder(folder: &Path, environment: &str) -> Self {
        Self { path: folder.join(format!("{environment}.known_hosts")) }
    }

    /// The file, in OpenSSH's format.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Pins the keys of these hosts in the place of what their addresses had, and leaves other addresses alone.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn add(&self, hosts: &[RunningHost]) -> Result<(), RehearsalError> {
        self.replace(hosts).map_err(|error| self.failed(&error))
    }

    /// Removes the file; there may be none.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&self) -> Result<(), RehearsalError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }

    fn replace(&self, hosts: &[RunningHost]) -> std::io::Result<()> {
        let before = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let ours: BTreeSet<String> = hosts.iter().map(|host| host.address.to_string()).collect();
        let kept = before.lines().filter(|line| !line.split(' ').next().is_some_and(|address| ours.contains(address)));
        let mut text: String = kept.map(|line| format!("{line}\n")).collect();
        for host in hosts {
            text.extend(host.host_keys.iter().map(|key| format!("{} {key}\n", host.address)));
        }
        // A rename, because a connection may read the file at this moment.
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(&self.path)?;
        Ok(())
    }

    fn failed(&self, error: &std::io::Error) -> RehearsalError {
        RehearsalError::Pins { path: self.path.clone(), reason: error.to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::rehearsal::Origin;

    fn host(last: u8, keys: &[&str]) -> RunningHost {
        RunningHost {
            name: format!("host{last}"),
            address: Ipv4Addr::new(10, 213, 7, last),
            host_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            origin: Origin::Created,
            outdated: false,
        }
    }

    #[test]
    fn a_host_that_was_made_anew_gets_new_pins_and_the_others_keep_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let pins = Pins::in_folder(&folder.path().join("new"), "local");
        pins.add(&[host(1, &["ssh-ed25519 old", "ssh-rsa old"]), host(11, &["ssh-ed25519 other"])]).unwrap();
        pins.add(&[host(1, &["ssh-ed25519 new"])]).unwrap();
        assert_eq!(
            fs::read_to_string(pins.path()).unwrap(),
            "10.213.7.11 ssh-ed25519 other\n10.213.7.1 ssh-ed25519 new\n"
        );
    }

    #[test]
    fn pins_are_removed_once_or_twice() {
        let folder = tempfile::tempdir().unwrap();
        let pins = Pins::in_folder(folder.path(), "local");
        pins.add(&[host(1, &["ssh-ed25519 key"])]).unwrap();
        pins.remove().unwrap();
        assert!(!pins.path().exists());
        pins.remove().unwrap();
    }
}
