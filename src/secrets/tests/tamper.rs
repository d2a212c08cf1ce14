//! What somebody without a key can do to the file, and what a merge can leave of it.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;
use crate::secrets::Error;

/// Why the file of two values cannot be used, by opening, unlocking and reading everything; `None` when it can.
fn refusal(place: &Place, person: &Person) -> Option<String> {
    let open = || -> Result<(), Error> {
        let unlocked = Store::open(&place.path(), "prod")?.unlock(&person.identities())?;
        match unlocked.unreadable_values().first() {
            Some(problem) => Err(Error::Broken { path: place.path(), problems: vec![problem.clone()] }),
            None => Ok(()),
        }
    };
    open().err().map(|error| error.to_string())
}

/// Every way to spoil the file, with what the message says. `{N}` is the line.
#[test]
fn every_spoiled_file_is_told_with_its_line() {
    let (alice, mallory) = (Person::new("alice"), Person::new("mallory"));
    let place = Place::new(&[&alice]);
    let good = place.text();
    let value =
        |name: &str| good.lines().find_map(|line| line.strip_prefix(&format!("  {name}: "))).unwrap().to_owned();
    let (django, redis) = (value("django_secret_key"), value("redis_password"));
    let flip = |text: &str| {
        let middle = text.len() / 2;
        let other = if &text[middle..=middle] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &text[..middle], &text[middle + 1..])
    };
    let at = |needle: &str| good.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let key = alice.key.as_str();
    let cases = [
        ("flipped", good.replace(&redis, &flip(&redis)), at("redis_password"), "`redis_password` does not open"),
        ("truncated", good.replace(&redis, &redis[..40]), at("redis_password"), "too short"),
        ("cut", good.replace(&redis, &redis[..redis.len() - 3]), at("redis_password"), "not base64"),
        (
            "swapped",
            good.replace(&redis, "@").replace(&django, &redis).replace('@', &django),
            at("django"),
            "does not open",
        ),
        (
            "renamed",
            good.replace("redis_password", "smtp_password"),
            at("redis_password"),
            "`smtp_password` does not open",
        ),
        ("twice", format!("{good}  redis_password: {redis}\n"), at("redis_password") + 1, "is in line"),
        ("bad name", good.replace("redis_password", "Redis"), at("redis_password"), "`Redis` cannot be the name"),
        (
            "other environment",
            good.replace("environment: prod", "environment: staging"),
            at("environment: "),
            "belongs to environment `staging`",
        ),
        ("newer", good.replace("version: 1", "version: 2"), at("version: 1"), "version 2 of the format"),
        ("conflict", good.replace("values:\n", "values:\n<<<<<<< HEAD\n"), at("values:") + 1, "conflict marker"),
        (
            "slipped in",
            good.replace("data_key:", &format!("  - {{name: mallory, key: {}}}\ndata_key:", mallory.key)),
            at("signature") + 1,
            "signature does not fit",
        ),
        ("recipient renamed", good.replace("name: alice", "name: alicia"), at("signature"), "signature does not fit"),
        ("other recipient", good.replace(key, &mallory.key), at("signature"), "signature does not fit"),
        ("damaged recipient", good.replace(key, &flip(key)), at("recipients") + 1, "is no age recipient"),
        (
            "no recipient",
            good.replace(&format!("  - {{name: alice, key: {key}}}\n"), "").replace("recipients:", "recipients: []"),
            at("recipients:"),
            "no recipients",
        ),
        ("signature", good.replace("signature: ", "signature: AAAA"), at("signature"), "`signature` is not 32 bytes"),
        ("unknown key", good.replace("values:", "extra: 1\nvalues:"), at("values:"), "extra"),
        ("no mapping", good.replace("values:", "values: [1]\nx:"), at("values:"), "expected mapping"),
        ("tab", good.replace("  django", "\tdjango"), at("django"), "not a secrets file"),
    ];
    for (case, text, line, message) in cases {
        assert_ne!(text, good, "{case}");
        fs::write(place.path(), &text).unwrap();
        let said = refusal(&place, &alice).unwrap_or_else(|| panic!("{case} was accepted"));
        assert!(said.contains(&format!("prod.yml:{line}: ")) && said.contains(message), "{case}: {said}");
        assert!(!said.contains("hunter2"), "{case}");
    }
}

#[test]
fn what_is_no_file_at_all_is_told() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    for (bytes, message) in [
        (Vec::new(), "the file is empty"),
        (b"\xff\xfe\x00".to_vec(), "not a text file"),
        (vec![b'a'; 5 << 20], "larger than 4 MiB"),
        (b"just words".to_vec(), "not a secrets file"),
        (b"- a\n- b\n".to_vec(), "not a secrets file"),
    ] {
        fs::write(place.path(), bytes).unwrap();
        let said = refusal(&place, &alice).unwrap();
        assert!(said.contains(message), "{said}");
    }
    fs::remove_file(place.path()).unwrap();
    assert!(matches!(Store::open(&place.path(), "prod"), Err(Error::Missing { .. })));
}

#[test]
fn an_old_data_key_from_another_file_does_not_fit() {
    let alice = Person::new("alice");
    let (place, other) = (Place::new(&[&alice]), Place::new(&[&alice]));
    let split = |text: &str| text.find("values:").unwrap();
    let (one, two) = (place.text(), other.text());
    fs::write(place.path(), one[..split(&one)].to_owned() + &two[split(&two)..]).unwrap();
    assert!(refusal(&place, &alice).unwrap().contains("does not open"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back(value in "[^\u{0}\u{E000}\u{E001}]{1,200}", environment in "[a-z][a-z0-9-]{0,10}z") {
        let alice = Person::new("alice");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.yml");
        let mut unlocked = Store::create(&path, &environment, vec![alice.recipient()], Terminal::silent()).unwrap();
        set(&mut unlocked, "some_name", &value);
        unlocked.save().unwrap();
        let unlocked = Store::open(&path, &environment).unwrap().unlock(&alice.identities()).unwrap();
        prop_assert_eq!(get(&unlocked, "some_name"), value);
    }
}

/// Any byte of the file, changed into any other: an error, or a file that says the same as before (the comment, space).
#[test]
fn no_changed_byte_goes_unseen() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let good = fs::read(place.path()).unwrap();
    let before = Store::open(&place.path(), "prod").unwrap().document;
    let identities = alice.identities();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut unseen = 0;
    for at in 0..good.len() {
        let byte = (1..=255u8).new_tree(&mut runner).unwrap().current();
        let mut bad = good.clone();
        bad[at] ^= byte;
        fs::write(place.path(), &bad).unwrap();
        let Ok(unlocked) = Store::open(&place.path(), "prod").and_then(|store| store.unlock(&identities)) else {
            continue;
        };
        if unlocked.unreadable_values().is_empty() && unlocked.names().len() == 2 {
            unseen += 1;
            assert!(unlocked.document.header == before.header, "byte {at}");
            assert_eq!(get(&unlocked, "redis_password"), "hunter2", "byte {at}");
        }
    }
    let comment = good.iter().position(|byte| *byte == b'\n').unwrap();
    assert!(
        unseen <= comment + good.iter().filter(|byte| byte.is_ascii_whitespace()).count(),
        "{unseen} of {}",
        good.len()
    );
}
