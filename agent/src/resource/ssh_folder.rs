//! A user's `.ssh` folder, which the user could turn into a link to anywhere while root works in it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self as at, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::host::Account;
use crate::step_error::StepError;

const FOLDER: &str = ".ssh";
const KEYS: &str = "authorized_keys";
const TEMPORARY: &str = ".authorized_keys.cc-cloud";
const FOLDER_MODE: u32 = 0o700;
const KEYS_MODE: u32 = 0o600;

/// The folder by descriptor, so that no name is looked up twice and no link is followed.
pub(super) struct SshFolder {
    folder: OwnedFd,
    path: PathBuf,
}

/// What is wrong with owner and mode, `None` where nothing is: sshd ignores keys that others could write.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Guarded {
    /// Owner and mode as found, as in `ann 0755`.
    pub(super) folder: Option<String>,
    /// As `folder`, of the file.
    pub(super) keys: Option<String>,
}

impl SshFolder {
    /// Opens the folder; `None` when the home directory or the folder does not exist yet.
    pub(super) fn open(account: &Account) -> Result<Option<Self>, StepError> {
        let path = Path::new(&account.home).join(FOLDER);
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        // The way to the home directory belongs to root and may have links; what is in it belongs to the user.
        let home = match at::open(&account.home, flags, Mode::empty()) {
            Ok(home) => home,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(failed("open", Path::new(&account.home), error)),
        };
        match at::openat(&home, FOLDER, flags | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(folder) => Ok(Some(Self { folder, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(not_a("folder", &path)),
            Err(error) => Err(failed("open", &path, error)),
        }
    }

    /// Makes the folder in an existing home directory, and opens it.
    pub(super) fn create(account: &Account) -> Result<Self, StepError> {
        let path = Path::new(&account.home).join(FOLDER);
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let home = at::open(&account.home, flags, Mode::empty()).map_err(|error| {
            failed("open", Path::new(&account.home), error)
                .hint(format!("the home directory of `{}` must exist", account.name))
        })?;
        match at::mkdirat(&home, FOLDER, Mode::from_raw_mode(FOLDER_MODE)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(failed("create", &path, error)),
        }
        Self::open(account)?.ok_or_else(|| failed("open", &path, Errno::NOENT))
    }

    /// The text of the file of keys; `None` when it does not exist.
    pub(super) fn read(&self) -> Result<Option<String>, StepError> {
        let path = self.path.join(KEYS);
        // Without NONBLOCK a pipe in the file's place would hold us for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match at::openat(&self.folder, KEYS, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(not_a("file", &path)),
            Err(error) => return Err(failed("read", &path, error)),
        };
        let stat = at::fstat(&file).map_err(|error| failed("look at", &path, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(not_a("file", &path));
        }
        let mut bytes = Vec::new();
        File::from(file).read_to_end(&mut bytes).map_err(|error| StepError::io("read", &path, &error))?;
        String::from_utf8(bytes).map(Some).map_err(|_| StepError::new(format!("{} is not UTF-8 text", path.display())))
    }

    /// What of owner and mode is not as it should be.
    pub(super) fn guarded(&self, account: &Account, name: impl Fn(u32) -> String) -> Result<Guarded, StepError> {
        let wrong = |stat: &at::Stat, mode: u32| {
            let (uid, bits) = (stat.st_uid, stat.st_mode & 0o7777);
            ((uid, stat.st_gid, bits) != (account.uid, account.gid, mode)).then(|| format!("{} {bits:04o}", name(uid)))
        };
        let folder = at::fstat(&self.folder).map_err(|error| failed("look at", &self.path, error))?;
        let keys = match at::statat(&self.folder, KEYS, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => wrong(&stat, KEYS_MODE),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(failed("look at", &self.path.join(KEYS), error)),
        };
        Ok(Guarded { folder: wrong(&folder, FOLDER_MODE), keys })
    }

    /// Puts the file of keys in its place in one go, and sets owner and mode of file and folder.
    pub(super) fn write(&self, account: &Account, text: &str) -> Result<(), StepError> {
        let path = self.path.join(KEYS);
        self.place(account, text).map_err(|error| StepError::io("write", &path, &error))
    }

    fn place(&self, account: &Account, text: &str) -> io::Result<()> {
        let (uid, gid) = (at::Uid::from_raw(account.uid), at::Gid::from_raw(account.gid));
        match at::unlinkat(&self.folder, TEMPORARY, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(at::openat(&self.folder, TEMPORARY, flags, Mode::from_raw_mode(KEYS_MODE))?);
        file.write_all(text.as_bytes())?;
        at::fchown(&file, Some(uid), Some(gid))?;
        at::fchmod(&file, Mode::from_raw_mode(KEYS_MODE))?;
        file.sync_all()?;
        at::renameat(&self.folder, TEMPORARY, &self.folder, KEYS)?;
        at::fchown(&self.folder, Some(uid), Some(gid))?;
        at::fchmod(&self.folder, Mode::from_raw_mode(FOLDER_MODE))?;
        Ok(at::fsync(&self.folder)?)
    }
}

fn failed(doing: &str, path: &Path, error: Errno) -> StepError {
    StepError::io(doing, path, &error.into())
}

fn not_a(kind: &str, path: &Path) -> StepError {
    StepError::new(format!("{} is not a plain {kind}", path.display()))
        .hint("the user may have put a link there; keys are only written where no link can lead them elsewhere")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    fn account(home: &Path) -> Account {
        let meta = fs::metadata(home).unwrap();
        Account {
            name: "ann".into(),
            uid: meta.uid(),
            gid: meta.gid(),
            comment: String::new(),
            home: home.to_str().unwrap().into(),
            shell: String::new(),
        }
    }

    #[test]
    fn writes_with_the_modes_that_sshd_wants() {
        let home = tempfile::tempdir().unwrap();
        let ann = account(home.path());
        assert!(SshFolder::open(&ann).unwrap().is_none());
        let folder = SshFolder::create(&ann).unwrap();
        assert_eq!(folder.read().unwrap(), None);
        folder.write(&ann, "one\n").unwrap();
        folder.write(&ann, "two\n").unwrap();
        assert_eq!(folder.read().unwrap().as_deref(), Some("two\n"));
        assert_eq!(folder.guarded(&ann, |uid| uid.to_string()).unwrap(), Guarded::default());
        assert_eq!(fs::read_dir(home.path().join(".ssh")).unwrap().count(), 1);
        fs::set_permissions(home.path().join(".ssh/authorized_keys"), fs::Permissions::from_mode(0o666)).unwrap();
        let found = folder.guarded(&ann, |_| "ann".to_owned()).unwrap();
        assert_eq!(found, Guarded { folder: None, keys: Some("ann 0666".to_owned()) });
    }

    #[test]
    fn links_are_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let ann = account(home.path());
        symlink(elsewhere.path(), home.path().join(".ssh")).unwrap();
        assert!(SshFolder::open(&ann).err().unwrap().message.contains("is not a plain folder"));
        assert!(SshFolder::create(&ann).is_err());
        fs::remove_file(home.path().join(".ssh")).unwrap();
        let folder = SshFolder::create(&ann).unwrap();
        let victim = elsewhere.path().join("victim");
        fs::write(&victim, "keep").unwrap();
        symlink(&victim, home.path().join(".ssh/authorized_keys")).unwrap();
        assert!(folder.read().unwrap_err().message.contains("is not a plain file"));
        symlink(&victim, home.path().join(".ssh").join(TEMPORARY)).unwrap();
        folder.write(&ann, "keys\n").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "keep");
    }
}
