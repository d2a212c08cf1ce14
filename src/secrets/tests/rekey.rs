//! Recipients come and go; a kill leaves the old file or the new one.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;
use crate::secrets::Error;

#[test]
fn a_new_recipient_rewrites_only_the_header() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let place = Place::new(&[&alice]);
    let values = |text: &str| text[text.find("values:").unwrap()..].to_owned();
    let before = values(&place.text());
    assert!(matches!(Store::open(&place.path(), "prod").unwrap().unlock(&bob.identities()), Err(Error::NoKey { .. })));
    let mut unlocked = place.unlock(&alice);
    let digest = unlocked.digest("redis_password").unwrap();
    let done = rekey(&mut unlocked, &Rekey { add: vec![bob.recipient()], ..Rekey::default() }).unwrap();
    assert_eq!((done.added, done.resealed, done.warnings), (vec!["bob".to_owned()], 0, vec![]));
    assert!(unlocked.save().unwrap());
    assert_eq!(values(&place.text()), before);
    let bobs = place.unlock(&bob);
    assert_eq!(get(&bobs, "redis_password"), "hunter2");
    assert_eq!(bobs.digest("redis_password").unwrap(), digest);
}

#[test]
fn a_removed_recipient_is_out_and_the_rest_is_said() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let place = Place::new(&[&alice, &bob]);
    let old = place.text();
    let mut unlocked = place.unlock(&alice);
    let remove_bob = Rekey { remove: vec!["bob".into()], ..Rekey::default() };
    let done = rekey(&mut unlocked, &remove_bob).unwrap();
    assert!(done.warnings[0].contains("change the 2 values at their sources"), "{:?}", done.warnings);
    assert!(done.warnings[1].contains("--rotate"), "{:?}", done.warnings);
    unlocked.save().unwrap();
    assert!(Store::open(&place.path(), "prod").unwrap().unlock(&bob.identities()).is_err());

    fs::write(place.path(), &old).unwrap();
    let mut unlocked = place.unlock(&alice);
    let done = rekey(&mut unlocked, &Rekey { rotate: true, ..remove_bob }).unwrap();
    assert_eq!((done.resealed, done.warnings.len()), (2, 1));
    unlocked.save().unwrap();
    // With the data key of before, which bob may have kept, nothing opens any more.
    let header = |text: &str| text[..text.find("values:").unwrap()].to_owned();
    let values = |text: &str| text[text.find("values:").unwrap()..].to_owned();
    fs::write(place.path(), header(&old) + &values(&place.text())).unwrap();
    assert_eq!(place.unlock(&bob).unreadable_values().len(), 2);
}

#[test]
fn a_rekey_that_makes_no_sense_changes_nothing() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let place = Place::new(&[&alice]);
    let before = place.text();
    let alice_again = Recipient::new("alice2", alice.key.parse().unwrap()).unwrap();
    let plugin = format!("yubi={}", plugin_recipient("nosuchplugin")).parse().unwrap();
    let cases = [
        (Rekey { remove: vec!["alcie".into()], ..Rekey::default() }, "no recipient `alcie`", "did you mean `alice`?"),
        (Rekey { add: vec![alice.recipient()], ..Rekey::default() }, "`alice` already", "--remove alice"),
        (Rekey { add: vec![alice_again], ..Rekey::default() }, "there already, as `alice`", "rename"),
        (Rekey { remove: vec!["alice".into()], ..Rekey::default() }, "nobody could read", "another recipient"),
        (
            Rekey { add: vec![bob.recipient()], remove: vec!["alice".into()], ..Rekey::default() },
            "would not open it any more",
            "--without-me",
        ),
        (Rekey { add: vec![plugin], rotate: true, ..Rekey::default() }, "yubi", "age-plugin-nosuchplugin"),
    ];
    for (change, message, hint) in cases {
        let mut unlocked = place.unlock(&alice);
        let error = rekey(&mut unlocked, &change).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hints().join("\n").contains(hint), "{:?}", error.hints());
        assert!(!unlocked.save().unwrap());
        assert_eq!(place.text(), before);
    }
    let mut unlocked = place.unlock(&alice);
    let hand_over =
        Rekey { add: vec![bob.recipient()], remove: vec!["alice".into()], without_me: true, ..Rekey::default() };
    rekey(&mut unlocked, &hand_over).unwrap();
    unlocked.save().unwrap();
    assert_eq!(get(&place.unlock(&bob), "redis_password"), "hunter2");
}

#[test]
fn a_value_that_does_not_open_stops_a_rotation() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let swapped = place.text().replace("  redis_password: ", "  other: ");
    fs::write(place.path(), &swapped).unwrap();
    let mut unlocked = place.unlock(&alice);
    let error = rekey(&mut unlocked, &Rekey { rotate: true, ..Rekey::default() }).unwrap_err();
    assert!(error.to_string().contains("`other`"), "{error}");
    assert_eq!(place.text(), swapped);
}

/// Not a test by itself: rekeys again and again until it is killed, for the two tests below.
#[test]
fn child_that_rekeys() {
    let Some(folder) = child_folder() else { return };
    let identities = Identities::load(&KeyPlace::Variable(folder.join("keys")), Terminal::silent()).unwrap();
    loop {
        let mut unlocked = Store::open(&folder.join("prod.yml"), "prod").unwrap().unlock(&identities).unwrap();
        rekey(&mut unlocked, &Rekey { rotate: true, ..Rekey::default() }).unwrap();
        unlocked.save().unwrap();
        println!("rekeyed");
    }
}

fn child(shell: &str, folder: &Path) -> Command {
    super::child(shell, "rekey::child_that_rekeys", folder)
}

#[test]
fn a_kill_leaves_the_old_file_or_the_new_one() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    fs::copy(alice.place().path(), place.folder.path().join("keys")).unwrap();
    let mut texts = std::collections::BTreeSet::new();
    for round in 0..25 {
        let mut process =
            child("exec \"$@\"", place.folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // At another place of the cycle each time: after some rekeys, and a little of the next.
        lines.by_ref().filter(|line| line.as_ref().unwrap().contains("rekeyed")).nth(round % 3).unwrap().unwrap();
        for _ in 0..round * 20_000 {
            std::hint::spin_loop();
        }
        process.kill().unwrap();
        process.wait().unwrap();
        let unlocked = place.unlock(&alice);
        assert_eq!(get(&unlocked, "redis_password"), "hunter2");
        assert_eq!(get(&unlocked, "django_secret_key"), "line one\nline two\n");
        texts.insert(place.text());
    }
    assert_eq!(texts.len(), 25, "every round rekeyed the file");
}

/// A full disk: nothing can be written, the old file stays, no temporary one is left.
#[test]
fn a_full_disk_leaves_the_old_file() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    fs::copy(alice.place().path(), place.folder.path().join("keys")).unwrap();
    let before = place.text();
    let output = child("trap '' XFSZ; ulimit -f 0; exec \"$@\"", place.folder.path()).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("File too large") && !said.contains("rekeyed"), "{said}");
    assert_eq!(place.text(), before);
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 2, "the file and the key");
}
