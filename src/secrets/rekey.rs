//! Who can read the file, changed.

use cc_plan::suggest::closest;

use super::data_key::{DataKey, OpenedBy};
use super::error::Error;
use super::identities::Identities;
use super::recipient::Recipient;
use super::terminal::Terminal;
use super::unlocked::Unlocked;

/// A change of recipients.
#[derive(Clone, Debug, Default)]
pub struct Rekey {
    /// Who can read it from now on.
    pub add: Vec<Recipient>,
    /// Names of recipients that cannot any more.
    pub remove: Vec<String>,
    /// A new data key, and every value sealed again with it. Without it, whoever once had the old file and key can also
    /// open values that are added later.
    pub rotate: bool,
    /// Allows a file that the own key does not open any more.
    pub without_me: bool,
}

/// What a rekey has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekeyed {
    /// Names of recipients that are new.
    pub added: Vec<String>,
    /// Names of recipients that are gone.
    pub removed: Vec<String>,
    /// How many values were sealed again.
    pub resealed: usize,
    /// What remains to be done by a person.
    pub warnings: Vec<String>,
}

impl Unlocked {
    /// Changes the recipients in memory; [`Unlocked::save`] then writes all of it or nothing. Every recipient is checked,
    /// every plugin asked and every value opened before anything changes.
    pub fn rekey(&mut self, rekey: &Rekey, terminal: Terminal) -> Result<Rekeyed, Error> {
        let recipients = self.recipients_after(rekey)?;
        if !rekey.without_me {
            self.stay_inside(&recipients)?;
        }
        let mut document = self.document.clone();
        let mut new_key = None;
        if rekey.rotate {
            let key = DataKey::generate();
            let unreadable = self.unreadable_values();
            if !unreadable.is_empty() {
                return Err(Error::Broken { path: self.base.path.clone(), problems: unreadable });
            }
            for (name, sealed) in &mut document.values {
                *sealed = key.seal(&document.header.environment, name.as_str(), &self.get(name.as_str())?);
            }
            new_key = Some(key);
        }
        let key = new_key.as_ref().unwrap_or(&self.key);
        document.header.data_key = key.wrap(&recipients, terminal)?;
        document.header.recipients = recipients;
        document.header.signature = key.sign(&document.header);
        let resealed = if rekey.rotate { document.values.len() } else { 0 };
        self.document = document;
        if let Some(key) = new_key {
            self.key = key;
            self.rotated = true;
        }
        Ok(Rekeyed {
            added: rekey.add.iter().map(|recipient| recipient.name().to_owned()).collect(),
            removed: rekey.remove.clone(),
            resealed,
            warnings: self.warnings(rekey),
        })
    }

    fn recipients_after(&self, rekey: &Rekey) -> Result<Vec<Recipient>, Error> {
        let mut recipients = self.recipients().to_vec();
        for name in &rekey.remove {
            let Some(at) = recipients.iter().position(|recipient| recipient.name() == name) else {
                let hint = match closest(name, self.recipients().iter().map(Recipient::name)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`secrets check` shows the recipients".into(),
                };
                return Err(self.refuse(format!("there is no recipient `{name}`"), &hint));
            };
            recipients.remove(at);
        }
        for new in &rekey.add {
            if let Some(old) = recipients.iter().find(|old| old.name() == new.name()) {
                let reason = format!("there is a recipient `{}` already ({})", old.name(), old.key());
                let hint =
                    format!("to replace the key, add `--remove {}`; a second key needs a name of its own", old.name());
                return Err(self.refuse(reason, &hint));
            }
            if let Some(old) = recipients.iter().find(|old| old.key() == new.key()) {
                let reason = format!("the key of `{}` is there already, as `{}`", new.name(), old.name());
                return Err(self.refuse(reason, &format!("to rename it, add `--remove {}`", old.name())));
            }
            recipients.push(new.clone());
        }
        if recipients.is_empty() {
            return Err(
                self.refuse("nobody could read the file any more".into(), "add another recipient in the same command")
            );
        }
        Ok(recipients)
    }

    /// Refuses to lock out whoever runs this, which is nearly always a mistake.
    fn stay_inside(&self, recipients: &[Recipient]) -> Result<(), Error> {
        let inside = match &self.opened_by {
            None => true,
            Some(OpenedBy::X25519(own)) => recipients.iter().any(|recipient| recipient.key().to_string() == *own),
            // Only the plugin knows which of its recipients belongs to which of its keys.
            Some(OpenedBy::Plugin) => recipients.iter().any(|recipient| recipient.key().plugin().is_some()),
        };
        if inside {
            return Ok(());
        }
        Err(self.refuse(
            "the key that you opened the file with would not open it any more".into(),
            "if that is what you want, add `--without-me`",
        ))
    }

    fn warnings(&self, rekey: &Rekey) -> Vec<String> {
        if rekey.remove.is_empty() {
            return Vec::new();
        }
        let who = rekey.remove.join(", ");
        let mut warnings = vec![format!(
            "{who} could read the values until now, and still can in every older copy of the file (git history): change the {} at their sources, then here with `secrets set`",
            match self.document.values.len() {
                1 => "one value".to_owned(),
                number => format!("{number} values"),
            }
        )];
        if !rekey.rotate {
            warnings.push(format!(
                "the data key is still the one that {who} had: with `--rotate`, values that are entered from now on are safe from it too"
            ));
        }
        warnings
    }

    fn refuse(&self, reason: String, hint: &str) -> Error {
        Error::Rekey { path: self.base.path.clone(), reason, hint: hint.to_owned() }
    }
}

impl Identities {
    /// The recipients that a new file gets when nobody said for whom: the own keys in files, named after `user`.
    pub fn as_recipients(&self, user: &str) -> Result<Vec<Recipient>, Error> {
        let name: String = user.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let name = if name.starts_with(|c: char| c.is_ascii_lowercase()) { name } else { "me".to_owned() };
        let keys = self.recipients();
        keys.into_iter()
            .enumerate()
            .map(|(index, key)| {
                let name = if index == 0 { name.clone() } else { format!("{name}-{}", index + 1) };
                Ok(Recipient::new(&name, super::recipient::RecipientKey::X25519(key))?)
            })
            .collect()
    }
}
