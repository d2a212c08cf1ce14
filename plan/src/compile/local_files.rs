//! Files on the operator's machine that roles refer to: an application's folder, its requirements.

use std::fmt::Debug;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Bytes of all files of a tree together.
const TREE_LIMIT: u64 = 512 << 20;

/// Files on the operator's machine, by their path relative to the repository. Compiling itself opens no file.
pub trait LocalFiles: Debug + Send + Sync {
    /// A file's bytes.
    ///
    /// # Errors
    /// What the system says, or that the path leads out of the repository.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Everything below a folder, sorted by path, without what is `excluded` by its path in the folder.
    ///
    /// # Errors
    /// What the system says, or what cannot be copied to another machine.
    fn tree(&self, path: &str, excluded: &dyn Fn(&str) -> bool) -> io::Result<Vec<TreeEntry>>;
}

/// One thing in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its path in the folder, with `/`.
    pub path: String,
    /// What it is.
    pub kind: TreeKind,
}

/// What stands in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// A folder.
    Directory,
    /// A file.
    File {
        /// What it holds.
        bytes: Vec<u8>,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link to another place in the folder.
    Link {
        /// As written.
        target: String,
    },
}

/// The files of a repository.
#[derive(Clone, Debug)]
pub struct RepositoryFiles {
    root: PathBuf,
}

impl RepositoryFiles {
    /// Files below this folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        if path.is_empty()
            || !Path::new(path).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
        {
            return Err(io::Error::other("the path must be relative to the repository and stay in it"));
        }
        Ok(self.root.join(path))
    }
}

impl LocalFiles for RepositoryFiles {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.resolve(path)?)
    }

    fn tree(&self, path: &str, excluded: &dyn Fn(&str) -> bool) -> io::Result<Vec<TreeEntry>> {
        let mut walk = Walk { excluded, entries: Vec::new(), bytes: 0 };
        walk.folder(&self.resolve(path)?, "")?;
        walk.entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(walk.entries)
    }
}

struct Walk<'a> {
    excluded: &'a dyn Fn(&str) -> bool,
    entries: Vec<TreeEntry>,
    bytes: u64,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name =
                name.to_str().ok_or_else(|| io::Error::other(format!("{} is not UTF-8", entry.path().display())))?;
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if (self.excluded)(&path) {
                continue;
            }
            let at = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
            let kind = self.kind(&entry.path(), &path).map_err(at)?;
            let is_folder = kind == TreeKind::Directory;
            self.entries.push(TreeEntry { path: path.clone(), kind });
            if is_folder {
                self.folder(&entry.path(), &path)?;
            }
        }
        Ok(())
    }

    fn kind(&mut self, place: &Path, path: &str) -> io::Result<TreeKind> {
        let metadata = place.symlink_metadata()?;
        if metadata.is_dir() {
            return Ok(TreeKind::Directory);
        }
        if metadata.is_symlink() {
            let target = place.read_link()?;
            return match target.to_str().filter(|_| stays_inside(path, &target)) {
                Some(target) => Ok(TreeKind::Link { target: target.to_owned() }),
                None => Err(io::Error::other("the link leads out of the folder; exclude it")),
            };
        }
        if !metadata.is_file() {
            return Err(io::Error::other("neither file, folder nor link; exclude it"));
        }
        self.bytes += metadata.len();
        if self.bytes > TREE_LIMIT {
            return Err(io::Error::other(format!(
                "the folder has more than {} MiB; exclude what is not needed",
                TREE_LIMIT >> 20
            )));
        }
        Ok(TreeKind::File { bytes: std::fs::read(place)?, executable: executable(&metadata) })
    }
}

/// Whether a link at `path` stays in the folder, by its text alone.
fn stays_inside(path: &str, target: &Path) -> bool {
    let mut depth = path.matches('/').count();
    target.components().all(|component| match component {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir => depth.checked_sub(1).is_some_and(|up| {
            depth = up;
            true
        }),
        Component::RootDir | Component::Prefix(_) => false,
    })
}

#[cfg(unix)]
fn executable(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn executable(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside() {
        for (path, target, inside) in [
            ("a", "b", true),
            ("a", "../b", false),
            ("d/a", "../b", true),
            ("d/a", "../../b", false),
            ("d/a", "/etc/passwd", false),
            ("d/a", "x/../../b", true),
        ] {
            assert_eq!(stays_inside(path, Path::new(target)), inside, "{path} -> {target}");
        }
    }

    #[test]
    fn paths_stay_in_the_repository() {
        let files = RepositoryFiles::new("/nowhere");
        for path in ["", "/etc/passwd", "../x", "a/../../b"] {
            assert!(files.resolve(path).is_err(), "{path}");
        }
        assert_eq!(files.resolve("a/./b").unwrap(), Path::new("/nowhere/a/./b"));
    }
}
