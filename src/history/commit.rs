//! The commit of an environment's files.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// The commit of an environment's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its whole name.
    pub id: String,
    /// Whether the files differ from it: something was changed or added and not committed.
    pub differs: bool,
}

impl Commit {
    /// What is checked out in a folder. None where there is no git, no repository, or nothing committed yet.
    pub fn of(folder: &Path) -> Option<Self> {
        let id = git(folder, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        let differs = git(folder, &["status", "--porcelain", "--", "."])?;
        Some(Self { id: id.trim().to_owned(), differs: !differs.is_empty() })
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.id.get(..12).unwrap_or(&self.id);
        write!(f, "{short}{}", if self.differs { ", with changes that are not committed" } else { "" })
    }
}

/// The output of a git command that only reads; none when it fails.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    // It must not wait for another git, nor write an index that it has refreshed.
    git.arg("-C").arg(folder).args(arguments).env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null());
    let output = git.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(folder: &Path, arguments: &[&str]) {
        let who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").arg("-C").arg(folder).args(who).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    #[test]
    fn the_commit_is_named_and_what_differs_from_it_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Commit::of(folder.path()), None, "no repository");
        run(folder.path(), &["init", "-q"]);
        assert_eq!(Commit::of(folder.path()), None, "nothing committed");
        std::fs::write(folder.path().join("a"), "1").unwrap();
        run(folder.path(), &["add", "a"]);
        run(folder.path(), &["commit", "-q", "-m", "first"]);
        let clean = Commit::of(folder.path()).unwrap();
        assert_eq!((clean.id.len(), clean.differs), (40, false));
        std::fs::write(folder.path().join("b"), "new").unwrap();
        assert_eq!(Commit::of(folder.path()), Some(Commit { differs: true, ..clean }));
    }
}
