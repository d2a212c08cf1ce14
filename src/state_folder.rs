//! What this user's commands remember between two of them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest, Sha256};

/// The folder of `topic` for a repository: below `$XDG_STATE_HOME/cc-cloud`, by default in `~/.local/state`. Repositories are kept
/// apart, because two may have an environment of the same name. None where neither is known.
pub fn state_folder(topic: &str, repository: &Path) -> Option<PathBuf> {
    let named = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named.or_else(|| env::home_dir().map(|home| home.join(".local/state")))?;
    let repository = fs::canonicalize(repository).unwrap_or_else(|_| repository.to_owned());
    let digest = Sha256::digest(repository.to_string_lossy().as_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Some(state.join("cc-cloud").join(topic).join(name))
}
