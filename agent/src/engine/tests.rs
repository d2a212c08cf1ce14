//! The engine as a controller meets it: frames in, frames out.

mod detached;
mod team;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::{Itself, apply, serve};
use crate::change::ChangeKind;
use crate::fence::Fence;
use crate::protocol::{
    Event, FrameKind, LastRun, Observed, Origin, Outcome, Reply, Request, RunState, VERSION, encode, encode_control,
    read_frame,
};
use crate::secret::{Secret, Vault, token};
use crate::step::{Handler, Step};
use crate::step_error::StepError;

/// An agent that applies, in a thread instead of a process of its own.
pub(super) fn launch(state: &Path) -> Result<Option<String>, StepError> {
    let (state, (ready, started)) = (state.to_owned(), channel());
    std::thread::spawn(move || {
        apply(&state, &mut || {
            ready.send(()).unwrap();
            Ok(())
        })
    });
    started.recv().map(|()| None).map_err(|_| StepError::new("it did not start"))
}

/// A controller with an agent of its own, both on this machine.
struct Controller {
    stream: UnixStream,
    agent: JoinHandle<()>,
}

impl Controller {
    fn connect(state: &Path) -> Self {
        Self::greeted(state).0
    }

    /// A controller, and the newest run that it was told of.
    fn greeted(state: &Path) -> (Self, Option<LastRun>) {
        let (stream, other) = UnixStream::pair().unwrap();
        let requests = other.try_clone().unwrap();
        let state = state.to_owned();
        let agent = std::thread::spawn(move || serve(&state, &Itself::default(), requests, other).unwrap());
        let mut controller = Self { stream, agent };
        let (environment, host) = ("test".to_owned(), "h1".to_owned());
        let hello = controller.ask(&Request::Hello { version: VERSION, environment, host });
        let Reply::Hello { version: VERSION, last, .. } = hello else { panic!("{hello:?}") };
        (controller, last)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn request(&mut self, request: &Request) {
        self.send(&encode_control(request).unwrap());
    }

    fn reply(&mut self) -> Reply {
        let (kind, payload) = read_frame(&mut self.stream).unwrap().expect("the agent went away");
        assert_eq!(kind, FrameKind::Control);
        serde_json::from_slice(&payload).unwrap()
    }

    /// The final reply, events left out.
    fn ask(&mut self, request: &Request) -> Reply {
        self.request(request);
        loop {
            match self.reply() {
                Reply::Event(_) => {}
                reply => return reply,
            }
        }
    }

    fn observe(&mut self, steps: &[Step], handlers: &[Handler]) -> (Vec<Observed>, Vec<String>, Vec<String>) {
        match self.ask(&Request::Observe { steps: steps.to_vec(), handlers: handlers.to_vec(), past: false }) {
            Reply::Observed { changes, orphans, pending, .. } => {
                (changes, orphans.into_iter().map(|orphan| orphan.id).collect(), pending)
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply(&mut self, run: &str, steps: &[Step]) -> Vec<Outcome> {
        let steps = steps.iter().map(|step| step.id.clone()).collect();
        match self.ask(&apply_request(run, steps)) {
            Reply::Applied { outcomes, .. } => outcomes,
            other => panic!("{other:?}"),
        }
    }

    fn bye(mut self) {
        assert!(matches!(self.ask(&Request::Bye { leave_nothing: false, over: None }), Reply::Done));
        self.agent.join().unwrap();
    }
}

fn apply_request(run: &str, steps: Vec<String>) -> Request {
    let origin = Origin::new("alice@laptop", &json!({"limit": []}));
    Request::Apply { run: run.to_owned(), origin, fence: fence(run), steps, checks: Vec::new(), deadline: 0 }
}

fn prune_request(run: &str, orphans: Vec<String>) -> Request {
    Request::Prune { run: run.to_owned(), origin: Origin::default(), fence: fence(run), orphans }
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn file(&self, service: &str, name: &str, content: &str, notify: &[&str]) -> Step {
        let resource = json!({"type": "file", "path": self.path(name), "content": content});
        step(service, name, &resource, notify)
    }

    /// A handler that writes its name into a file.
    fn handler(&self, service: &str, name: &str) -> Handler {
        let shell = format!("echo {name} >> {}", self.path("handled"));
        let resource = json!({"type": "command", "name": name, "shell": shell, "changes": "always"});
        let id = format!("{service}/handler:{name}");
        serde_json::from_value(json!({"id": id, "service": service, "stage": 0, "resource": resource})).unwrap()
    }
}

fn step(service: &str, name: &str, resource: &Value, notify: &[&str]) -> Step {
    let id = format!("{service}/{}:{name}", resource["type"].as_str().unwrap());
    let notify: Vec<String> = notify.iter().map(|name| format!("{service}/handler:{name}")).collect();
    serde_json::from_value(json!({"id": id, "service": service, "stage": 0, "resource": resource, "notify": notify}))
        .unwrap()
}

/// The fence of the one who holds the lock in these tests.
fn fence(run: &str) -> Fence {
    Fence { token: 1, holder: "h".to_owned(), owner: "ann@laptop".to_owned(), run: run.to_owned() }
}

fn kinds(outcomes: &[Outcome]) -> BTreeMap<&str, ChangeKind> {
    outcomes.iter().map(|outcome| (outcome.id.as_str(), outcome.change.kind)).collect()
}

#[test]
fn a_plan_touches_nothing_and_a_second_run_changes_nothing() {
    let place = Place::new();
    let steps = [place.file("web", "a", "one\n", &["restart"]), place.file("web", "b", "two\n", &["restart"])];
    let handlers = [place.handler("web", "restart")];
    let mut controller = Controller::connect(&place.state());
    let (changes, orphans, pending) = controller.observe(&steps, &handlers);
    assert!(changes.iter().all(|observed| observed.change.kind == ChangeKind::Create));
    assert!(orphans.is_empty() && pending.is_empty());
    assert_eq!(std::fs::read_dir(place.0.path()).unwrap().count(), 0);

    let outcomes = controller.apply("r1", &steps);
    assert_eq!(outcomes.len(), 3);
    assert_eq!(kinds(&outcomes)["web/handler:restart"], ChangeKind::Run);
    assert_eq!((place.text("a"), place.text("handled")), ("one\n".to_owned(), "restart\n".to_owned()));

    let (changes, ..) = controller.observe(&steps, &handlers);
    assert!(changes.iter().all(|observed| observed.change.is_none()));
    let outcomes = controller.apply("r2", &steps);
    assert!(outcomes.iter().all(|outcome| outcome.change.is_none()) && outcomes.len() == 2);
    controller.bye();
}

#[test]
fn a_failed_step_stops_its_service_and_what_requires_it_and_nothing_else() {
    let place = Place::new();
    let broken =
        step("web", "broken", &json!({"type": "command", "name": "x", "argv": ["false"], "changes": "always"}), &[]);
    let mut dependent = place.file("proxy", "d", "d", &[]);
    dependent.requires.push(broken.id.clone());
    let steps = [
        place.file("web", "a", "a", &["restart"]),
        broken,
        place.file("web", "b", "b", &[]),
        place.file("db", "c", "c", &[]),
        dependent,
    ];
    let handlers = [place.handler("web", "restart")];
    let mut controller = Controller::connect(&place.state());
    controller.observe(&steps, &handlers);
    let outcomes = controller.apply("r1", &steps);
    let failed: Vec<&str> =
        outcomes.iter().filter(|outcome| outcome.error.is_some()).map(|outcome| outcome.id.as_str()).collect();
    assert_eq!(failed, ["web/command:broken", "proxy/file:d"]);
    assert_eq!((place.text("b"), place.text("c"), place.text("d")), (String::new(), "c".to_owned(), String::new()));
    assert_eq!(place.text("handled"), "");
    let (_, _, pending) = controller.observe(&steps, &handlers);
    assert_eq!(pending, ["web/handler:restart"]);
}

#[test]
fn a_handler_that_was_pending_when_the_agent_died_runs_though_nothing_changes() {
    let place = Place::new();
    let steps = [place.file("web", "a", "a", &["restart"])];
    let handlers = [place.handler("web", "restart"), place.handler("other", "restart")];
    let mut controller = Controller::connect(&place.state());
    controller.observe(&steps, &handlers);
    controller.apply("r1", &steps);
    controller.bye();
    // As an agent leaves it that is killed between the step and its handler.
    let journal = place.state().join("test/journal");
    let text = std::fs::read_to_string(&journal).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("web/handler:restart\",\"millis")).collect();
    std::fs::write(&journal, kept.join("\n") + "\n{\"run\":\"r1\",\"at\"").unwrap();
    std::fs::remove_file(place.path("handled")).unwrap();

    let mut controller = Controller::connect(&place.state());
    let (changes, _, pending) = controller.observe(&steps, &handlers);
    assert!(changes[0].change.is_none());
    assert_eq!(pending, ["web/handler:restart"]);
    let outcomes = controller.apply("r2", &steps);
    assert_eq!(kinds(&outcomes)["web/handler:restart"], ChangeKind::Run);
    assert_eq!(place.text("handled"), "restart\n");
    assert!(controller.observe(&steps, &handlers).2.is_empty());
}

#[test]
fn what_left_the_spec_is_shown_and_pruned() {
    let place = Place::new();
    let steps = [place.file("web", "a", "a", &[]), place.file("old", "b", "b", &[])];
    let mut controller = Controller::connect(&place.state());
    controller.observe(&steps, &[]);
    controller.apply("r1", &steps);
    let (_, orphans, _) = controller.observe(&steps[..1], &[]);
    assert_eq!(orphans, ["old/file:b"]);
    let foreign = prune_request("r2", vec!["web/file:a".to_owned()]);
    assert!(matches!(controller.ask(&foreign), Reply::Failed { .. }));
    let prune = prune_request("r2", orphans);
    let Reply::Applied { outcomes, .. } = controller.ask(&prune) else { panic!("not applied") };
    assert_eq!(outcomes[0].change.kind, ChangeKind::Delete);
    assert!(!Path::new(&place.path("b")).exists() && Path::new(&place.path("a")).exists());
    assert!(controller.observe(&steps[..1], &[]).1.is_empty());
}

#[test]
fn what_cannot_be_observed_is_unknown_after_a_change_and_an_error_without() {
    let place = Place::new();
    let guard = json!({"type": "command", "name": "x", "argv": ["true"], "unless": "no-such-program"});
    let steps = [place.file("web", "a", "a", &[]), step("web", "x", &guard, &[])];
    let mut controller = Controller::connect(&place.state());
    let (changes, ..) = controller.observe(&steps, &[]);
    assert_eq!((changes[1].change.kind, &changes[1].error), (ChangeKind::Unknown, &None));
    let (changes, ..) = controller.observe(&steps[1..], &[]);
    assert!(changes[0].error.as_ref().unwrap().message.contains("cannot run"));
}

#[test]
fn no_secret_leaves_by_reply_or_stays_in_the_state() {
    let place = Place::new();
    let mut vault = Vault::default();
    vault.insert("pw".to_owned(), Secret::new("hunter22".to_owned()), "hmac:pw".to_owned());
    let leak = json!({"type": "command", "name": "leak", "shell": "echo $PW; exit 1", "changes": "always", "env": {"PW": token("pw", &[])}});
    let steps = [place.file("web", "a", &format!("p={}\n", token("pw", &[])), &[]), step("web", "leak", &leak, &[])];
    let mut controller = Controller::connect(&place.state());
    controller.send(&encode(FrameKind::Secrets, &vault.to_frame()));
    controller.observe(&steps, &[]);
    let outcomes = controller.apply("r1", &steps);
    assert_eq!(place.text("a"), "p=hunter22\n");
    assert_eq!(outcomes[1].error.as_ref().unwrap().output, ["(secret)"]);
    assert!(!serde_json::to_string(&outcomes).unwrap().contains("hunter22"));
    let Reply::Journal { records } = controller.ask(&Request::Journal { runs: 9 }) else { panic!("no journal") };
    assert!(records.len() > 3);
    for file in ["test/journal", "test/ledger.json", "test/runs/r1", "test/run.json"] {
        let text = place.text(&format!("state/{file}"));
        assert!(!text.is_empty() && !text.contains("hunter22"), "{text}");
    }
}

#[test]
fn content_travels_in_pieces() {
    let place = Place::new();
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
    let content = json!({"sha256": digest, "length": 3});
    let steps = [step("web", "blob", &json!({"type": "file", "path": place.path("blob"), "content": content}), &[])];
    let mut controller = Controller::connect(&place.state());
    let Reply::Observed { missing, .. } =
        controller.ask(&Request::Observe { steps: steps.to_vec(), handlers: Vec::new(), past: false })
    else {
        panic!("not observed")
    };
    assert_eq!(missing, [digest.as_str()]);
    controller.request(&Request::Blob { digest: digest.clone(), length: 3 });
    controller.send(&encode(FrameKind::Data, b"ab"));
    controller.send(&encode(FrameKind::Data, b"c"));
    assert!(matches!(controller.reply(), Reply::Done));
    controller.apply("r1", &steps);
    assert_eq!(place.text("blob"), "abc");
    controller.bye();
    assert!(!place.state().join("test/blobs").exists());
}

#[test]
fn a_stop_lets_the_running_step_finish_and_starts_no_other() {
    let place = Place::new();
    let (ready, go) = (place.path("ready"), place.path("go"));
    let status = std::process::Command::new("mkfifo").args([&ready, &go]).status().unwrap();
    assert!(status.success());
    // It goes on for a moment after its leave to end: the stop passes through two sockets meanwhile.
    let shell = format!("echo > {ready}; cat {go} > {}; sleep 0.5", place.path("finished"));
    let slow =
        step("web", "slow", &json!({"type": "command", "name": "slow", "shell": shell, "changes": "always"}), &[]);
    let steps = [slow, place.file("web", "b", "b", &[])];
    let mut controller = Controller::connect(&place.state());
    controller.observe(&steps, &[]);
    let ids = steps.iter().map(|step| step.id.clone()).collect();
    controller.request(&apply_request("r1", ids));
    assert!(matches!(controller.reply(), Reply::Event(Event::Began { number: 0, steps: 2, .. })));
    assert!(matches!(controller.reply(), Reply::Event(Event::Started { .. })));
    std::fs::read(&ready).unwrap();
    controller.request(&Request::Stop);
    // More than a socket holds: when all of it is written, the agent has read the stop before it and passed it on.
    controller.send(&encode(FrameKind::Data, &vec![0; 1 << 20]));
    std::fs::write(&go, "yes").unwrap();
    assert!(matches!(controller.reply(), Reply::Event(Event::Finished(_))));
    let Reply::Applied { outcomes, stopped, .. } = controller.reply() else { panic!("not applied") };
    assert_eq!(
        (outcomes.len(), stopped, place.text("finished").as_str(), place.text("b").as_str()),
        (1, true, "yes", "")
    );
    assert!(matches!(controller.reply(), Reply::Failed { .. }));
    controller.bye();
}

#[test]
fn exec_passes_output_on_in_lines_and_says_how_it_ended() {
    let place = Place::new();
    let mut controller = Controller::connect(&place.state());
    controller.request(&Request::Exec {
        argv: ["sh", "-c", "printf 'a\\nb'; echo c >&2; exit 7"].map(str::to_owned).to_vec(),
    });
    let (mut out, mut err) = (String::new(), String::new());
    loop {
        match controller.reply() {
            Reply::Event(Event::Output { stderr: false, text }) => out.push_str(&text),
            Reply::Event(Event::Output { stderr: true, text }) => err.push_str(&text),
            Reply::Exited { status } => break assert_eq!(status, 7),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((out.as_str(), err.as_str()), ("a\nb", "c\n"));
}

#[test]
fn two_runs_on_one_host_do_not_mix() {
    let place = Place::new();
    let steps = [place.file("web", "a", "a", &[])];
    let mut controller = Controller::connect(&place.state());
    controller.observe(&steps, &[]);
    controller.apply("r1", &steps);
    let lock = std::fs::File::open(place.state().join("test/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let request = apply_request("r2", vec![steps[0].id.clone()]);
    let Reply::Failed { message, .. } = controller.ask(&request) else { panic!("not refused") };
    assert_eq!(message, "another run is at work on this host: r1 of alice@laptop, since 0 s");
}

#[test]
fn a_wrong_environment_or_version_is_refused() {
    let place = Place::new();
    let mut controller = Controller::connect(&place.state());
    for (version, environment) in [(VERSION + 1, "x"), (VERSION, "../x"), (VERSION, "")] {
        let (environment, host) = (environment.to_owned(), "h".to_owned());
        assert!(matches!(controller.ask(&Request::Hello { version, environment, host }), Reply::Failed { .. }));
    }
}
