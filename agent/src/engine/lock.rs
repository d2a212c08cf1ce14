//! One agent at a time applies in an environment on a host.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::host::{create_folder, open_lock};
use crate::last_run::LastRun;
use crate::step_error::StepError;

/// Keeps other agents away from this environment on this host as long as the file is open.
///
/// # Errors
/// When another one applies, or the lock cannot be made.
pub(super) fn lock(state: &Path) -> Result<File, StepError> {
    create_folder(state)
        .map_err(|error| error.hint("the agent keeps its journal and ledger there: without it nothing is changed"))?;
    let path = state.join("lock");
    let file = open_lock(&path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(busy(state)),
        Err(error) => Err(StepError::io("lock", &path, &error.into())),
    }
}

/// Says which run it is that another agent applies.
pub(super) fn busy(state: &Path) -> StepError {
    let mut text = "another run is at work on this host".to_owned();
    if let Some(LastRun { run, origin, age, .. }) = LastRun::read(state) {
        text += &format!(": {run} of {}, since {age} s", origin.owner());
    }
    StepError::new(text).hint("it ends by itself; `attach` follows it")
}
