//! The secrets file of an environment, closed: everybody can read who has access and which names there are.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::data_key::{DataKey, UnwrapError};
use super::document::{Document, Header, LIMIT, RESTORE_HEADER};
use super::error::Error;
use super::identities::Identities;
use super::problem::Problem;
use super::recipient::Recipient;
use super::terminal::Terminal;
use super::unlocked::Unlocked;

/// A secrets file as it was read. Names and recipients are readable without a key.
#[derive(Clone)]
pub struct Store {
    pub(super) path: PathBuf,
    pub(super) document: Document,
    /// The text of the file; `None` for one that is not written yet.
    pub(super) text: Option<String>,
}

impl Store {
    /// Reads the secrets file of an environment. Everything that can be found wrong without a key is in the error, with
    /// lines; no file is [`Error::Missing`].
    pub fn open(path: &Path, environment: &str) -> Result<Self, Error> {
        let text = read(path)?;
        let document = parse(path, &text, environment)?;
        Ok(Self { path: path.to_owned(), document, text: Some(text) })
    }

    /// A new secrets file without values, with a data key of its own; [`Unlocked::save`] writes it.
    pub fn create(
        path: &Path,
        environment: &str,
        recipients: Vec<Recipient>,
        terminal: Terminal,
    ) -> Result<Unlocked, Error> {
        if path.try_exists().map_err(|error| Error::io("look for the secrets file", path, error))? {
            return Err(Error::Exists { path: path.to_owned() });
        }
        let key = DataKey::generate();
        let data_key = key.wrap(&recipients, terminal)?;
        let mut header = Header { environment: environment.to_owned(), recipients, data_key, signature: [0; 32] };
        header.signature = key.sign(&header);
        let document = Document { header, values: Default::default(), lines: Default::default(), header_lines: (0, 0) };
        Ok(Unlocked::new(Self { path: path.to_owned(), document, text: None }, key, None))
    }

    /// Opens and unlocks the secrets file of an environment. Where there is none, it is a new one for the own keys, which
    /// are named after `user`.
    pub fn open_or_create(
        path: &Path,
        environment: &str,
        identities: &Identities,
        user: &str,
    ) -> Result<Unlocked, Error> {
        match Self::open(path, environment) {
            Ok(store) => store.unlock(identities),
            Err(Error::Missing { .. }) => {
                let recipients = identities.as_recipients(user)?;
                if recipients.is_empty() {
                    return Err(Error::NoOwnKey { path: path.to_owned(), looked: identities.looked().to_vec() });
                }
                Self::create(path, environment, recipients, identities.terminal())
            }
            Err(error) => Err(error),
        }
    }

    /// Opens it with the first of the keys that fits.
    pub fn unlock(self, identities: &Identities) -> Result<Unlocked, Error> {
        let header = &self.document.header;
        match DataKey::unwrap(&header.data_key, identities) {
            Ok((key, opened_by)) if key.verify(header) => Ok(Unlocked::new(self, key, Some(opened_by))),
            Ok(_) => Err(self.broken_header(
                self.document.header_lines.1,
                "the signature does not fit: recipients were changed by hand, or by somebody who cannot open the file"
                    .into(),
            )),
            Err(UnwrapError::Damaged(reason)) => {
                Err(self.broken_header(self.document.header_lines.0, format!("`data_key` is damaged: {reason}")))
            }
            Err(UnwrapError::NoKey(notes)) => Err(Error::NoKey {
                recipients: header.recipients.iter().map(|r| format!("{} ({})", r.name(), r.key())).collect(),
                looked: identities.looked().to_vec(),
                notes,
                path: self.path,
            }),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The environment that it belongs to.
    pub fn environment(&self) -> &str {
        &self.document.header.environment
    }

    /// The names of all secrets, sorted.
    pub fn names(&self) -> BTreeSet<String> {
        self.document.values.keys().map(ToString::to_string).collect()
    }

    /// Who can read it.
    pub fn recipients(&self) -> &[Recipient] {
        &self.document.header.recipients
    }

    /// The line of a name in the file, from 1.
    pub fn line(&self, name: &str) -> Option<usize> {
        self.document.lines.get(name).copied()
    }

    fn broken_header(&self, line: usize, message: String) -> Error {
        let problem = Problem::error(line, message).hint(RESTORE_HEADER);
        Error::Broken { path: self.path.clone(), problems: vec![problem] }
    }
}

/// The text of a secrets file.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        _ => Error::io("read the secrets file", path, error),
    };
    let mut bytes = Vec::new();
    // One byte more than allowed, so that the parser sees that it is too much, and a device file ends.
    File::open(path).map_err(failed)?.take(LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let problem = Problem::error(line, "not a text file (UTF-8)").hint("restore the file from git");
        Error::Broken { path: path.to_owned(), problems: vec![problem] }
    })
}

/// The text of a secrets file, understood.
pub(super) fn parse(path: &Path, text: &str, environment: &str) -> Result<Document, Error> {
    Document::parse(text, environment).map_err(|problems| Error::Broken { path: path.to_owned(), problems })
}
