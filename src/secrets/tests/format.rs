//! The file as text: stable, readable by age, merged by git.

use std::process::Command;

use super::*;
use crate::secrets::Error;

/// The key of the golden file: the one that age's own tests use.
const GOLDEN_KEY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const GOLDEN: &str = include_str!("golden.yml");

fn golden_identities() -> Identities {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("keys"), GOLDEN_KEY).unwrap();
    Identities::load(&KeyPlace::Variable(folder.path().join("keys")), Terminal::silent()).unwrap()
}

/// A file that was written by the first version opens for ever, and is written again as it was.
#[test]
fn the_golden_file_opens_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("golden.yml");
    fs::write(&path, GOLDEN).unwrap();
    let mut unlocked = Store::open(&path, "golden").unwrap().unlock(&golden_identities()).unwrap();
    assert_eq!(get(&unlocked, "redis_password"), "hunter2");
    assert_eq!(get(&unlocked, "tls_key"), "-----BEGIN\nü €\n-----END\n");
    assert_eq!(unlocked.digest("redis_password").unwrap(), "8b312ad35bdb");
    assert_eq!(unlocked.document.to_string(), GOLDEN);
    set(&mut unlocked, "redis_password", "hunter2");
    assert!(!unlocked.save().unwrap(), "the same value is no change");
    assert_eq!(fs::read_to_string(&path).unwrap(), GOLDEN);
}

#[test]
fn a_change_touches_one_line() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let before = place.text();
    let mut unlocked = place.unlock(&alice);
    set(&mut unlocked, "redis_password", "hunter3");
    assert_eq!(unlocked.changed().into_iter().collect::<Vec<_>>(), ["redis_password"]);
    assert!(unlocked.save().unwrap());
    let after = place.text();
    let differing = before.lines().zip(after.lines()).filter(|(old, new)| old != new).count();
    assert_eq!((differing, before.lines().count()), (1, after.lines().count()));
    assert!(!after.contains("hunter"), "sealed");
}

#[test]
fn names_are_read_without_a_key_and_have_lines() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let store = Store::open(&place.path(), "prod").unwrap();
    assert_eq!(store.names().into_iter().collect::<Vec<_>>(), ["django_secret_key", "redis_password"]);
    let line = store.line("redis_password").unwrap();
    assert!(place.text().lines().nth(line - 1).unwrap().starts_with("  redis_password: "));
    assert_eq!(store.recipients()[0].name(), "alice");
}

#[test]
fn an_unknown_name_gets_the_nearest() {
    let alice = Person::new("alice");
    let unlocked = Place::new(&[&alice]).unlock(&alice);
    let error = unlocked.get("redis_pasword").err().unwrap();
    assert!(matches!(&error, Error::Unknown { near: Some(near), .. } if near == "redis_password"));
    assert_eq!(error.hints(), ["did you mean `redis_password`?"]);
}

#[test]
fn values_that_cannot_be_secrets_are_refused() {
    let alice = Person::new("alice");
    let mut unlocked = Place::new(&[&alice]).unlock(&alice);
    let long = "x".repeat((1 << 20) + 1);
    for bad in ["", "a\0b", "\u{E000}x\u{E001}", &long] {
        let error = unlocked.set(&"x".parse().unwrap(), &Secret::new(bad.to_owned())).unwrap_err();
        assert!(error.to_string().starts_with("the value of `x` "), "{error}");
    }
    assert!(unlocked.set_random(&"x".parse().unwrap(), 8).is_err());
    unlocked.set_random(&"x".parse().unwrap(), 32).unwrap();
    let value = get(&unlocked, "x");
    assert!(value.len() == 32 && value.chars().all(|c| c.is_ascii_alphanumeric()));
    assert_ne!(value, {
        unlocked.set_random(&"x".parse().unwrap(), 32).unwrap();
        get(&unlocked, "x")
    });
}

/// The wrapped data key is an ordinary age file.
#[test]
fn the_age_command_opens_the_data_key() {
    let Ok(version) = Command::new("age").arg("--version").output() else {
        eprintln!("skipped: the `age` command is not installed");
        return;
    };
    assert!(version.status.success());
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let store = Store::open(&place.path(), "prod").unwrap();
    let armored = place.folder.path().join("data_key.age");
    fs::write(&armored, &store.document.header.data_key).unwrap();
    let output = Command::new("age").arg("-d").arg("-i").arg(alice.place().path()).arg(&armored).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), 32);
}

/// Two people change two values and add a third: git needs no help.
#[test]
fn git_merges_values_of_two_branches() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let mut unlocked = place.unlock(&alice);
    for name in ["aaa", "mmm", "nnn", "zzz"] {
        set(&mut unlocked, name, "first");
    }
    unlocked.save().unwrap();
    let write = |file: &str, change: &dyn Fn(&mut Unlocked)| {
        let path = place.folder.path().join(file);
        fs::copy(place.path(), &path).unwrap();
        let mut unlocked = Store::open(&path, "prod").unwrap().unlock(&alice.identities()).unwrap();
        change(&mut unlocked);
        unlocked.save().unwrap();
        path
    };
    let ours = write("ours", &|file| set(file, "aaa", "ours"));
    let theirs = write("theirs", &|file| {
        set(file, "zzz", "theirs");
        file.remove("mmm").unwrap();
    });
    let output = Command::new("git").arg("merge-file").args([&ours, &place.path(), &theirs]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let merged = Store::open(&ours, "prod").unwrap().unlock(&alice.identities()).unwrap();
    assert_eq!((get(&merged, "aaa"), get(&merged, "zzz")), ("ours".into(), "theirs".into()));
    assert!(merged.get("mmm").is_err());
}

#[test]
fn a_vault_holds_only_what_was_asked_for() {
    let alice = Person::new("alice");
    let unlocked = Place::new(&[&alice]).unlock(&alice);
    let vault = unlocked.vault(["redis_password"]).unwrap();
    assert_eq!(vault.names().collect::<Vec<_>>(), ["redis_password"]);
    let frame = String::from_utf8(vault.to_frame().to_vec()).unwrap();
    assert!(frame.contains("hunter2") && frame.contains(&unlocked.digest("redis_password").unwrap()), "{frame}");
    assert!(unlocked.vault(["redis_password", "nothing"]).is_err());
}
