//! The key of one secrets file: seals its values, signs its header, makes the digests that plans show.

use std::io::{Read, Write};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use cc_agent::secret::Secret;
use chacha20poly1305::aead::{Aead, Generate, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::document::Header;
use super::error::Error;
use super::identities::{Identities, Identity};
use super::plan_key::PlanKey;
use super::recipient::{Recipient, RecipientKey};
use super::sealed::{NONCE_BYTES, Sealed};
use super::terminal::Terminal;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// 32 random bytes that only the recipients can unwrap.
pub(super) struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

/// How a data key was unwrapped.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum OpenedBy {
    /// By the key in a file that belongs to this recipient.
    X25519(String),
    /// By a plugin.
    Plugin,
}

/// Why a data key could not be unwrapped.
pub(super) enum UnwrapError {
    /// No key fits; what went wrong with single keys.
    NoKey(Vec<String>),
    /// The wrapped key is not what was written.
    Damaged(String),
}

impl DataKey {
    /// A new one.
    pub(super) fn generate() -> Self {
        Self(Zeroizing::new(<[u8; KEY_BYTES]>::generate()))
    }

    /// Encrypts it with age for every recipient, as armored text with a newline at its end.
    pub(super) fn wrap(&self, recipients: &[Recipient], terminal: Terminal) -> Result<String, Error> {
        let failed = |recipients: String, error: &age::EncryptError| Error::Wrap {
            recipients,
            reason: error.to_string(),
            missing_plugin: match error {
                age::EncryptError::MissingPlugin { binary_name } => Some(binary_name.clone()),
                _ => None,
            },
        };
        let names = |wanted: Option<&str>| {
            let of = recipients.iter().filter(|r| wanted.is_none() || r.key().plugin() == wanted);
            of.map(Recipient::name).collect::<Vec<_>>().join(", ")
        };
        let mut sealers: Vec<Box<dyn age::Recipient>> = Vec::new();
        let mut plugins: Vec<age::plugin::Recipient> = Vec::new();
        for recipient in recipients {
            match recipient.key() {
                RecipientKey::X25519(key) => sealers.push(Box::new(key.clone())),
                RecipientKey::Plugin(key) => plugins.push(key.clone()),
            }
        }
        let mut plugin_names: Vec<&str> = plugins.iter().map(age::plugin::Recipient::plugin).collect();
        plugin_names.sort_unstable();
        plugin_names.dedup();
        for name in plugin_names {
            let plugin = age::plugin::RecipientPluginV1::new(name, &plugins, &[], terminal)
                .map_err(|error| failed(names(Some(name)), &error))?;
            sealers.push(Box::new(plugin));
        }
        let encryptor = age::Encryptor::with_recipients(sealers.iter().map(AsRef::as_ref))
            .map_err(|error| failed(names(None), &error))?;
        let write = || {
            let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
            let mut writer = encryptor.wrap_output(armor)?;
            writer.write_all(&self.0[..])?;
            writer.finish()?.finish()
        };
        let bytes = write().map_err(|error| failed(names(None), &age::EncryptError::Io(error)))?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned() + "\n")
    }

    /// Decrypts a wrapped data key: with keys in files first, then one plugin after the other.
    pub(super) fn unwrap(armored: &str, identities: &Identities) -> Result<(Self, OpenedBy), UnwrapError> {
        let mut notes = Vec::new();
        for identity in identities.keys() {
            let (opened, by) = match identity {
                Identity::X25519(key) => (decrypt(armored, key), OpenedBy::X25519(key.to_public().to_string())),
                Identity::Plugin(name, keys) => {
                    let plugin = age::plugin::IdentityPluginV1::new(name, keys, identities.terminal());
                    (plugin.and_then(|plugin| decrypt(armored, &plugin)), OpenedBy::Plugin)
                }
            };
            match opened {
                Ok(key) => return Ok((key, by)),
                Err(age::DecryptError::NoMatchingKeys) => {}
                Err(age::DecryptError::MissingPlugin { binary_name }) => {
                    notes.push(format!("your key needs `{binary_name}`, which is not on the PATH"));
                }
                Err(age::DecryptError::Plugin(errors)) => notes.extend(errors.iter().map(ToString::to_string)),
                Err(age::DecryptError::Io(error)) if matches!(by, OpenedBy::Plugin) => notes.push(error.to_string()),
                Err(error) => return Err(UnwrapError::Damaged(error.to_string())),
            }
        }
        // Without any key at all, damage would otherwise go unseen.
        match age::Decryptor::new(ArmoredReader::new(armored.as_bytes())) {
            Err(error) => Err(UnwrapError::Damaged(error.to_string())),
            Ok(_) => Err(UnwrapError::NoKey(notes)),
        }
    }

    /// Seals a value so that it opens only under this environment and name.
    pub(super) fn seal(&self, environment: &str, name: &str, value: &Secret<String>) -> Sealed {
        let nonce = XNonce::generate();
        let payload = Payload { msg: value.expose().as_bytes(), aad: &associated(environment, name) };
        #[expect(clippy::expect_used, reason = "encrypting fails only above 256 GiB, and values are at most 1 MiB")]
        let ciphertext = self.cipher().encrypt(&nonce, payload).expect("a value of less than 256 GiB");
        Sealed::new(&nonce, &ciphertext)
    }

    /// Opens a value; `None` when it was sealed under another key, environment or name, or changed since.
    pub(super) fn open(&self, environment: &str, name: &str, sealed: &Sealed) -> Option<Secret<String>> {
        let (nonce, ciphertext) = sealed.parts();
        let payload = Payload { msg: ciphertext, aad: &associated(environment, name) };
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let plain = self.cipher().decrypt(&XNonce::from(nonce), payload).ok()?;
        String::from_utf8(plain).ok().map(Secret::new)
    }

    /// What plans and ledgers show instead of a value: 12 hex digits that say whether it is the same as before. Without
    /// the key, nobody can try out values against it.
    pub(super) fn digest(&self, name: &str, value: &Secret<String>) -> String {
        let mut mac = self.mac("digest");
        field(&mut mac, name.as_bytes());
        field(&mut mac, value.expose().as_bytes());
        mac.finalize().into_bytes()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The key for saved plans.
    pub(super) fn plan_key(&self) -> PlanKey {
        let id = self.derive("plan-id")[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        PlanKey::new(self.derive("plan"), id)
    }

    /// Signs everything above the values, so that nobody without a key can slip in a recipient for the next `rekey`.
    pub(super) fn sign(&self, header: &Header) -> [u8; 32] {
        self.header_mac(header).finalize().into_bytes().into()
    }

    /// Whether the header is as somebody with the key wrote it.
    pub(super) fn verify(&self, header: &Header) -> bool {
        self.header_mac(header).verify_slice(&header.signature).is_ok()
    }

    fn header_mac(&self, header: &Header) -> Hmac<Sha256> {
        let mut mac = self.mac("header");
        field(&mut mac, header.environment.as_bytes());
        for recipient in &header.recipients {
            field(&mut mac, recipient.name().as_bytes());
            field(&mut mac, recipient.key().to_string().as_bytes());
        }
        field(&mut mac, header.data_key.as_bytes());
        mac
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.derive("seal")).into())
    }

    fn mac(&self, purpose: &str) -> Hmac<Sha256> {
        hmac_with(&self.derive(purpose))
    }

    /// A key of its own for each use, so that no use can tell anything about another: HMAC-SHA256(data key, label).
    fn derive(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut mac = hmac_with(&self.0);
        mac.update(format!("{FORMAT}/{purpose}").as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

/// What every derivation is bound to: this program, this use, this version of the format.
const FORMAT: &str = "cc-cloud/secrets/1";

fn hmac_with(key: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    Hmac::new_from_slice(key).expect("any length is a key")
}

/// Adds a field with its length before it: `ab` + `c` is not `a` + `bc`.
fn field(mac: &mut Hmac<Sha256>, bytes: &[u8]) {
    mac.update(&(bytes.len() as u64).to_be_bytes());
    mac.update(bytes);
}

/// What a sealed value is bound to. Neither part can hold a `/`.
fn associated(environment: &str, name: &str) -> Vec<u8> {
    format!("{FORMAT}/{environment}/{name}").into_bytes()
}

fn decrypt(armored: &str, identity: &dyn age::Identity) -> Result<DataKey, age::DecryptError> {
    let decryptor = age::Decryptor::new(ArmoredReader::new(armored.as_bytes()))?;
    let reader = decryptor.decrypt(std::iter::once(identity))?;
    let mut plain = Zeroizing::new(Vec::with_capacity(2 * KEY_BYTES));
    reader.take(KEY_BYTES as u64 + 1).read_to_end(&mut plain)?;
    let key = plain.as_slice().try_into().map_err(|_| age::DecryptError::DecryptionFailed)?;
    Ok(DataKey(Zeroizing::new(key)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let key = DataKey::generate();
        let sealed = key.seal("prod", "redis_password", &secret("hunter2"));
        assert_eq!(key.open("prod", "redis_password", &sealed).unwrap().expose(), "hunter2");
        assert!(key.open("staging", "redis_password", &sealed).is_none());
        assert!(key.open("prod", "django_secret_key", &sealed).is_none());
        assert!(DataKey::generate().open("prod", "redis_password", &sealed).is_none());
    }

    #[test]
    fn the_same_value_seals_differently_and_digests_equally() {
        let key = DataKey::generate();
        let (one, two) = (key.seal("prod", "a", &secret("x")), key.seal("prod", "a", &secret("x")));
        assert_ne!(one.to_string(), two.to_string());
        let digest = key.digest("a", &secret("x"));
        assert_eq!(digest, key.digest("a", &secret("x")));
        assert!(digest.len() == 12 && digest.chars().all(|c| c.is_ascii_hexdigit()), "{digest}");
        assert_ne!(digest, key.digest("a", &secret("y")));
        assert_ne!(digest, key.digest("b", &secret("x")), "equal values must not be seen to be equal");
        assert_ne!(digest, DataKey::generate().digest("a", &secret("x")));
    }

    /// The format must open for ever: values that were sealed once, by the algorithm written out.
    #[test]
    fn the_algorithms_stay() {
        let key = DataKey(Zeroizing::new([7; KEY_BYTES]));
        assert_eq!(key.digest("redis_password", &secret("hunter2")), "c73b084040a7");
        let sealed: Sealed = "pxtZiIGrJ/2/1n+Tepn5gtE2upjOZu1Rk6eSMX8p8AE4u7PieywB51tAXt4Ex/M=".parse().unwrap();
        assert_eq!(key.open("prod", "redis_password", &sealed).unwrap().expose(), "hunter2");
        assert_eq!(key.plan_key().id(), "9d01c929e4d6fc9e");
    }

    #[test]
    fn a_plan_opens_only_beside_its_head_and_with_its_key() {
        let key = DataKey::generate().plan_key();
        let sealed = key.seal(b"head", b"plan");
        assert_eq!(key.open(b"head", &sealed).unwrap(), b"plan");
        assert_ne!(sealed, key.seal(b"head", b"plan"), "no nonce twice");
        let other = DataKey::generate().plan_key();
        assert!(key.open(b"Head", &sealed).is_none() && other.open(b"head", &sealed).is_none());
        assert_ne!(key.id(), other.id());
        for short in 0..sealed.len() {
            assert!(key.open(b"head", &sealed[..short]).is_none());
        }
    }
}
