//! Content that the controller sent by digest.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::create_folder;
use crate::secret::hex;
use crate::step_error::StepError;

/// A folder of files named by the SHA-256 of their content.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: PathBuf,
}

/// A blob that is being received; nothing is left of it unless it is finished.
pub struct Incoming {
    digest: String,
    temporary: PathBuf,
    path: PathBuf,
    file: fs::File,
    hash: Sha256,
}

impl Blobs {
    /// The blobs in this folder, which may not exist yet.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where this content is, if it is there.
    pub fn path(&self, digest: &str) -> Option<PathBuf> {
        let path = self.folder.join(digest);
        (is_digest(digest) && path.is_file()).then_some(path)
    }

    /// Begins to receive content.
    ///
    /// # Errors
    /// When the folder cannot be written, or the digest is none.
    pub fn receive(&self, digest: &str) -> Result<Incoming, StepError> {
        if !is_digest(digest) {
            return Err(StepError::new(format!("`{digest}` is not a SHA-256 in lower-case hex")));
        }
        create_folder(&self.folder)?;
        let temporary = self.folder.join(format!(".{digest}"));
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary);
        let file = file.map_err(|error| StepError::io("write", &temporary, &error))?;
        let path = self.folder.join(digest);
        Ok(Incoming { digest: digest.to_owned(), temporary, path, file, hash: Sha256::new() })
    }

    /// Removes all of them.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn clear(&self) -> Result<(), StepError> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StepError::io("remove", &self.folder, &error)),
            _ => Ok(()),
        }
    }
}

impl Incoming {
    /// Takes the next piece.
    ///
    /// # Errors
    /// When it cannot be written, mostly for want of space.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), StepError> {
        self.hash.update(piece);
        self.file.write_all(piece).map_err(|error| StepError::io("write", &self.temporary, &error))
    }

    /// Checks the digest and puts the content in its place.
    ///
    /// # Errors
    /// When the content has another digest, or it cannot be written.
    pub fn finish(self) -> Result<(), StepError> {
        let found = hex(&self.hash.clone().finalize());
        if found != self.digest {
            return Err(StepError::new(format!("content {} arrived with the digest {found}", self.digest)));
        }
        let io = |error| StepError::io("write", &self.path, &error);
        self.file.sync_all().map_err(io)?;
        fs::rename(&self.temporary, &self.path).map_err(io)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // After `finish` it is no longer there; otherwise it is of no use to anyone.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// The SHA-256 of a file in lower-case hex.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn sha256_of(path: &Path) -> Result<String, StepError> {
    let io = |error| StepError::io("read", path, &error);
    let mut file = fs::File::open(path).map_err(io)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match io::Read::read(&mut file, &mut buffer).map_err(io)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn keeps_what_has_its_digest_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::at(folder.path().join("blobs"));
        assert!(blobs.path(ABC).is_none());
        let mut incoming = blobs.receive(ABC).unwrap();
        incoming.write(b"ab").unwrap();
        incoming.write(b"c").unwrap();
        incoming.finish().unwrap();
        assert_eq!(sha256_of(&blobs.path(ABC).unwrap()).unwrap(), ABC);

        let other = ABC.replace('b', "c");
        let mut incoming = blobs.receive(&other).unwrap();
        incoming.write(b"abc").unwrap();
        assert!(incoming.finish().unwrap_err().message.contains("arrived with the digest"));
        assert_eq!(fs::read_dir(folder.path().join("blobs")).unwrap().count(), 1);
        blobs.clear().unwrap();
        assert!(blobs.path(ABC).is_none());
    }

    #[test]
    fn a_path_is_no_digest() {
        assert!(Blobs::at("/".into()).receive("../../etc/passwd").is_err());
    }
}
