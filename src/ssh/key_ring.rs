//! The private keys of this run, each read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cc_agent::secret::Secret;
use russh::keys::{self, Certificate, PrivateKey, PublicKey, decode_secret_key};
use tokio::sync::OnceCell;

/// Asks a person for the passphrase of a key file; `None` when there is nobody to ask or they decline. May block.
pub type AskPassphrase = Arc<dyn Fn(&Path) -> Option<Secret<String>> + Send + Sync>;

/// How often a person may mistype a passphrase.
const TRIES: usize = 3;

/// Private keys by file. Many hosts want the same key at once: it is read, and its passphrase asked for, once.
pub(super) struct KeyRing {
    ask: Option<AskPassphrase>,
    keys: Mutex<HashMap<PathBuf, Arc<OnceCell<Loaded>>>>,
}

type Loaded = Result<Arc<PrivateKey>, KeyProblem>;

/// Why a key file gives no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyProblem {
    #[error("no such file")]
    Missing,
    #[error("protected by a passphrase")]
    Locked,
    #[error("wrong passphrase")]
    WrongPassphrase,
    #[error("cannot be read: {0}")]
    Broken(String),
}

impl KeyRing {
    pub fn new(ask: Option<AskPassphrase>) -> Self {
        Self { ask, keys: Mutex::default() }
    }

    /// The private key in a file.
    pub async fn load(&self, file: &Path) -> Loaded {
        let cell = {
            // The map is whole whenever the lock is free, so a panic elsewhere does not spoil it.
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(keys.entry(file.to_owned()).or_default())
        };
        cell.get_or_init(async || {
            let (file, ask) = (file.to_owned(), self.ask.clone());
            let read = tokio::task::spawn_blocking(move || read(&file, ask.as_ref()));
            read.await.unwrap_or_else(|error| Err(KeyProblem::Broken(error.to_string())))
        })
        .await
        .clone()
    }
}

fn read(file: &Path, ask: Option<&AskPassphrase>) -> Loaded {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(KeyProblem::Missing),
        Err(error) => return Err(KeyProblem::Broken(error.to_string())),
    };
    match decode_secret_key(text.expose(), None) {
        Ok(key) => return Ok(Arc::new(key)),
        Err(keys::Error::KeyIsEncrypted) => {}
        Err(error) => return Err(KeyProblem::Broken(error.to_string())),
    }
    let ask = ask.ok_or(KeyProblem::Locked)?;
    for _ in 0..TRIES {
        let passphrase = ask(file).ok_or(KeyProblem::Locked)?;
        if let Ok(key) = decode_secret_key(text.expose(), Some(passphrase.expose())) {
            return Ok(Arc::new(key));
        }
    }
    Err(KeyProblem::WrongPassphrase)
}

/// The public key beside a private key file, if it is there: it tells whether the agent has the key already.
pub(super) fn public_beside(file: &Path) -> Option<PublicKey> {
    keys::load_public_key(beside(file, ".pub")).ok()
}

/// The certificate beside a private key file, if it is there.
pub(super) fn certificate_beside(file: &Path) -> Option<Certificate> {
    keys::load_openssh_certificate(beside(file, "-cert.pub")).ok()
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use russh::keys::Algorithm;
    use russh::keys::ssh_key::LineEnding;

    use super::*;

    fn locked(folder: &Path) -> (PathBuf, PrivateKey) {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
        let file = folder.join("id");
        let text = key.encrypt(&mut rand::rng(), "right").unwrap().to_openssh(LineEnding::LF).unwrap();
        std::fs::write(&file, text).unwrap();
        (file, key)
    }

    fn answering(answers: &'static [&'static str]) -> (AskPassphrase, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let ask: AskPassphrase = Arc::new(move |_| {
            answers.get(count.fetch_add(1, Ordering::SeqCst)).map(|answer| Secret::new((*answer).to_owned()))
        });
        (ask, asked)
    }

    #[tokio::test]
    async fn asks_once_for_many_hosts() {
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = locked(folder.path());
        let (ask, asked) = answering(&["wrong", "right", "never"]);
        let ring = KeyRing::new(Some(ask));
        let loaded = tokio::join!(ring.load(&file), ring.load(&file), ring.load(&file));
        for found in [loaded.0, loaded.1, loaded.2] {
            assert_eq!(found.unwrap().public_key().key_data(), key.public_key().key_data());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn says_why_there_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let (file, _) = locked(folder.path());
        assert_eq!(KeyRing::new(None).load(&file).await.unwrap_err(), KeyProblem::Locked);
        let (ask, _) = answering(&["a", "b", "c"]);
        assert_eq!(KeyRing::new(Some(ask)).load(&file).await.unwrap_err(), KeyProblem::WrongPassphrase);
        let (declined, _) = answering(&[]);
        assert_eq!(KeyRing::new(Some(declined)).load(&file).await.unwrap_err(), KeyProblem::Locked);
        assert_eq!(KeyRing::new(None).load(&folder.path().join("none")).await.unwrap_err(), KeyProblem::Missing);
        std::fs::write(&file, "not a key").unwrap();
        assert!(matches!(KeyRing::new(None).load(&file).await, Err(KeyProblem::Broken(_))));
    }
}
