//! The secrets that one host needs, in the agent's memory only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::forms::{self, MASK};
use super::token::{CLOSE, OPEN};
use super::{Secret, Token};

/// Secret values by name, with what stands for each in a ledger.
#[derive(Default)]
pub struct Vault {
    entries: BTreeMap<String, Entry>,
    /// Every form in which a value could leave, longest first.
    forms: Vec<Zeroizing<String>>,
}

struct Entry {
    value: Secret<String>,
    digest: String,
}

/// Why a token has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The controller did not send this secret.
    #[error("the secret `{0}` is not known to this host")]
    Unknown(String),
    /// An opening without an end, or an unknown transform.
    #[error("a place for a secret is damaged: {0}")]
    Broken(String),
    /// The frame is not what [`Vault::to_frame`] makes.
    #[error("the frame of secrets is broken at byte {0}")]
    Frame(usize),
}

/// An entry on the wire.
#[derive(Serialize, Deserialize)]
struct Wire {
    value: String,
    digest: String,
}

/// An entry on its way to the wire.
#[derive(Serialize)]
struct WireRef<'a> {
    value: &'a str,
    digest: &'a str,
}

impl Vault {
    /// Adds a value. `digest` stands for it in ledgers: it is keyed with the environment's data key, so that nobody can guess
    /// a short secret from the ledger.
    pub fn insert(&mut self, name: String, value: Secret<String>, digest: String) {
        for form in forms::of(value.expose()) {
            let place = self.forms.partition_point(|other| other.len() > form.len());
            self.forms.insert(place, form);
        }
        self.entries.insert(name, Entry { value, digest });
    }

    /// The values from a `Secrets` frame.
    ///
    /// # Errors
    /// [`VaultError::Frame`] when the frame is not a JSON object of `{value, digest}` by name. The text of the frame is in no error.
    pub fn from_frame(payload: &[u8]) -> Result<Self, VaultError> {
        let wire: BTreeMap<String, Wire> =
            serde_json::from_slice(payload).map_err(|error| VaultError::Frame(error.column()))?;
        let mut vault = Self::default();
        for (name, Wire { value, digest }) in wire {
            vault.insert(name, Secret::new(value), digest);
        }
        Ok(vault)
    }

    /// The payload of a `Secrets` frame.
    pub fn to_frame(&self) -> Zeroizing<Vec<u8>> {
        let wire: BTreeMap<&str, WireRef<'_>> = self
            .entries
            .iter()
            .map(|(name, entry)| (name.as_str(), WireRef { value: entry.value.expose(), digest: &entry.digest }))
            .collect();
        // Large enough for everything escaped, so that no grown and dropped buffer keeps a value.
        let size: usize = wire.iter().map(|(name, entry)| 6 * (name.len() + entry.value.len() + 64) + 64).sum();
        let mut frame = Zeroizing::new(Vec::with_capacity(size + 2));
        #[expect(clippy::expect_used, reason = "strings in a map are always JSON, and a Vec never fails to write")]
        serde_json::to_writer(&mut *frame, &wire).expect("strings are JSON");
        frame
    }

    /// The names that it holds.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The text with every token replaced by its value.
    ///
    /// # Errors
    /// An unknown secret or a damaged token.
    pub fn reveal(&self, text: &str) -> Result<Zeroizing<String>, VaultError> {
        let mut revealed = Zeroizing::new(String::with_capacity(text.len() + 256));
        for piece in Token::split(text) {
            match piece {
                Token::Text(plain) => append(&mut revealed, plain),
                Token::Secret(name, transforms) => {
                    let entry = self.entries.get(name).ok_or_else(|| VaultError::Unknown(name.to_owned()))?;
                    let mut value = Zeroizing::new(entry.value.expose().clone());
                    for transform in transforms {
                        value = forms::transform(&value, transform);
                    }
                    append(&mut revealed, &value);
                }
                Token::Broken(piece) => return Err(VaultError::Broken(piece.replace([OPEN, CLOSE], "?"))),
            }
        }
        Ok(revealed)
    }

    /// The text with every token replaced by `(secret)`, damaged ones too.
    pub fn mask(&self, text: &str) -> String {
        mask(text)
    }

    /// The text without any secret value, in whatever common form it stands there; the net under everything that leaves.
    /// Values of less than four characters are not looked for: they would hide half of every text.
    pub fn scrub(&self, text: &str) -> String {
        let mut text = mask(text);
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), MASK);
            }
        }
        text
    }

    /// Whether the text holds a secret value that [`Vault::scrub`] would hide.
    pub fn leaks(&self, text: &str) -> bool {
        self.forms.iter().any(|form| text.contains(form.as_str()))
    }

    /// The text with every token followed by the keyed digest of its value, to compute the digest of what a resource is.
    pub(crate) fn stamped(&self, text: &str) -> String {
        let mut stamped = String::with_capacity(text.len() + 64);
        for piece in Token::split(text) {
            match piece {
                Token::Text(plain) | Token::Broken(plain) => stamped.push_str(plain),
                Token::Secret(name, transforms) => {
                    stamped.push_str(&super::token(name, &transforms));
                    stamped.push_str(self.entries.get(name).map_or("", |entry| &entry.digest));
                }
            }
        }
        stamped
    }
}

/// The text with every token replaced by `(secret)`, damaged ones too.
pub fn mask(text: &str) -> String {
    if !super::contains_token(text) {
        return text.to_owned();
    }
    let piece = |piece| match piece {
        Token::Text(plain) => plain,
        Token::Secret(..) | Token::Broken(_) => MASK,
    };
    Token::split(text).into_iter().map(piece).collect()
}

/// Appends without leaving the old buffer behind unwiped when the text grows.
fn append(text: &mut Zeroizing<String>, more: &str) {
    if text.capacity() - text.len() < more.len() {
        let mut grown = String::with_capacity(2 * (text.len() + more.len()));
        grown.push_str(text);
        text.zeroize();
        **text = grown;
    }
    text.push_str(more);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::{Transform, token};

    fn vault(value: &str) -> Vault {
        let mut vault = Vault::default();
        vault.insert("db".to_owned(), Secret::new(value.to_owned()), "hmac:1".to_owned());
        vault
    }

    #[test]
    fn reveals_and_masks() {
        let vault = vault("p@ss'word");
        let text = format!("url={};pw={}", token("db", &[Transform::UrlEncode]), token("db", &[Transform::Quote]));
        assert_eq!(*vault.reveal(&text).unwrap(), r"url=p%40ss%27word;pw='p@ss'\''word'");
        assert_eq!(vault.mask(&text), "url=(secret);pw=(secret)");
        assert!(vault.stamped(&text).contains("hmac:1"));
    }

    #[test]
    fn unknown_and_broken_are_errors() {
        let vault = vault("x");
        assert_eq!(vault.reveal(&token("other", &[])).unwrap_err(), VaultError::Unknown("other".to_owned()));
        assert!(matches!(vault.reveal("a\u{E000}db"), Err(VaultError::Broken(_))));
    }

    #[test]
    fn a_frame_survives_the_round_trip_and_a_broken_one_says_nothing() {
        let vault = vault("line one\nline \"two\" ✓");
        let again = Vault::from_frame(&vault.to_frame()).unwrap();
        assert_eq!(*again.reveal(&token("db", &[])).unwrap(), "line one\nline \"two\" ✓");
        let error = Vault::from_frame(b"{\"db\": \"hunter22\"}").err().unwrap();
        assert!(!error.to_string().contains("hunter22"));
    }

    #[test]
    fn lines_of_a_longer_secret_do_not_leak_one_by_one() {
        let vault = vault("-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----\n");
        assert_eq!(vault.scrub("+mnopqrstuvwx"), "+(secret)");
        assert_eq!(vault.scrub("-----BEGIN KEY-----"), "-----BEGIN KEY-----");
    }

    proptest! {
        #[test]
        fn no_form_survives_the_net(value in "[ -~]{4,40}", before in "[ -~]{0,9}", after in "[ -~]{0,9}") {
            let vault = vault(&value);
            let json = serde_json::to_string(&value).unwrap();
            let mut forms: Vec<String> =
                Transform::ALL.iter().map(|(t, _)| forms::transform(&value, *t).to_string()).collect();
            forms.extend([value.clone(), json[1..json.len() - 1].to_owned()]);
            for form in forms {
                // Text around it may spell the value again by chance; the net is about what was put there.
                let scrubbed = vault.scrub(&format!("{before}{form}{after}"));
                prop_assert!(!scrubbed.contains(&form) || format!("{before}{MASK}{after}").contains(&form), "{scrubbed}");
            }
        }
    }
}
