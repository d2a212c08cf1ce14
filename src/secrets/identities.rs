//! The private keys of whoever runs this.

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use age::armor::ArmoredReader;
use age::secrecy::ExposeSecret;
use cc_plan::counted;
use zeroize::Zeroizing;

use super::error::Error;
use super::terminal::Terminal;

/// Bytes of the largest file of keys.
const LIMIT: u64 = 1 << 20;

/// Where private keys are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// `CC_AGE_KEY_FILE`: this file, and nothing else.
    Variable(PathBuf),
    /// `age-keys.txt` in the user's configuration folder.
    Config(PathBuf),
}

impl KeyPlace {
    /// From `CC_AGE_KEY_FILE`, else `$XDG_CONFIG_HOME/cc-cloud/age-keys.txt`, else `~/.config/cc-cloud/age-keys.txt`.
    pub fn from_env() -> Result<Self, Error> {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(path) = set("CC_AGE_KEY_FILE") {
            return Ok(Self::Variable(path));
        }
        set("XDG_CONFIG_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".config")))
            .map(|folder| Self::Config(folder.join("cc-cloud").join("age-keys.txt")))
            .ok_or(Error::NoKeyPlace)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Variable(path) | Self::Config(path) => path,
        }
    }

    /// Makes a key and writes it there, mode 0600; gives its recipient (`age1…`). A file that is there already is left
    /// alone: a private key that is overwritten is lost.
    pub fn keygen(&self) -> Result<String, Error> {
        let path = self.path();
        let folder = path.parent().unwrap_or(Path::new("."));
        let failed = |source: io::Error| Error::io("write a new key", path, source);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        // Mode 0600 from the start; a half-written file never has the name.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        writeln!(file, "# public key: {recipient}\n{}", identity.to_string().expose_secret()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(recipient),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::Exists { path: path.to_owned() })
            }
            Err(error) => Err(failed(error.error)),
        }
    }
}

/// One private key, or the keys of one plugin: a plugin asks for all of its hardware at once.
pub(super) enum Identity {
    /// A key in a file.
    X25519(age::x25519::Identity),
    /// Keys that a plugin can use.
    Plugin(String, Vec<age::plugin::Identity>),
}

/// The private keys that were found.
pub struct Identities {
    keys: Vec<Identity>,
    looked: Vec<String>,
    warnings: Vec<String>,
    terminal: Terminal,
}

impl Identities {
    /// Reads the keys at a place. No file in the configuration folder is no error yet: whether a key is needed, and for
    /// what, is known later. A file with a passphrase asks for it on the terminal.
    pub fn load(place: &KeyPlace, terminal: Terminal) -> Result<Self, Error> {
        let path = place.path();
        let mut found = Self { keys: Vec::new(), looked: Vec::new(), warnings: Vec::new(), terminal };
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && matches!(place, KeyPlace::Config(_)) => {
                found.looked.push(format!("{} (no such file)", path.display()));
                return Ok(found);
            }
            Err(source) => {
                return Err(match place {
                    KeyPlace::Variable(path) => Error::NamedKeyFile { path: path.clone(), source },
                    KeyPlace::Config(path) => Error::io("read your keys", path, source),
                });
            }
        };
        found.warn_about_mode(path, &file);
        let text = read_keys(file, path, terminal)?;
        found.parse(&text, path)?;
        found.looked.push(format!("{} ({} found)", path.display(), counted(found.len(), "key")));
        Ok(found)
    }

    /// What should be mended but stops nothing.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where keys were looked for.
    pub fn looked(&self) -> &[String] {
        &self.looked
    }

    /// The recipients of the keys in files; those of plugins only the plugins know.
    pub fn recipients(&self) -> Vec<age::x25519::Recipient> {
        self.keys.iter().filter_map(Identity::recipient).collect()
    }

    pub(super) fn keys(&self) -> &[Identity] {
        &self.keys
    }

    pub(super) fn terminal(&self) -> Terminal {
        self.terminal
    }

    fn len(&self) -> usize {
        self.keys.iter().map(|key| if let Identity::Plugin(_, keys) = key { keys.len() } else { 1 }).sum()
    }

    fn warn_about_mode(&mut self, path: &Path, file: &fs::File) {
        let mode =
            file.metadata().map_or(0, |metadata| if metadata.is_file() { metadata.permissions().mode() } else { 0 });
        if mode & 0o077 != 0 {
            self.warnings.push(format!(
                "{}: others on this machine can read your private keys (mode {:04o}); `chmod 600` it",
                path.display(),
                mode & 0o7777
            ));
        }
    }

    fn parse(&mut self, text: &str, path: &Path) -> Result<(), Error> {
        let mut plugins: Vec<(String, Vec<age::plugin::Identity>)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Ok(identity) = line.parse::<age::x25519::Identity>() {
                self.keys.push(Identity::X25519(identity));
            } else if let Ok(identity) = line.parse::<age::plugin::Identity>() {
                let name = identity.plugin().to_owned();
                match plugins.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, keys)) => keys.push(identity),
                    None => plugins.push((name, vec![identity])),
                }
            } else {
                return Err(Error::KeyFile {
                    path: path.to_owned(),
                    line: Some(index + 1),
                    reason: key_reason(line).to_owned(),
                });
            }
        }
        // Keys in files first: they ask for no touch and no PIN.
        self.keys.extend(plugins.into_iter().map(|(name, keys)| Identity::Plugin(name, keys)));
        Ok(())
    }
}

impl Identity {
    /// Its recipient, for a key in a file.
    pub(super) fn recipient(&self) -> Option<age::x25519::Recipient> {
        match self {
            Self::X25519(identity) => Some(identity.to_public()),
            Self::Plugin(..) => None,
        }
    }
}

/// What is wrong with a line, without its text.
fn key_reason(line: &str) -> &'static str {
    let upper = line.to_ascii_uppercase();
    if upper.starts_with("AGE-SECRET-KEY-") || upper.starts_with("AGE-PLUGIN-") {
        "this private key is damaged: a character is wrong or missing"
    } else if line.starts_with("age1") {
        "this is a recipient (public); a file of keys holds private keys: `AGE-SECRET-KEY-1…` or `AGE-PLUGIN-…`"
    } else {
        "this is no age key: expected `AGE-SECRET-KEY-1…`, `AGE-PLUGIN-…` or a comment"
    }
}

/// The text of a file of keys, after its passphrase if it has one.
fn read_keys(file: fs::File, path: &Path, terminal: Terminal) -> Result<Zeroizing<String>, Error> {
    let broken = |reason: String| Error::KeyFile { path: path.to_owned(), line: None, reason };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| Error::io("read the keys", path, error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(broken("larger than 1 MiB: this is no file of age keys".into()));
    }
    if bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") || bytes.starts_with(b"age-encryption.org/") {
        bytes = decrypt_keys(&bytes, path, terminal)?;
    }
    let text = str::from_utf8(&bytes).map_err(|_| broken("not a text file".into()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn decrypt_keys(bytes: &[u8], path: &Path, terminal: Terminal) -> Result<Zeroizing<Vec<u8>>, Error> {
    let broken = |reason: String| Error::KeyFile { path: path.to_owned(), line: None, reason };
    let decryptor = age::Decryptor::new(ArmoredReader::new(bytes)).map_err(|error| broken(error.to_string()))?;
    if !decryptor.is_scrypt() {
        return Err(broken("encrypted for another key; a file of keys can only be encrypted with a passphrase".into()));
    }
    let prompt = format!("Passphrase of {}: ", path.display());
    let passphrase = match terminal.ask_secret(&prompt) {
        Ok(passphrase) => passphrase,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(Error::Interrupted),
        Err(error) => return Err(broken(format!("encrypted with a passphrase, and it cannot be asked for: {error}"))),
    };
    let key = age::scrypt::Identity::new(passphrase.expose().clone().into());
    let wrong = |_| broken("the passphrase is wrong, or the file is damaged".into());
    let mut plain = Zeroizing::new(Vec::new());
    let mut reader = decryptor.decrypt(std::iter::once(&key as &dyn age::Identity)).map_err(wrong)?;
    reader.read_to_end(&mut plain).map_err(|_| broken("the file is damaged".into()))?;
    Ok(plain)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KEY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    const YUBIKEY: &str = "AGE-PLUGIN-YUBIKEY-1QGQQQQQ0VWR2FMG8ZVVGY";

    fn load(text: &str) -> Result<Identities, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.txt");
        fs::write(&path, text).unwrap();
        Identities::load(&KeyPlace::Variable(path), Terminal::silent())
    }

    #[test]
    fn keys_and_comments_are_read() {
        let second = age::x25519::Identity::generate();
        let text = format!("# mine\n\n{KEY}\r\n  {}  \n", second.to_string().expose_secret());
        let found = load(&text).unwrap();
        assert_eq!(found.recipients().len(), 2);
        assert!(found.looked()[0].contains("2 keys found"), "{:?}", found.looked());
        assert!(found.warnings()[0].contains("mode 0644"), "{:?}", found.warnings());
    }

    #[test]
    fn a_damaged_key_is_named_by_its_line_and_not_shown() {
        let error = load(&format!("# mine\n{}4\n", &KEY[..KEY.len() - 1])).err().unwrap().to_string();
        assert!(error.contains("line 2") && error.contains("damaged"), "{error}");
        assert!(!error.contains("1GQ97"), "{error}");
        let error = load("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n").err().unwrap().to_string();
        assert!(error.contains("public"), "{error}");
        assert!(load("\u{0}\u{ff}").is_err());
    }

    #[test]
    fn keys_in_files_come_before_plugins() {
        let plugin = age::plugin::Identity::default_for_plugin("yubikey");
        let found = load(&format!("{plugin}\n{KEY}\n{plugin}\n")).unwrap();
        assert!(matches!(found.keys()[0], Identity::X25519(_)));
        assert!(matches!(&found.keys()[1], Identity::Plugin(name, keys) if name == "yubikey" && keys.len() == 2));
        assert!(load(YUBIKEY).is_err(), "a wrong checksum");
    }

    #[test]
    fn a_missing_file_is_an_error_only_when_it_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.txt");
        assert!(Identities::load(&KeyPlace::Variable(path.clone()), Terminal::silent()).is_err());
        let found = Identities::load(&KeyPlace::Config(path), Terminal::silent()).unwrap();
        assert!(found.looked()[0].contains("no such file"));
    }

    #[test]
    fn keygen_writes_a_private_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let place = KeyPlace::Config(folder.path().join("cc-cloud").join("age-keys.txt"));
        let recipient = place.keygen().unwrap();
        let found = Identities::load(&place, Terminal::silent()).unwrap();
        assert_eq!(found.recipients()[0].to_string(), recipient);
        assert!(found.warnings().is_empty(), "mode 0600: {:?}", found.warnings());
        let before = fs::read(place.path()).unwrap();
        assert!(matches!(place.keygen(), Err(Error::Exists { .. })));
        assert_eq!(fs::read(place.path()).unwrap(), before);
    }

    #[test]
    fn a_file_with_a_passphrase_wants_a_terminal() {
        let armored = age::encrypt_and_armor(&age::scrypt::Recipient::new("word".to_owned().into()), KEY.as_bytes());
        let error = load(&armored.unwrap()).err().unwrap().to_string();
        assert!(error.contains("passphrase"), "{error}");
    }
}
