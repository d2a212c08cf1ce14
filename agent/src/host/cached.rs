//! What was parsed from files, until one of them changes.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::step_error::StepError;

/// A value made of files; made again when one of them is no longer the same.
pub(super) struct Cached<T>(Mutex<Option<(Vec<Stamp>, Arc<T>)>>);

/// What changes whenever a file is replaced or written: device, inode, size, times of data and status in nanoseconds.
#[derive(PartialEq, Eq)]
struct Stamp(u64, u64, u64, (i64, i64), (i64, i64));

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Cached<T> {
    /// The value, made from the files' texts when it is not there or old. A file that does not exist is an empty text.
    pub(super) fn get<const N: usize>(
        &self,
        paths: &[&Path; N],
        make: impl FnOnce([String; N]) -> T,
    ) -> Result<Arc<T>, StepError> {
        // Held while reading, so that threads which come at the same time read once.
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps: Vec<Stamp> = paths.iter().map(|path| Stamp::of(path)).collect();
        if let Some((known, value)) = &*slot
            && *known == stamps
        {
            return Ok(Arc::clone(value));
        }
        let mut texts = [const { String::new() }; N];
        for (text, path) in texts.iter_mut().zip(paths) {
            *text = read(path)?;
        }
        let value = Arc::new(make(texts));
        *slot = Some((stamps, Arc::clone(&value)));
        Ok(value)
    }
}

impl Stamp {
    fn of(path: &Path) -> Self {
        fs::metadata(path).map_or(Self(0, 0, 0, (0, 0), (0, 0)), |meta| {
            let times = ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()));
            Self(meta.dev(), meta.ino(), meta.size(), times.0, times.1)
        })
    }
}

fn read(path: &Path) -> Result<String, StepError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(StepError::io("read", path, &error)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_again_only_what_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let cached = Cached::<String>::default();
        let get = || cached.get(&[path.as_path()], |[text]| text).unwrap();
        assert_eq!(*get(), "");
        fs::write(&path, "one").unwrap();
        let first = get();
        assert_eq!(*first, "one");
        assert!(Arc::ptr_eq(&first, &get()));
        fs::write(folder.path().join("y"), "two").unwrap();
        fs::rename(folder.path().join("y"), &path).unwrap();
        assert_eq!(*get(), "two");
    }
}
