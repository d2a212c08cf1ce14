//! SSH keys that may log in as a user.

use serde::{Deserialize, Serialize};

use super::plain::plain;
use super::public_key::PublicKey;
use super::ssh_folder::{Guarded, SshFolder};
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Detail, Differ};
use crate::host::{Account, Host};
use crate::step_error::StepError;

/// SSH keys that may log in as a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorizedKeys {
    /// Login name.
    pub user: String,
    /// Public keys, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Remove every other key.
    #[serde(default)]
    pub exclusive: bool,
    /// Whether the keys should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What the host has of a user's keys.
pub struct KeysState {
    account: Option<Account>,
    /// Text of the file; `None` when it does not exist.
    text: Option<String>,
    guarded: Guarded,
}

impl AuthorizedKeys {
    fn wanted(&self) -> Result<Vec<PublicKey<'_>>, StepError> {
        let parse = |line: &'_ String| -> Result<(), StepError> {
            plain("keys", line.trim_end())?;
            if PublicKey::parse(line).is_some() {
                return Ok(());
            }
            let start: String = line.chars().take(40).collect();
            let error = StepError::new(format!("`{start}…` is not a public key of `{}`", self.user));
            Err(error.hint("write a line of a .pub file: `ssh-ed25519 AAAA… comment`"))
        };
        self.keys.iter().try_for_each(parse)?;
        Ok(self.keys.iter().filter_map(|line| PublicKey::parse(line)).collect())
    }

    /// Whether a line of the file stays as it is beside a wanted key of the same blob. Options that nobody asked for stay,
    /// unless the file is to hold nothing else.
    fn suffices(&self, found: &PublicKey<'_>, wanted: &PublicKey<'_>) -> bool {
        found.grants_the_same(wanted) || (!self.exclusive && !wanted.has_options())
    }

    /// The file's text as it should be, and the differences on the way.
    fn edit(&self, text: &str, differ: &mut Differ) -> Result<String, StepError> {
        let wanted = self.wanted()?;
        let mut missing: Vec<usize> = (0..wanted.len()).collect();
        let mut result = String::with_capacity(text.len() + 200);
        for line in text.lines() {
            let found = PublicKey::parse(line);
            let same = found.as_ref().and_then(|found| wanted.iter().position(|key| key.is_same_key(found)));
            let kept = match (&found, same) {
                (Some(found), Some(_)) if self.state == Presence::Absent => remove(found.describe(), differ),
                (Some(found), Some(index)) => {
                    missing.retain(|other| *other != index && !wanted[*other].is_same_key(&wanted[index]));
                    if self.suffices(found, &wanted[index]) {
                        Some(line)
                    } else {
                        differ.field("key", Some(found.describe()), Some(wanted[index].describe()));
                        Some(self.keys[index].trim())
                    }
                }
                (Some(found), None) if self.exclusive && self.state == Presence::Present => {
                    remove(found.describe(), differ)
                }
                // What only sshd understands may be a key too.
                (None, _) if self.exclusive && self.state == Presence::Present && is_content(line) => {
                    remove("a line that is no known key".to_owned(), differ)
                }
                _ => Some(line),
            };
            result.extend(kept.into_iter().flat_map(|line| [line, "\n"]));
        }
        for index in missing.into_iter().filter(|_| self.state == Presence::Present) {
            if !wanted[..index].iter().any(|earlier| earlier.is_same_key(&wanted[index])) {
                differ.field("key", None::<String>, Some(wanted[index].describe()));
                result.push_str(self.keys[index].trim());
                result.push('\n');
            }
        }
        Ok(result)
    }
}

/// Notes that a line goes; there is nothing to keep of it.
fn remove<'a>(line: String, differ: &mut Differ) -> Option<&'a str> {
    differ.push(Detail::Value { field: "key".to_owned(), before: Some(line), after: None });
    None
}

fn is_content(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

impl ResourceType for AuthorizedKeys {
    type State = KeysState;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        plain("user", &self.user)?;
        let accounts = host.accounts()?;
        let account = accounts.user(&self.user).cloned();
        let folder = account.as_ref().map(SshFolder::open).transpose()?.flatten();
        let (text, guarded) = match (&folder, &account) {
            (Some(folder), Some(account)) => (folder.read()?, folder.guarded(account, |uid| accounts.user_name(uid))?),
            _ => (None, Guarded::default()),
        };
        Ok(KeysState { account, text, guarded })
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let mut differ = Differ::default();
        let text = state.text.as_deref().unwrap_or_default();
        let edited = self.edit(text, &mut differ)?;
        if self.state == Presence::Absent {
            let kind = if edited == text { ChangeKind::None } else { ChangeKind::Delete };
            return Ok(Change { kind, ..differ.update() });
        }
        if state.text.is_some() {
            differ.field(
                "owner and mode of .ssh",
                state.guarded.folder.as_ref(),
                self.right(&state.guarded.folder, "0700"),
            );
            differ.field("owner and mode", state.guarded.keys.as_ref(), self.right(&state.guarded.keys, "0600"));
            return Ok(differ.update());
        }
        let change = if self.keys.is_empty() { differ.update() } else { differ.create() };
        let missing = state.account.is_none() && !change.is_none();
        Ok(if missing { change.note(format!("the user `{}` does not exist yet", self.user)) } else { change })
    }

    fn apply(&self, state: &Self::State, _: &Host) -> Result<(), StepError> {
        let Some(account) = &state.account else {
            let error = StepError::new(format!("the user `{}` does not exist", self.user));
            return Err(error.hint(format!("add a step `user: {}` before it", self.user)));
        };
        let text = self.edit(state.text.as_deref().unwrap_or_default(), &mut Differ::default())?;
        SshFolder::create(account)?.write(account, &text)
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { exclusive: false, state: Presence::Absent, ..self.clone() })
    }
}

impl AuthorizedKeys {
    /// What owner and mode should be, where they are not.
    fn right(&self, wrong: &Option<String>, mode: &str) -> Option<String> {
        wrong.as_ref().map(|_| format!("{} {mode}", self.user))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> AuthorizedKeys {
        AuthorizedKeys {
            user: "ann".into(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            exclusive: false,
            state: Presence::Present,
        }
    }

    fn edit(keys: &AuthorizedKeys, text: &str) -> String {
        let edited = keys.edit(text, &mut Differ::default()).unwrap();
        let mut again = Differ::default();
        assert_eq!(keys.edit(&edited, &mut again).unwrap(), edited);
        assert!(again.update().is_none(), "an edited text needs no edit");
        edited
    }

    const OLD: &str = "# hand-made\nno-pty ssh-ed25519 AAAAold old@laptop\nssh-rsa AAAArsa other\n";

    #[test]
    fn a_key_is_known_by_its_blob_whatever_its_comment_and_options() {
        assert_eq!(edit(&keys(&["ssh-ed25519 AAAAold new-comment"]), OLD), OLD);
        assert_eq!(
            edit(&keys(&["ssh-ed25519 AAAAnew me", "ssh-ed25519 AAAAnew me again"]), OLD),
            format!("{OLD}ssh-ed25519 AAAAnew me\n")
        );
    }

    #[test]
    fn options_that_are_asked_for_are_set() {
        let restricted = edit(&keys(&["restrict ssh-rsa AAAArsa other"]), OLD);
        assert!(restricted.ends_with("old@laptop\nrestrict ssh-rsa AAAArsa other\n"), "{restricted}");
    }

    #[test]
    fn exclusive_leaves_comments_and_no_other_grant() {
        let mut only = keys(&["ssh-ed25519 AAAAold x"]);
        only.exclusive = true;
        let text = format!("{OLD}webauthn-sk@example.org AAAAx\n");
        assert_eq!(edit(&only, &text), "# hand-made\nssh-ed25519 AAAAold x\n");
    }

    #[test]
    fn absent_removes_only_its_own_keys() {
        let gone = keys(&["ssh-rsa AAAArsa"]).absent().unwrap();
        assert_eq!(edit(&gone, OLD), "# hand-made\nno-pty ssh-ed25519 AAAAold old@laptop\n");
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_to_write() {
        let error = keys(&["hello"]).wanted().unwrap_err();
        assert!(error.message.contains("hello") && error.hint.unwrap().contains(".pub"));
        assert!(keys(&["ssh-rsa AAAA x\nssh-rsa AAAA y"]).wanted().is_err());
    }
}
