//! Writing: nothing of others is lost, nothing half-written is left.

use super::*;
use crate::secrets::Error;

#[test]
fn what_others_wrote_in_the_meantime_stays() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let (mut ours, mut theirs) = (place.unlock(&alice), place.unlock(&alice));
    set(&mut theirs, "added", "theirs");
    theirs.remove("django_secret_key").unwrap();
    theirs.save().unwrap();
    set(&mut ours, "redis_password", "ours");
    assert!(ours.save().unwrap());
    let now = place.unlock(&alice);
    assert_eq!((get(&now, "added"), get(&now, "redis_password")), ("theirs".into(), "ours".into()));
    assert!(now.get("django_secret_key").is_err());
}

#[test]
fn the_same_secret_changed_twice_is_a_collision() {
    let alice = Person::new("alice");
    let place = Place::new(&[&alice]);
    let (mut ours, mut theirs) = (place.unlock(&alice), place.unlock(&alice));
    set(&mut theirs, "redis_password", "theirs");
    theirs.save().unwrap();
    set(&mut ours, "redis_password", "ours");
    assert!(matches!(ours.save(), Err(Error::Collision { what, .. }) if what == "`redis_password`"));
    assert_eq!(get(&place.unlock(&alice), "redis_password"), "theirs");
}

#[test]
fn a_rekey_in_the_meantime_is_a_collision() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let add_bob = Rekey { add: vec![bob.recipient()], ..Rekey::default() };
    let place = Place::new(&[&alice]);
    let (mut ours, mut theirs) = (place.unlock(&alice), place.unlock(&alice));
    rekey(&mut theirs, &add_bob).unwrap();
    theirs.save().unwrap();
    set(&mut ours, "redis_password", "ours");
    assert!(matches!(ours.save(), Err(Error::Collision { what, .. }) if what == "the recipients"));

    // The other way round: their value is sealed with a data key that we replace.
    let place = Place::new(&[&alice]);
    let (mut ours, mut theirs) = (place.unlock(&alice), place.unlock(&alice));
    set(&mut theirs, "added", "theirs");
    theirs.save().unwrap();
    rekey(&mut ours, &Rekey { rotate: true, ..Rekey::default() }).unwrap();
    assert!(matches!(ours.save(), Err(Error::Collision { what, .. }) if what == "values"));
    assert_eq!(get(&place.unlock(&alice), "added"), "theirs");

    // Without a new data key both fit together.
    let (mut ours, mut theirs) = (place.unlock(&alice), place.unlock(&alice));
    set(&mut theirs, "added", "again");
    theirs.save().unwrap();
    rekey(&mut ours, &add_bob).unwrap();
    assert!(ours.save().unwrap());
    assert_eq!(get(&place.unlock(&bob), "added"), "again");
}

#[test]
fn an_existing_file_is_not_created_again() {
    let alice = Person::new("alice");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets").join("prod.yml");
    let create = || Store::create(&path, "prod", vec![alice.recipient()], Terminal::silent());
    let (mut first, mut second) = (create().unwrap(), create().unwrap());
    first.save().unwrap();
    assert!(second.save().is_err());
    assert!(matches!(create(), Err(Error::Exists { .. })));
    let store = Store::open(&path, "prod").unwrap();
    assert!(store.names().is_empty());
    assert!(store.unlock(&alice.identities()).is_ok());
}

#[test]
fn an_environment_that_yaml_would_misread_is_not_written() {
    let alice = Person::new("alice");
    let folder = tempfile::tempdir().unwrap();
    for name in ["null", "a: b", "x\ny", ""] {
        let path = folder.path().join("secrets.yml");
        let mut created = Store::create(&path, name, vec![alice.recipient()], Terminal::silent()).unwrap();
        assert!(created.save().is_err(), "{name:?}");
        assert!(!path.exists(), "{name:?}");
    }
}
