//! Tests of the whole way: files, keys, changes.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod audit;
mod edit;
mod format;
mod plugin;
mod rekey;
mod save;
mod tamper;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cc_agent::secret::Secret;
use tempfile::TempDir;

use super::{Identities, KeyPlace, Recipient, RecipientKey, Rekey, Store, Terminal, Unlocked};

/// A person with a key of their own.
struct Person {
    name: &'static str,
    folder: TempDir,
    key: String,
}

impl Person {
    fn new(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPlace::Variable(folder.path().join("keys")).keygen().unwrap();
        Self { name, folder, key }
    }

    fn place(&self) -> KeyPlace {
        KeyPlace::Variable(self.folder.path().join("keys"))
    }

    fn identities(&self) -> Identities {
        Identities::load(&self.place(), Terminal::silent()).unwrap()
    }

    fn recipient(&self) -> Recipient {
        Recipient::new(self.name, self.key.parse::<RecipientKey>().unwrap()).unwrap()
    }
}

/// A folder with a secrets file of environment `prod`.
struct Place {
    folder: TempDir,
}

impl Place {
    /// A file that these people can read, with two values.
    fn new(people: &[&Person]) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let recipients = people.iter().map(|person| person.recipient()).collect();
        let mut unlocked = Store::create(&place.path(), "prod", recipients, Terminal::silent()).unwrap();
        set(&mut unlocked, "redis_password", "hunter2");
        set(&mut unlocked, "django_secret_key", "line one\nline two\n");
        assert!(unlocked.save().unwrap());
        place
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("prod.yml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn unlock(&self, person: &Person) -> Unlocked {
        Store::open(&self.path(), "prod").unwrap().unlock(&person.identities()).unwrap()
    }
}

fn set(unlocked: &mut Unlocked, name: &str, value: &str) {
    unlocked.set(&name.parse().unwrap(), &Secret::new(value.to_owned())).unwrap();
}

fn get(unlocked: &Unlocked, name: &str) -> String {
    unlocked.get(name).unwrap().expose().clone()
}

fn rekey(unlocked: &mut Unlocked, rekey: &Rekey) -> Result<super::Rekeyed, super::Error> {
    unlocked.rekey(rekey, Terminal::silent())
}

/// `age1NAME1…` of a plugin.
fn plugin_recipient(plugin: &str) -> String {
    use bech32::{ToBase32, Variant, encode};
    encode(&format!("age1{plugin}"), b"key".to_base32(), Variant::Bech32).unwrap()
}

const CHILD: &str = "CC_TEST_CHILD_FOLDER";

/// The folder that a test works in which was started by [`child`].
fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// One of these tests as a process of its own, which can be killed and have its own environment and limits. `shell` is run
/// with the command as `"$@"`.
fn child(shell: &str, test: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(shell).arg("sh").arg(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("secrets::tests::{test}"), "--nocapture"]).env(CHILD, folder);
    command
}
