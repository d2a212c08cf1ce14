//! A run that has begun, as the history knows it.

use std::sync::Arc;

use super::account::Account;
use super::archive::Archive;
use super::archive_error::ArchiveError;
use super::began::Began;
use super::ended::Ended;
use super::mask::Mask;
use super::record::Entry;
use crate::error::CliError;
use crate::report::{Event, Report};

/// A run that has begun: its beginning stands in the history, and what happens in it is listened to.
pub struct OpenRun {
    archive: Archive,
    account: Arc<Account>,
    mask: Mask,
    run: String,
}

impl OpenRun {
    /// Writes that a run begins. Nothing may be changed before this has succeeded.
    ///
    /// # Errors
    /// When the history cannot be written; it says nothing of the run then.
    pub async fn begin(
        mut archive: Archive,
        run: &str,
        mut began: Began,
        mask: Mask,
        report: &Report,
    ) -> Result<Self, CliError> {
        began.mask(&mask);
        let appended = archive.append(run, &Entry::Began(Box::new(began))).await.map_err(refused)?;
        warn(report, &appended.troubles);
        let account = Arc::new(Account::new());
        report.listen(account.clone());
        Ok(Self { archive, account, mask, run: run.to_owned() })
    }

    /// Writes how it ended, and gives what was written. That this cannot be written is no failure of the run, and is said.
    pub async fn end(mut self, result: &Result<(), CliError>, report: &Report) -> Ended {
        let mut ended = self.account.ended(result);
        ended.mask(&self.mask);
        match self.archive.append(&self.run, &Entry::Ended(Box::new(ended.clone()))).await {
            Ok(appended) => warn(report, &appended.troubles),
            Err(error) => {
                let message = format!("the history has the beginning of run {} and not its end: {error}", self.run);
                report.emit(&Event::Warning { message: &message, hint: Some(error.hint()) });
            }
        }
        ended
    }
}

fn refused(error: ArchiveError) -> CliError {
    CliError::failed(format!("{error}; nothing was changed")).hint(error.hint())
}

fn warn(report: &Report, troubles: &[String]) {
    for message in troubles {
        report.emit(&Event::Warning { message, hint: None });
    }
}
