//! Folders and files of the agent's own, which nobody else may read.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::sync_folder;
use crate::step_error::StepError;

/// Creates a folder, with those above it, that lasts as long as what is put into it.
pub(crate) fn create_folder(folder: &Path) -> Result<(), StepError> {
    if folder.is_dir() {
        return Ok(());
    }
    let io = |error| StepError::io("create the folder", folder, &error);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    // The state of an environment is three folders deep at most.
    folder.ancestors().skip(1).take(3).try_for_each(sync_folder).map_err(io)
}

/// Opens the file whose lock is taken with `flock`, and creates it where needed; what is in it stays.
pub(crate) fn open_lock(path: &Path) -> Result<File, StepError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    file.map_err(|error| StepError::io("open", path, &error))
}
