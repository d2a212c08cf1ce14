//! Who can read a secrets file.

use std::fmt;
use std::str::FromStr;

/// Longest name of a recipient, in characters.
const LIMIT: usize = 64;

/// A key that a secrets file is readable with, and what people call it.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// A person, a machine or a hardware key: `alice`, `alice.yubikey`, `ci@github`.
    name: String,
    key: RecipientKey,
}

/// The public half of an age key.
#[derive(Clone)]
pub enum RecipientKey {
    /// A key in a file.
    X25519(age::x25519::Recipient),
    /// A key that a program `age-plugin-NAME` can use: a YubiKey, a TPM, a cloud's key service.
    Plugin(age::plugin::Recipient),
}

impl Recipient {
    /// Names a key. The name is lower-case letters, digits and `.`, `_`, `-`, `@`, a letter first.
    pub fn new(name: &str, key: RecipientKey) -> Result<Self, InvalidRecipient> {
        let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-@".contains(c))
            && name.len() <= LIMIT;
        if !valid {
            return Err(InvalidRecipient::Name(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), key })
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    pub fn key(&self) -> &RecipientKey {
        &self.key
    }
}

/// `NAME=age1…`, as `rekey --add` takes it.
impl FromStr for Recipient {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        match text.split_once('=') {
            Some((name, key)) => Self::new(name.trim(), key.trim().parse()?),
            None => {
                text.trim().parse::<RecipientKey>()?;
                Err(InvalidRecipient::Unnamed(text.trim().to_owned()))
            }
        }
    }
}

impl RecipientKey {
    /// The plugin that this key needs.
    pub fn plugin(&self) -> Option<&str> {
        match self {
            Self::X25519(_) => None,
            Self::Plugin(key) => Some(key.plugin()),
        }
    }
}

impl FromStr for RecipientKey {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        let upper = text.to_ascii_uppercase();
        // Not echoed: somebody has just put their private key where everybody can see it.
        if upper.starts_with("AGE-SECRET-KEY-") || upper.starts_with("AGE-PLUGIN-") {
            return Err(InvalidRecipient::Private);
        }
        if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-ssh-") {
            return Err(InvalidRecipient::Ssh);
        }
        if let Ok(key) = text.parse() {
            return Ok(Self::X25519(key));
        }
        text.parse().map(Self::Plugin).map_err(|_| InvalidRecipient::Key(text.to_owned()))
    }
}

impl fmt::Display for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X25519(key) => key.fmt(f),
            Self::Plugin(key) => key.fmt(f),
        }
    }
}

impl PartialEq for RecipientKey {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for RecipientKey {}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.key)
    }
}

/// A text that is no recipient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecipient {
    /// The name cannot be one.
    #[error(
        "`{0}` cannot be the name of a recipient: lower-case letters, digits and `.`, `_`, `-`, `@`, a letter first, at most {LIMIT} characters"
    )]
    Name(String),
    /// A key without a name.
    #[error("the recipient `{0}` has no name: write NAME={0}, with a name by which your colleagues know this key")]
    Unnamed(String),
    /// Not an age recipient, or one with a typing error (the last characters are a checksum).
    #[error("`{0}` is no age recipient (`age1…`), or a character of it is wrong or missing")]
    Key(String),
    /// A private key.
    #[error(
        "this is a private key, which belongs to its owner alone: give the recipient that starts with `age1`, and if anybody else could see the private key, make a new one"
    )]
    Private,
    /// An SSH key.
    #[error("an SSH key cannot be a recipient: make an age key with `secrets keygen` or `age-keygen`")]
    Ssh,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ALICE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    const YUBIKEY: &str = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt";

    #[test]
    fn native_and_plugin_keys_are_recipients() {
        let alice: Recipient = format!("alice={ALICE}").parse().unwrap();
        assert_eq!((alice.name(), alice.key().plugin()), ("alice", None));
        assert_eq!(alice.key().to_string(), ALICE);
        let yubikey: Recipient = format!("alice.yubikey = {YUBIKEY}").parse().unwrap();
        assert_eq!(yubikey.key().plugin(), Some("yubikey"));
        assert_eq!(yubikey.key().to_string(), YUBIKEY);
    }

    #[test]
    fn what_is_no_recipient_is_told_apart() {
        let parse = |text: &str| text.parse::<Recipient>().unwrap_err();
        assert!(matches!(parse(ALICE), InvalidRecipient::Unnamed(_)));
        assert!(matches!(parse(&format!("Alice Ng={ALICE}")), InvalidRecipient::Name(_)));
        assert!(matches!(parse(&format!("alice={}x", &ALICE[..60])), InvalidRecipient::Key(_)));
        assert!(matches!(parse("bob=ssh-ed25519 AAAA"), InvalidRecipient::Ssh));
    }

    #[test]
    fn a_private_key_is_not_echoed() {
        let key = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        let error = format!("alice={key}").parse::<Recipient>().unwrap_err();
        assert_eq!(error, InvalidRecipient::Private);
        assert!(!error.to_string().contains("1GQ97"));
    }
}
