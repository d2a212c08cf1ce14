//! An apt source in deb822 format with the key that signs it.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::edited_text::ended;
use super::openpgp::fingerprints;
use super::text_diff::text_diff;
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Detail, Differ};
use crate::host::{Attributes, Host};
use crate::secret::contains_token;
use crate::step_error::StepError;

/// An apt source in deb822 format with the key that signs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AptRepository {
    /// File name without ending, under `/etc/apt/sources.list.d` and `/etc/apt/keyrings`.
    pub name: String,
    /// Base addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uris: Vec<String>,
    /// Suites: `jammy-pgdg`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<String>,
    /// Components: `main`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Architectures; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<String>,
    /// ASCII-armoured or inline public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Fingerprint that the key must have: 40 hex digits, spaces allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What stands in the two files of an [`AptRepository`].
pub struct AptRepositoryState {
    source: Option<String>,
    key: Option<String>,
}

impl ResourceType for AptRepository {
    type State = AptRepositoryState;

    fn observe(&self, host: &Host) -> Result<AptRepositoryState, StepError> {
        self.validate(host)?;
        let (source, key) = self.paths(host);
        Ok(AptRepositoryState { source: host.read_text(&source)?, key: host.read_text(&key)? })
    }

    fn diff(&self, state: &AptRepositoryState, host: &Host) -> Result<Change, StepError> {
        if self.state == Presence::Absent {
            let there = state.source.is_some() || state.key.is_some();
            return Ok(if there { Change::of(ChangeKind::Delete) } else { Change::none() });
        }
        let mut differ = Differ::default();
        let source = self.source(host);
        if state.source.as_deref() != Some(host.reveal(&source)?.as_str()) {
            let before = state.source.as_deref().unwrap_or_default();
            let hidden = contains_token(&source) || host.was_secret(&format!("apt_repository:{}", self.name));
            differ.push(text_diff(host, "source", before, &source, hidden));
        }
        let key = self.key.as_deref().map(ended);
        if state.key != key {
            let name = |key: &Option<String>| {
                key.as_ref().map(|key| fingerprints(key).map_or_else(|why| why, |all| all.join(" ")))
            };
            match (name(&state.key), name(&key)) {
                (before, after) if before == after => {
                    differ.push(Detail::Note { text: "the same key in another form".to_owned() });
                }
                (before, after) => differ.push(Detail::Value { field: "key".to_owned(), before, after }),
            }
        }
        Ok(if state.source.is_some() { differ.update() } else { differ.create() })
    }

    fn apply(&self, _: &AptRepositoryState, host: &Host) -> Result<(), StepError> {
        let (source, key) = self.paths(host);
        if self.state == Presence::Absent {
            host.remove(&source)?;
            return host.remove(&key);
        }
        for folder in [source.parent(), key.parent()].into_iter().flatten() {
            fs::create_dir_all(folder).map_err(|error| StepError::io("create", folder, &error))?;
        }
        // The key before the source that asks for it, the other way round when it is no longer asked for.
        if let Some(text) = &self.key {
            host.write(&key, ended(text).as_bytes(), Attributes::of_mode(0o644))?;
        }
        let text = self.source(host);
        let bits = if contains_token(&text) { 0o600 } else { 0o644 };
        host.write(&source, host.reveal(&text)?.as_bytes(), Attributes::of_mode(bits))?;
        if self.key.is_none() { host.remove(&key) } else { Ok(()) }
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { key: None, fingerprint: None, state: Presence::Absent, ..self.clone() })
    }
}

impl AptRepository {
    fn validate(&self, host: &Host) -> Result<(), StepError> {
        let wrong = |text: String| Err(StepError::new(format!("the apt repository `{}` {text}", self.name)));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(plain) {
            return wrong("is the name of a file: apt reads only letters, digits, `-`, `_` and `.`".to_owned());
        }
        if self.state == Presence::Absent {
            return Ok(());
        }
        if self.uris.is_empty() || self.suites.is_empty() {
            return wrong("needs `uris` and `suites`".to_owned());
        }
        let fields = [&self.uris, &self.suites, &self.components, &self.architectures];
        for word in fields.into_iter().flatten() {
            let blank = host.reveal(word)?.contains(char::is_whitespace);
            if word.is_empty() || blank {
                return wrong("has an entry that is empty or holds white space".to_owned());
            }
        }
        self.check_key()
    }

    /// The key must be the one that was meant, and no other may come with it.
    fn check_key(&self) -> Result<(), StepError> {
        let name = &self.name;
        let Some(key) = &self.key else {
            return match self.fingerprint {
                None => Ok(()),
                Some(_) => {
                    Err(StepError::new(format!("the apt repository `{name}` has a `fingerprint`, but no `key`")))
                }
            };
        };
        let found = fingerprints(key)
            .map_err(|why| StepError::new(format!("the key of the apt repository `{name}`: {why}")))?;
        let Some(wanted) = &self.fingerprint else {
            return Ok(());
        };
        let wanted = wanted.replace(' ', "").to_lowercase();
        if found.iter().all(|found| *found == wanted) {
            return Ok(());
        }
        let text =
            format!("the key of the apt repository `{name}` has the fingerprint {}, not {wanted}", found.join(" and "));
        Err(StepError::new(text).hint("find out whose key it is before you trust it"))
    }

    /// Where the source and the key are.
    fn paths(&self, host: &Host) -> (PathBuf, PathBuf) {
        let apt = host.apt_folder();
        (apt.join(format!("sources.list.d/{}.sources", self.name)), apt.join(format!("keyrings/{}.asc", self.name)))
    }

    fn source(&self, host: &Host) -> String {
        let mut text = String::from("# Managed by cc-cloud\nTypes: deb\n");
        let fields = [
            ("URIs", &self.uris),
            ("Suites", &self.suites),
            ("Components", &self.components),
            ("Architectures", &self.architectures),
        ];
        for (name, words) in fields.into_iter().filter(|(_, words)| !words.is_empty()) {
            text.push_str(&format!("{name}: {}\n", words.join(" ")));
        }
        if self.key.is_some() {
            text.push_str(&format!("Signed-By: {}\n", self.paths(host).1.display()));
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::openpgp::tests::{FINGERPRINT, KEY};
    use super::*;
    use crate::resource::tests::Bench;

    fn repository(more: &serde_json::Value) -> AptRepository {
        let mut value = serde_json::json!({
            "name": "pgdg", "uris": ["https://apt.example.org/pub"], "suites": ["bookworm-pgdg"], "components": ["main"], "key": KEY,
        });
        for (name, field) in more.as_object().unwrap() {
            value[name] = field.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn writes_source_and_key_and_removes_them() {
        let bench = Bench::new();
        let spaced = format!("{} {}", &FINGERPRINT[..20], &FINGERPRINT[20..]);
        let pgdg = repository(&serde_json::json!({"fingerprint": spaced}));
        assert_eq!(bench.converge(&pgdg).kind, ChangeKind::Create);
        let (source, key) = pgdg.paths(&bench.host);
        let text = fs::read_to_string(&source).unwrap();
        assert!(
            text.contains("Suites: bookworm-pgdg\nComponents: main\nSigned-By: ") && text.ends_with("pgdg.asc\n"),
            "{text}"
        );
        assert_eq!(fs::read_to_string(&key).unwrap(), KEY);
        let updated = bench.converge(&repository(&serde_json::json!({"architectures": ["amd64"]})));
        assert_eq!((updated.kind, updated.details.len()), (ChangeKind::Update, 1));
        assert_eq!(bench.converge(&pgdg.absent().unwrap()).kind, ChangeKind::Delete);
        assert!(!source.exists() && !key.exists());
    }

    #[test]
    fn a_key_that_is_not_the_right_one_is_refused() {
        let bench = Bench::new();
        for (more, message) in [
            (serde_json::json!({"fingerprint": "0".repeat(40)}), "has the fingerprint 84e6"),
            (serde_json::json!({"key": "no key"}), "does not begin"),
            (serde_json::json!({"uris": ["https://a b"]}), "white space"),
            (serde_json::json!({"name": "a/b"}), "the name of a file"),
        ] {
            let error = repository(&more).observe(&bench.host).err().unwrap();
            assert!(error.message.contains(message), "{error}");
        }
    }
}
