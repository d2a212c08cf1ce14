//! A text file that others own too, in which a resource changes a part.

use std::fs;
use std::path::PathBuf;

use super::text_diff::text_diff;
use crate::change::{Change, ChangeKind};
use crate::host::{Attributes, Host};
use crate::step_error::StepError;

/// A text file as it is.
pub struct EditedText {
    /// The file itself, with links followed.
    place: PathBuf,
    /// Its text; `None` when there is no file.
    text: Option<String>,
}

impl EditedText {
    /// Reads the file.
    pub(crate) fn observe(host: &Host, path: &str) -> Result<Self, StepError> {
        // The file behind a link is what others read: the link stays.
        let place = fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
        let text = host.read_text(&place)?;
        Ok(Self { place, text })
    }

    /// What an edit would change. `edit` gets the text and something that resolves what the resource itself brings: once with
    /// secrets, to compare, and once without, to show. `target` is the resource's, to know whether it held a secret before.
    pub(crate) fn diff<E>(
        &self,
        host: &Host,
        create: bool,
        wanted: &str,
        target: &str,
        edit: E,
    ) -> Result<Change, StepError>
    where
        E: Fn(&str, &str) -> Result<(ChangeKind, String), StepError>,
    {
        let before = self.text.as_deref().unwrap_or_default();
        let revealed = host.reveal(wanted)?;
        let (kind, after) = edit(before, &revealed)?;
        if after == before {
            return Ok(Change::none());
        }
        if self.text.is_none() && !create {
            let text = format!("cannot edit {}: it does not exist", self.place.display());
            return Err(StepError::new(text).hint("say `create: true`, or add the step that makes it before this one"));
        }
        let secret = crate::secret::contains_token(wanted) || host.was_secret(target);
        let shown = host.vault().scrub(before);
        let (_, masked) = edit(&shown, &host.vault().mask(wanted))?;
        Ok(Change { kind, details: vec![text_diff(host, "content", &shown, &masked, secret)] })
    }

    /// Writes the edited text; owner and mode stay.
    pub(crate) fn apply<E>(&self, host: &Host, wanted: &str, edit: E) -> Result<(), StepError>
    where
        E: Fn(&str, &str) -> Result<(ChangeKind, String), StepError>,
    {
        let (_, after) = edit(self.text.as_deref().unwrap_or_default(), &host.reveal(wanted)?)?;
        host.write(&self.place, after.as_bytes(), Attributes::default())
    }
}

/// The text with a line end at its end, unless it is empty.
pub(crate) fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}
