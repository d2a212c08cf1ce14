//! Several controllers of one host: locks, records, content.

use super::*;
use crate::hex::Hex;
use crate::host::Host;
use crate::kept::Version;

#[test]
fn who_held_the_lock_before_changes_nothing_any_more() {
    let place = Place::new();
    let steps = [place.file("web", "a", "a", &[]), place.file("web", "b", "b", &[])];
    let (mut old, mut new) = (Controller::connect(&place.state()), Controller::connect(&place.state()));
    old.observe(&steps, &[]);
    old.apply("r1", &steps[..1]);
    let next = Fence { token: 2, holder: "i".to_owned(), owner: "bob@desk".to_owned(), run: "r2".to_owned() };
    assert!(matches!(new.ask(&Request::Fence { fence: next }), Reply::Done));
    let ids = vec![steps[1].id.clone()];
    let late = apply_request("r1", ids.clone());
    for request in [late, prune_request("r1", ids), Request::Fence { fence: fence("r1") }] {
        let Reply::Failed { message, .. } = old.ask(&request) else { panic!("{request:?} was not refused") };
        assert!(message.contains("the run r2 of bob@desk came with lock 2"), "{message}");
    }
    assert_eq!((place.text("a").as_str(), Path::new(&place.path("b")).exists()), ("a", false));
    let (_, last) = Controller::greeted(&place.state());
    assert_eq!(last.map(|last| (last.run, last.state)), Some(("r1".to_owned(), RunState::Waiting)));
}

#[test]
fn a_run_that_is_followed_while_it_is_at_work_begins_no_other_step() {
    let place = Place::new();
    let (ready, go) = (place.path("ready"), place.path("go"));
    assert!(std::process::Command::new("mkfifo").args([&ready, &go]).status().unwrap().success());
    let shell = format!("echo > {ready}; cat {go}");
    let slow =
        step("web", "slow", &json!({"type": "command", "name": "slow", "shell": shell, "changes": "always"}), &[]);
    let steps = [slow, place.file("web", "b", "b", &[])];
    let (mut old, mut new) = (Controller::connect(&place.state()), Controller::connect(&place.state()));
    old.observe(&steps, &[]);
    old.request(&apply_request("r1", steps.iter().map(|step| step.id.clone()).collect()));
    std::fs::read(&ready).unwrap();
    let next = Fence { token: 2, holder: "i".to_owned(), owner: "bob@desk".to_owned(), run: "r2".to_owned() };
    // Who has only just followed on the controller leaves the stage alone that is under way.
    let Reply::Failed { message, .. } = new.ask(&Request::Fence { fence: next.clone() }) else { panic!("not refused") };
    assert!(message.starts_with("another run is at work on this host: r1 of alice@laptop"), "{message}");
    // As when both come at the same moment.
    next.raise(&Host::new(place.state().join("test"))).unwrap();
    std::fs::write(&go, "yes").unwrap();
    let outcomes = loop {
        match old.reply() {
            Reply::Event(_) => {}
            Reply::Applied { outcomes, .. } => break outcomes,
            other => panic!("{other:?}"),
        }
    };
    assert!(outcomes[0].error.is_none(), "a step that has begun comes to its end");
    assert!(outcomes[1].error.as_ref().unwrap().message.contains("lock 2"), "{outcomes:?}");
    assert!(!Path::new(&place.path("b")).exists());
    assert!(matches!(new.ask(&Request::Fence { fence: next }), Reply::Done));
}

#[test]
fn records_are_kept_over_the_wire() {
    let place = Place::new();
    let mut controller = Controller::connect(&place.state());
    let mut keep = |content: Option<&[u8]>, seen: Option<&Version>| {
        let content = content.map(|content| Hex(content.to_vec()));
        match controller.ask(&Request::Keep { key: "history/1-a".to_owned(), content, seen: seen.cloned() }) {
            Reply::Kept { done, version, content } => (done, version, content),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(keep(None, None), (true, None, None));
    let content = [0, 255, b'{'];
    let (true, Some(version), None) = keep(Some(&content), None) else { panic!("not written") };
    let current = (Some(version.clone()), Some(Hex(content.to_vec())));
    assert_eq!(keep(Some(b""), None), (false, current.0.clone(), current.1.clone()));
    assert_eq!(keep(None, None), (true, current.0, current.1));
    assert_eq!(keep(None, Some(&version)), (true, None, None));
    for key in ["../x", "a//"] {
        let outside = Request::Keep { key: key.to_owned(), content: None, seen: None };
        assert!(matches!(controller.ask(&outside), Reply::Failed { .. }), "{key}");
    }
    let list = Request::Keep { key: "history/".to_owned(), content: None, seen: None };
    assert!(matches!(controller.ask(&list), Reply::Keys { keys } if keys.is_empty()));
}

#[test]
fn a_session_that_only_looks_leaves_the_content_of_another() {
    let place = Place::new();
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
    let mut controller = Controller::connect(&place.state());
    controller.request(&Request::Blob { digest: digest.clone(), length: 3 });
    controller.send(&encode(FrameKind::Data, b"abc"));
    assert!(matches!(controller.reply(), Reply::Done));
    Controller::connect(&place.state()).bye();
    let request = Request::Blobs { digests: vec![digest] };
    assert!(matches!(controller.ask(&request), Reply::Missing { digests } if digests.is_empty()));
}
