//! The agent that applies: it is handed its work by the agent of a session, and goes on when that one ends.

use std::fs;
use std::io::{self, Read as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{SendFlags, send};
use zeroize::Zeroizing;

use super::detach::rendezvous;
use super::lock::lock;
use super::outbox::{Outbox, Way};
use super::session::Session;
use super::{Itself, Stop};
use crate::event_log::EventLog;
use crate::fence::Fence;
use crate::last_run::{LastRun, RunState, socket};
use crate::protocol::{Event, FrameKind, Origin, Reply, Request, read_frame};
use crate::step_error::StepError;

/// How long the work may take to come. Who wanted to hand it over is gone after that.
const HANDOVER: Duration = Duration::from_secs(30);

/// What is handed over.
#[derive(Default)]
struct Work {
    secrets: Zeroizing<Vec<u8>>,
    observe: Option<Request>,
    known: Option<Request>,
}

/// Waits for work in the environment whose state is in this folder, does it, and ends. `ready` is called when the work may come.
///
/// # Errors
/// When another agent applies there, or the work does not come whole. What goes wrong later is told to those who follow.
pub fn apply(state: &Path, ready: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let held = lock(state).map_err(io::Error::other)?;
    let (here, public) = (rendezvous(state), socket(state));
    // What an agent that was killed has left.
    let _ = fs::remove_file(&here);
    let listener = UnixListener::bind(&here)?;
    ready()?;
    set_socket_timeout(&listener, Timeout::Recv, Some(HANDOVER))?;
    let (mut stream, _) = listener.accept()?;
    set_socket_timeout(&listener, Timeout::Recv, None)?;
    let (work, request) = receive(&mut stream)?;
    let (Request::Apply { run, origin, fence, .. } | Request::Prune { run, origin, fence, .. }) = &request else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let followers = Followers { streams: Arc::default(), stop: Stop::default() };
    let stop = followers.stop.at(followers.stop.received());
    let mut log = EventLog::open(state, run).map_err(io::Error::other)?;
    let number = log.next();
    let told = followers.clone();
    let way: Way = Box::new(move |reply| {
        log.append(reply)?;
        told.poke();
        Ok(())
    });
    let outbox = Outbox::new(way, &stop);
    let mut session = Session::new(state, &Itself::default(), &outbox);
    followers.add(stream);
    fs::rename(&here, &public)?;
    let come = followers.clone();
    let listen: Box<dyn FnOnce() + Send> = Box::new(move || {
        while let Ok((stream, _)) = listener.accept() {
            come.add(stream);
        }
    });
    thread::spawn(listen);

    match session.perform(work, &request, (run, origin, fence, number), &stop) {
        Ok(reply) => outbox.send(&reply),
        Err(error) => outbox.failed_with(error),
    }
    // Without it the run looks cut off, and whoever goes on finds nothing to do.
    let _ = LastRun::mark(&session.host, run, RunState::Waiting);
    let _ = fs::remove_file(&public);
    drop(held);
    followers.leave();
    Ok(())
}

/// What comes before the request that is the work itself, and that.
fn receive(stream: &mut UnixStream) -> io::Result<(Work, Request)> {
    let mut work = Work::default();
    loop {
        let (kind, payload) = read_frame(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if kind == FrameKind::Secrets {
            work.secrets = Zeroizing::new(payload);
            continue;
        }
        match serde_json::from_slice(&payload)? {
            request @ Request::Observe { .. } => work.observe = Some(request),
            request @ Request::Adopt { .. } => work.known = Some(request),
            request => return Ok((work, request)),
        }
    }
}

impl Session<'_> {
    fn perform(
        &mut self,
        work: Work,
        request: &Request,
        (run, origin, fence, number): (&str, &Origin, &Fence, u64),
        stop: &Stop,
    ) -> Result<Reply, StepError> {
        // Before anything here is said to be of this run.
        fence.raise(&self.host)?;
        LastRun::begin(&self.host, run, origin)?;
        let mut why = None;
        if !work.secrets.is_empty() {
            self.take_secrets(work.secrets);
        }
        if let Some(Request::Observe { steps, handlers, .. }) = work.observe {
            self.take_plan(steps, handlers)?;
        }
        if let Some(Request::Adopt { unchanged, failed, tied }) = work.known {
            self.unchanged.extend(unchanged);
            self.failed.extend(failed);
            why = tied;
        }
        let began = |steps| self.outbox.event(Event::Began { run: run.to_owned(), number, steps, tied: why });
        match request {
            Request::Apply { steps, checks, deadline, .. } => {
                began(steps.len());
                self.apply(run, fence, steps, checks, Duration::from_secs(*deadline), stop)
            }
            Request::Prune { orphans, .. } => {
                began(orphans.len());
                self.prune(run, fence, orphans, stop)
            }
            _ => Err(StepError::new("there is nothing to apply")),
        }
    }
}

/// The sessions that want to know of every event, and may end the run early.
#[derive(Clone)]
struct Followers {
    streams: Arc<Mutex<Vec<UnixStream>>>,
    stop: Stop,
}

impl Followers {
    /// A session follows from now on. Whatever it sends is the wish to stop.
    fn add(&self, stream: UnixStream) {
        let Ok(mut reading) = stream.try_clone() else { return };
        self.all(|streams| streams.push(stream));
        self.poke();
        let stop = self.stop.clone();
        let listen: Box<dyn FnOnce() + Send> = Box::new(move || {
            if matches!(reading.read(&mut [0; 64]), Ok(1..)) {
                stop.wish();
            }
        });
        thread::spawn(listen);
    }

    /// Says that there is something new to read. Who does not listen has enough to read already.
    fn poke(&self) {
        let gone = |sent: rustix::io::Result<usize>| sent.is_err_and(|error| error != rustix::io::Errno::AGAIN);
        self.all(|streams| {
            streams.retain(|stream| !gone(send(stream, b".", SendFlags::DONTWAIT | SendFlags::NOSIGNAL)));
        });
    }

    /// The end.
    fn leave(&self) {
        self.all(|streams| streams.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both))));
    }

    fn all(&self, work: impl FnOnce(&mut Vec<UnixStream>)) {
        work(&mut self.streams.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
