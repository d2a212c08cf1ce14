//! The secrets file of an environment, opened with a key.

use std::collections::BTreeSet;
use std::fmt;

use cc_agent::secret::{Secret, Vault, contains_token};
use cc_plan::suggest::closest;
use rand::distr::{Alphanumeric, SampleString};

use super::data_key::{DataKey, OpenedBy};
use super::document::{Document, RESTORE};
use super::error::Error;
use super::name::Name;
use super::plan_key::PlanKey;
use super::problem::Problem;
use super::recipient::Recipient;
use super::replace;
use super::store::{self, Store};

/// Bytes of the longest value.
pub(super) const VALUE_LIMIT: usize = 1 << 20;

/// A secrets file with its data key. Changes are in memory until [`Unlocked::save`].
pub struct Unlocked {
    /// The file as it was read.
    pub(super) base: Store,
    /// The file as it will be.
    pub(super) document: Document,
    pub(super) key: DataKey,
    /// `None` for a file that was made here.
    pub(super) opened_by: Option<OpenedBy>,
    /// Whether `key` is another one than in the file as it was read.
    pub(super) rotated: bool,
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unlocked({})", self.base.path.display())
    }
}

impl Unlocked {
    pub(super) fn new(base: Store, key: DataKey, opened_by: Option<OpenedBy>) -> Self {
        Self { document: base.document.clone(), base, key, opened_by, rotated: false }
    }

    /// The names of all secrets, sorted.
    pub fn names(&self) -> BTreeSet<String> {
        self.document.values.keys().map(ToString::to_string).collect()
    }

    /// Who can read it.
    pub fn recipients(&self) -> &[Recipient] {
        &self.document.header.recipients
    }

    /// A value. [`Error::Unknown`] without one of this name, [`Error::Broken`] when it was tampered with.
    pub fn get(&self, name: &str) -> Result<Secret<String>, Error> {
        let sealed = self.document.values.get(name).ok_or_else(|| self.unknown(name))?;
        self.key
            .open(&self.document.header.environment, name, sealed)
            .ok_or_else(|| Error::Broken { path: self.base.path.clone(), problems: vec![self.unreadable(name)] })
    }

    /// Adds or changes a value; whether that is a change. The same value again stays as it is sealed.
    pub fn set(&mut self, name: &Name, value: &Secret<String>) -> Result<bool, Error> {
        if let Some(reason) = unusable(value.expose()) {
            return Err(Error::Value { name: name.to_string(), reason });
        }
        let same = self.get(name.as_str()).is_ok_and(|old| old.expose() == value.expose());
        if !same {
            let sealed = self.key.seal(&self.document.header.environment, name.as_str(), value);
            self.document.values.insert(name.clone(), sealed);
        }
        Ok(!same)
    }

    /// Sets a value of random letters and digits (5.95 bits each), at least 16 of them.
    pub fn set_random(&mut self, name: &Name, length: usize) -> Result<(), Error> {
        if length < 16 {
            let reason = "would be too short to be safe: at least 16 random characters";
            return Err(Error::Value { name: name.to_string(), reason });
        }
        let value = Secret::new(Alphanumeric.sample_string(&mut rand::rng(), length.min(VALUE_LIMIT)));
        self.set(name, &value).map(drop)
    }

    /// Takes a secret out.
    pub fn remove(&mut self, name: &str) -> Result<(), Error> {
        match self.document.values.remove(name) {
            Some(_) => Ok(()),
            None => Err(self.unknown(name)),
        }
    }

    /// 12 hex digits that change when the value changes and tell nothing else: for plans and ledgers.
    pub fn digest(&self, name: &str) -> Result<String, Error> {
        Ok(self.key.digest(name, &self.get(name)?))
    }

    /// The key that seals the environment's saved plans.
    pub fn plan_key(&self) -> PlanKey {
        self.key.plan_key()
    }

    /// The values that one host needs, ready for the wire.
    pub fn vault<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Vault, Error> {
        let mut vault = Vault::default();
        for name in names {
            let value = self.get(name)?;
            let digest = self.key.digest(name, &value);
            vault.insert(name.to_owned(), value, digest);
        }
        Ok(vault)
    }

    /// Every value that cannot be opened.
    pub fn unreadable_values(&self) -> Vec<Problem> {
        let names = self.document.values.keys().map(Name::as_str);
        names.filter(|name| self.get(name).is_err()).map(|name| self.unreadable(name)).collect()
    }

    /// Names whose line in the file will change, or that come or go.
    pub fn changed(&self) -> BTreeSet<String> {
        changes(&self.base.document, &self.document).into_iter().map(ToString::to_string).collect()
    }

    /// Writes the file, as a whole or not at all; whether there was anything to write. What somebody else wrote since it
    /// was read stays, as long as both did not change the same secret ([`Error::Collision`]).
    pub fn save(&mut self) -> Result<bool, Error> {
        let path = &self.base.path;
        let failed = |error| Error::io("write the secrets file", path, error);
        let Some(base) = &self.base.text else {
            let text = self.checked_text()?;
            replace::replace(path, &text, true).map_err(failed)?;
            return self.saved(text).map(|()| true);
        };
        let lock = replace::lock(path);
        let current = store::read(path)?;
        if current != *base {
            let theirs = store::parse(path, &current, &self.document.header.environment)?;
            self.document = self.merge(theirs)?;
        }
        let text = self.checked_text()?;
        let changed =
            text != current && (self.document.header != self.base.document.header || !self.changed().is_empty());
        if changed {
            replace::replace(&self.base.path, &text, false)
                .map_err(|error| Error::io("write the secrets file", &self.base.path, error))?;
        }
        drop(lock);
        if changed { self.saved(text).map(|()| true) } else { Ok(false) }
    }

    /// What was written is what is there from now on.
    fn saved(&mut self, text: String) -> Result<(), Error> {
        self.document = store::parse(&self.base.path, &text, &self.document.header.environment)?;
        self.base.document = self.document.clone();
        self.base.text = Some(text);
        self.rotated = false;
        Ok(())
    }

    /// The text, after reading it back: a file that could not be read again must not replace one that can.
    fn checked_text(&self) -> Result<String, Error> {
        let text = self.document.to_string();
        let again = store::parse(&self.base.path, &text, &self.document.header.environment)?;
        if again.header != self.document.header || again.values != self.document.values {
            let problem =
                Problem::error(None, "what would be written does not read back as it was; nothing was written");
            return Err(Error::Broken { path: self.base.path.clone(), problems: vec![problem] });
        }
        Ok(text)
    }

    /// Our changes on top of what somebody else wrote.
    fn merge(&self, theirs: Document) -> Result<Document, Error> {
        let collision = |what: String| Error::Collision { path: self.base.path.clone(), what };
        let base = &self.base.document;
        let (ours, mut merged) = (&self.document, theirs);
        if merged.header != base.header {
            return Err(collision("the recipients".into()));
        }
        // Their values are sealed with the data key that we have just replaced.
        if self.rotated && !changes(base, &merged).is_empty() {
            return Err(collision("values".into()));
        }
        merged.header = ours.header.clone();
        for name in changes(base, ours) {
            if base.values.get(name) != merged.values.get(name) && merged.values.get(name) != ours.values.get(name) {
                return Err(collision(format!("`{name}`")));
            }
            match ours.values.get(name) {
                Some(sealed) => merged.values.insert(name.clone(), sealed.clone()),
                None => merged.values.remove(name),
            };
        }
        Ok(merged)
    }

    fn unreadable(&self, name: &str) -> Problem {
        let message = format!(
            "the value of `{name}` does not open: it was changed, moved here from another name or environment, or sealed under an earlier data key"
        );
        Problem::error(self.base.line(name), message).hint(RESTORE)
    }

    fn unknown(&self, name: &str) -> Error {
        let near = closest(name, self.document.values.keys().map(Name::as_str)).map(str::to_owned);
        Error::Unknown { path: self.base.path.clone(), name: name.to_owned(), near }
    }
}

/// Names that have another line in `new`, or one only there or only in `old`.
fn changes<'a>(old: &'a Document, new: &'a Document) -> BTreeSet<&'a Name> {
    let names = old.values.keys().chain(new.values.keys());
    names.filter(|name| old.values.get(*name) != new.values.get(*name)).collect()
}

/// Why a text cannot be a secret.
pub(super) fn unusable(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        Some("is empty: remove the secret instead, or give it a value")
    } else if value.len() > VALUE_LIMIT {
        Some("is larger than 1 MiB")
    } else if value.contains('\0') {
        Some("has a NUL character in it, which no file or setting of a host can hold: encode binary data in base64")
    } else if contains_token(value) {
        Some("has a character in it (U+E000 or U+E001) that stands for secrets in plans")
    } else {
        None
    }
}
