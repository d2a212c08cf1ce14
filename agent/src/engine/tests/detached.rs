//! A run that goes on without the controller that began it.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::event_log::EventLog;
use crate::last_run::socket;

/// A step that says when it has begun and waits for leave to end, and one after it.
struct Waiting {
    place: Place,
    steps: [Step; 2],
}

impl Waiting {
    fn new() -> Self {
        let place = Place::new();
        let (ready, go) = (place.path("ready"), place.path("go"));
        assert!(std::process::Command::new("mkfifo").args([&ready, &go]).status().unwrap().success());
        let shell = format!("echo > {ready}; cat {go} > {}", place.path("finished"));
        let slow = json!({"type": "command", "name": "slow", "shell": shell, "creates": place.path("finished")});
        let steps = [step("web", "slow", &slow, &[]), place.file("web", "b", "b", &["restart"])];
        Self { place, steps }
    }

    /// A controller that has begun to apply; the first step is in its middle.
    fn begin(&self) -> Controller {
        let mut controller = Controller::connect(&self.place.state());
        controller.observe(&self.steps, &[self.place.handler("web", "restart")]);
        controller.request(&apply_request("r1", self.steps.iter().map(|step| step.id.clone()).collect()));
        assert!(matches!(controller.reply(), Reply::Event(Event::Began { number: 0, tied: None, .. })));
        assert!(matches!(controller.reply(), Reply::Event(Event::Started { .. })));
        std::fs::read(self.place.path("ready")).unwrap();
        controller
    }

    fn go(&self) {
        std::fs::write(self.place.path("go"), "yes").unwrap();
    }
}

fn last_run(state: &Path) -> Option<LastRun> {
    Controller::greeted(state).1
}

fn follow(controller: &mut Controller, from: u64, stop: bool) -> (Vec<Event>, Reply) {
    controller.request(&Request::Follow { run: "r1".to_owned(), from, stop });
    let mut events = Vec::new();
    loop {
        match controller.reply() {
            Reply::Event(event) => events.push(event),
            reply => return (events, reply),
        }
    }
}

#[test]
fn a_run_goes_on_without_its_controller_and_another_one_follows_it() {
    let waiting = Waiting::new();
    let gone = waiting.begin();
    gone.stream.shutdown(Shutdown::Both).unwrap();
    gone.agent.join().unwrap();

    let (mut other, last) = Controller::greeted(&waiting.place.state());
    let last = last.unwrap();
    assert_eq!((last.run.as_str(), last.state), ("r1", RunState::Working));
    assert_eq!((last.origin.owner().as_str(), last.origin.note()), ("alice@laptop", json!({"limit": []})));
    other.observe(&waiting.steps, &[]);
    let Reply::Failed { message, hint } = other.ask(&apply_request("r2", Vec::new())) else { panic!("not refused") };
    assert!(message.starts_with("another run is at work on this host: r1 of alice@laptop, since "), "{message}");
    assert!(hint.unwrap().contains("attach"));

    other.request(&Request::Follow { run: "r1".to_owned(), from: 1, stop: false });
    assert!(matches!(other.reply(), Reply::Event(Event::Started { .. })));
    waiting.go();
    let kinds: Vec<_> = std::iter::from_fn(|| match other.reply() {
        Reply::Event(Event::Started { id }) => Some(format!("+{id}")),
        Reply::Event(Event::Finished(outcome)) => Some(format!("-{}", outcome.id)),
        Reply::Applied { outcomes, .. } => {
            assert_eq!(outcomes.len(), 3);
            None
        }
        other => panic!("{other:?}"),
    })
    .collect();
    let (b, handler) = (&waiting.steps[1].id, "web/handler:restart");
    assert_eq!(
        kinds,
        ["-web/command:slow", &format!("+{b}"), &format!("-{b}"), &format!("+{handler}"), &format!("-{handler}")]
    );
    assert_eq!(waiting.place.text("handled"), "restart\n");
    assert_eq!(last_run(&waiting.place.state()).unwrap().state, RunState::Waiting);

    // Told again as often as somebody asks, and from wherever.
    for _ in 0..2 {
        let (events, end) = follow(&mut other, 3, false);
        assert!(events.len() == 4 && matches!(end, Reply::Applied { .. }), "{events:?}");
        let (events, end) = follow(&mut other, 8, false);
        assert!(events.is_empty() && matches!(end, Reply::Ended { cut: false }), "{end:?}");
        assert!(matches!(follow(&mut other, 9, false).1, Reply::Failed { .. }));
    }
    assert!(!socket(&waiting.place.state().join("test")).exists());
    // It may be the next to apply.
    other.apply("r2", &waiting.steps);
    other.bye();
}

#[test]
fn who_follows_may_stop_it() {
    let place = Place::new();
    let steps = [place.file("web", "a", "a", &[])];
    let mut first = Controller::connect(&place.state());
    first.observe(&steps, &[]);
    let Request::Apply { run, origin, fence, steps, .. } = apply_request("r1", vec![steps[0].id.clone()]) else {
        panic!()
    };
    let check = json!({"service": "web", "check": {"type": "command", "argv": ["false"]}});
    let checks = vec![serde_json::from_value(check).unwrap()];
    first.request(&Request::Apply { run, origin, fence, steps, checks, deadline: 3600 });
    while !matches!(first.reply(), Reply::Event(Event::Waiting { .. })) {}

    let mut second = Controller::connect(&place.state());
    let (_, reply) = follow(&mut second, 0, true);
    assert!(matches!(&reply, Reply::Applied { stopped: true, outcomes, .. } if outcomes.len() == 1), "{reply:?}");
    while !matches!(first.reply(), Reply::Applied { stopped: true, .. }) {}
}

#[test]
fn an_agent_that_was_killed_leaves_a_run_that_was_cut_off() {
    let place = Place::new();
    let steps = [place.file("web", "a", "a", &[])];
    let mut controller = Controller::connect(&place.state());
    controller.observe(&steps, &[]);
    controller.apply("r1", &steps);
    controller.bye();
    assert_eq!(last_run(&place.state()).unwrap().state, RunState::Waiting);
    // As a kill in the middle leaves it: no last reply, a state that nobody took back, a socket that nobody hears.
    let state = place.state().join("test");
    let text = place.text("state/test/runs/r1");
    let lines: Vec<&str> = text.lines().collect();
    let (end, events) = lines.split_last().unwrap();
    std::fs::write(state.join("runs/r1"), events.join("\n") + "\n" + &end[..20]).unwrap();
    let working = place.text("state/test/run.json").replace("waiting", "working");
    std::fs::write(state.join("run.json"), working).unwrap();
    drop(std::os::unix::net::UnixListener::bind(socket(&state)).unwrap());

    let (mut other, last) = Controller::greeted(&place.state());
    assert_eq!(last.unwrap().state, RunState::Cut);
    for from in [0, 3] {
        let (events, reply) = follow(&mut other, from, false);
        assert!(events.len() as u64 == 3 - from && matches!(reply, Reply::Ended { cut: true }), "{events:?} {reply:?}");
    }
    assert_eq!(EventLog::open(&state, "r1").unwrap().next(), 3);
    other.observe(&steps, &[]);
    other.apply("r2", &steps);
    other.request(&Request::Bye { leave_nothing: false, over: Some("r2".to_owned()) });
    assert!(matches!(other.reply(), Reply::Done));
    assert_eq!(last_run(&place.state()).unwrap().state, RunState::Over);
}

#[test]
fn an_agent_that_is_given_no_work_or_half_of_it_leaves_the_next_one_its_place() {
    let place = Place::new();
    let state = place.state().join("test");
    let steps = [place.file("web", "a", "a", &[])];
    launch(&state).unwrap();
    assert!(launch(&state).is_err(), "there is one already");
    let stream = UnixStream::connect(state.join("rendezvous")).unwrap();
    (&stream).write_all(b"J\0\0\0\x64half").unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    // Its lock is free when it has ended.
    let lock = std::fs::File::open(state.join("lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    drop(lock);
    let mut controller = Controller::connect(&place.state());
    controller.observe(&steps, &[]);
    assert_eq!(controller.apply("r1", &steps).len(), 1);
}

#[test]
fn the_agent_of_a_session_applies_for_nobody_else() {
    let place = Place::new();
    let mut controller = Controller::connect(&place.state());
    let adopt = Request::Adopt { unchanged: Default::default(), failed: Default::default(), tied: None };
    assert!(matches!(controller.ask(&adopt), Reply::Failed { .. }));
    let Reply::Failed { message, .. } = controller.ask(&apply_request("../r1", Vec::new())) else {
        panic!("not refused")
    };
    assert!(message.contains("cannot be the name of a run"), "{message}");
}
