use std::env;
use std::path::PathBuf;

/// What this user's rehearsals keep between two commands: `$XDG_DATA_HOME/cc-cloud/rehearsal`, by default below
/// `~/.local/share`. Nothing if neither is known.
pub(super) fn rehearsal() -> Option<PathBuf> {
    let named = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = named.or_else(|| env::home_dir().map(|home| home.join(".local/share")))?;
    Some(data.join("cc-cloud/rehearsal"))
}
