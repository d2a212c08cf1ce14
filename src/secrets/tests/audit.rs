//! `secrets check`.

use std::collections::BTreeSet;

use super::*;
use crate::secrets::{Audit, Problem, Severity};

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

fn said(audit: &Audit) -> Vec<String> {
    let severity = |problem: &Problem| if problem.severity == Severity::Error { "error" } else { "warning" };
    audit.problems.iter().map(|problem| format!("{}: {problem}", severity(problem))).collect()
}

#[test]
fn a_good_file_has_no_problems() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let place = Place::new(&[&alice, &bob]);
    set_and_save(&place, &alice, "redis_password", "long enough");
    let referenced = names(&["redis_password", "django_secret_key"]);
    let audit = Audit::of(&place.path(), "prod", Some(&referenced), Some(&bob.identities())).unwrap();
    assert_eq!(said(&audit), Vec::<String>::new());
    assert!(audit.unchecked.is_empty() && !audit.has_errors());
    assert_eq!(audit.recipients.iter().map(Recipient::name).collect::<Vec<_>>(), ["alice", "bob"]);
    assert_eq!(audit.secrets.len(), 2);
    assert!(audit.secrets.iter().all(|secret| secret.used == Some(true) && secret.digest.is_some() && secret.line > 0));
}

#[test]
fn missing_unused_short_and_lonely_are_told() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let referenced = names(&["redis_pasword", "smtp", "django_secret_key"]);
    let audit = Audit::of(&place.path(), "prod", Some(&referenced), Some(&alice.identities())).unwrap();
    assert!(audit.has_errors());
    let line = audit.secrets.iter().find(|secret| secret.name == "redis_password").unwrap().line;
    assert_eq!(
        said(&audit),
        [
            "error: the environment refers to `redis_pasword`, which is not in the file".to_owned(),
            "error: the environment refers to `smtp`, which is not in the file".to_owned(),
            format!("warning: line {line}: nothing in the environment refers to `redis_password`"),
            format!(
                "warning: line {line}: the value of `redis_password` has less than 8 characters: it is easily guessed"
            ),
            "warning: only `alice` can read this file: if that key is lost, so are the values".to_owned(),
        ]
    );
    let hints: Vec<_> = audit.problems.iter().map(|problem| problem.hint.clone().unwrap()).collect();
    assert!(hints[0].contains("did you mean `redis_password`"), "{hints:?}");
    assert!(hints[1].contains("secrets set smtp"), "{hints:?}");
}

#[test]
fn without_a_key_it_says_what_was_not_checked() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let place = Place::new(&[&alice]);
    let audit =
        Audit::of(&place.path(), "prod", Some(&names(&["redis_password", "x"])), Some(&bob.identities())).unwrap();
    assert_eq!(audit.unchecked.len(), 1);
    assert!(audit.unchecked[0].contains("none of your keys opens it"), "{:?}", audit.unchecked);
    assert!(audit.unchecked[0].contains(&alice.key), "names who could: {:?}", audit.unchecked);
    assert!(audit.has_errors(), "`x` is missing all the same");
    let audit = Audit::of(&place.path(), "prod", Some(&names(&["redis_password", "django_secret_key"])), None).unwrap();
    assert!(audit.unchecked[0].contains("no key was given") && !audit.has_errors());
    assert!(audit.secrets.iter().all(|secret| secret.digest.is_none()));
}

#[test]
fn tampering_is_an_error_even_where_the_rest_is_fine() {
    let (alice, mallory) = (Person::new("alice"), Person::new("mallory"));
    let place = Place::new(&[&alice]);
    let good = place.text();
    let check = |text: &str| {
        fs::write(place.path(), text).unwrap();
        Audit::of(&place.path(), "prod", Some(&names(&[])), Some(&alice.identities())).unwrap()
    };
    let renamed = check(&good.replace("  redis_password", "  smtp_password"));
    assert!(
        renamed.has_errors() && said(&renamed)[0].contains("`smtp_password` does not open"),
        "{:?}",
        said(&renamed)
    );
    let slipped = check(&good.replace("data_key:", &format!("  - {{name: m, key: {}}}\ndata_key:", mallory.key)));
    assert!(slipped.has_errors() && said(&slipped)[0].contains("signature does not fit"), "{:?}", said(&slipped));
    let broken = check(&good.replace("  redis_password", "  Redis").replace("name: alice", "name: A L"));
    assert_eq!(broken.problems.len(), 2, "all of them, not the first: {:?}", said(&broken));
    assert!(broken.unchecked[0].contains("mend the file first"));
}

#[test]
fn no_file_is_fine_only_when_nothing_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.yml");
    let audit = |referenced: &[&str]| Audit::of(&path, "prod", Some(&names(referenced)), None).unwrap();
    assert!(!audit(&[]).has_errors());
    assert!(audit(&["x"]).has_errors());
}

#[test]
fn an_environment_with_errors_leaves_the_rest_to_be_checked() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let audit = Audit::of(&place.path(), "prod", None, Some(&alice.identities())).unwrap();
    assert!(audit.unchecked[0].contains("the environment has errors") && !audit.has_errors());
    assert!(audit.secrets.iter().all(|secret| secret.used.is_none() && secret.digest.is_some()));
}

fn set_and_save(place: &Place, person: &Person, name: &str, value: &str) {
    let mut unlocked = place.unlock(person);
    set(&mut unlocked, name, value);
    unlocked.save().unwrap();
}
