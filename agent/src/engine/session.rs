//! What one controller asks for, and what is known between its requests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::inbox::{Inbox, Message};
use super::outbox::Outbox;
use super::{Itself, Stop};
use crate::check::{Finding, ServiceCheck};
use crate::facts::Facts;
use crate::health::{Waiting, wait_healthy};
use crate::host::Host;
use crate::journal;
use crate::last_run::{LastRun, RunState, is_alive};
use crate::ledger::Ledger;
use crate::ordered::ordered;
use crate::probe::{self, Listeners, Probe};
use crate::protocol::{Event, Reply, Request, VERSION};
use crate::resource::Resource;
use crate::secret::Vault;
use crate::step::{Handler, Step, StepId};
use crate::step_error::StepError;

/// What is known between the requests of one controller.
pub(super) struct Session<'s> {
    pub(super) outbox: &'s Outbox,
    /// The host, once `Hello` has named the environment.
    pub(super) host: Host,
    pub(super) steps: Vec<Step>,
    pub(super) handlers: Vec<Handler>,
    /// Steps that need nothing, as far as is known.
    pub(super) unchanged: BTreeSet<StepId>,
    /// Steps that failed in this session, for those that require them.
    pub(super) failed: BTreeSet<StepId>,
    /// The frames of the last secrets and the last `Observe` as they came, for the agent that applies.
    pub(super) secrets: Zeroizing<Vec<u8>>,
    pub(super) plan: Vec<u8>,
    pub(super) itself: Itself,
    /// Opened by probes.
    listeners: Listeners,
    root: PathBuf,
    greeted: bool,
    /// Whether content was sent to it or applied by it; that of others must not go when it ends.
    content: bool,
    /// Why the last `Secrets` frame could not be taken; told with the request that follows it.
    broken_secrets: Option<String>,
}

impl<'s> Session<'s> {
    pub(super) fn new(root: &Path, itself: &Itself, outbox: &'s Outbox) -> Self {
        Self {
            outbox,
            host: Host::new(root),
            steps: Vec::new(),
            handlers: Vec::new(),
            unchanged: BTreeSet::new(),
            failed: BTreeSet::new(),
            secrets: Zeroizing::default(),
            plan: Vec::new(),
            itself: itself.clone(),
            listeners: Listeners::default(),
            root: root.to_owned(),
            greeted: false,
            content: false,
            broken_secrets: None,
        }
    }

    /// Takes the secrets for the requests that follow.
    pub(super) fn take_secrets(&mut self, payload: Zeroizing<Vec<u8>>) {
        match (Vault::from_frame(&payload), Vault::from_frame(&payload)) {
            (Ok(vault), Ok(net)) => {
                self.outbox.hide(Arc::new(net));
                self.host.set_vault(vault);
                self.broken_secrets = None;
                self.secrets = payload;
            }
            (Err(error), _) | (_, Err(error)) => self.broken_secrets = Some(error.to_string()),
        }
    }

    /// Answers a request, which came as `payload`; true when it was the last.
    pub(super) fn handle(&mut self, request: Request, payload: Vec<u8>, inbox: &Inbox, stop: &Stop) -> bool {
        if !self.greeted && !matches!(request, Request::Hello { .. }) {
            self.outbox.failed("the first request must be `hello`", None);
            return true;
        }
        if let Some(reason) = self.broken_secrets.take() {
            self.outbox.failed(&reason, None);
            return false;
        }
        let outcome = match request {
            Request::Hello { version, environment, .. } => self.hello(version, &environment),
            Request::Observe { steps, handlers, past } => {
                self.plan = payload;
                self.observe(steps, handlers, past)
            }
            Request::Blobs { digests } => Ok(self.lacking(digests)),
            Request::Blob { digest, length } => {
                self.content = true;
                self.receive(&digest, length, inbox)
            }
            Request::Apply { run, .. } | Request::Prune { run, .. } => {
                self.content = true;
                match self.detach(&run, &payload, stop) {
                    Ok(()) => return false,
                    Err(error) => Err(error),
                }
            }
            Request::Follow { run, from, stop: early } => {
                if early {
                    stop.wish();
                }
                match self.follow(&run, from, None, stop) {
                    Ok(()) => return false,
                    Err(error) => Err(error),
                }
            }
            Request::Fence { fence } => self.raise(&fence).map(|()| Reply::Done),
            Request::Keep { key, content, seen } => self.keep(&key, content.as_ref(), seen.as_ref()),
            Request::Check { checks, deadline } => {
                let findings = self.check(&checks, Duration::from_secs(deadline), stop);
                Ok(Reply::Checked { findings })
            }
            Request::Exec { argv } => self.exec(&argv, stop),
            Request::Status { units, packages } => self.status(&units, &packages),
            Request::Journal { runs } => {
                journal::newest(self.host.state(), runs).map(|records| Reply::Journal { records })
            }
            Request::Probe { probes } => Ok(self.probe(&probes, stop)),
            Request::Hush => {
                self.listeners.close();
                Ok(Reply::Done)
            }
            // The inbox takes care of it; it never comes here.
            Request::Stop => return false,
            Request::Adopt { .. } => Err(StepError::new("this agent does not apply for another one")),
            Request::Bye { leave_nothing, over } => return self.bye(leave_nothing, over.as_deref()),
        };
        match outcome {
            Ok(reply) => self.outbox.send(&reply),
            Err(error) => self.outbox.failed_with(error),
        }
        false
    }

    fn hello(&mut self, version: u32, environment: &str) -> Result<Reply, StepError> {
        if version != VERSION {
            let text = format!("this agent speaks protocol {VERSION}, the controller {version}");
            return Err(StepError::new(text).hint("use the agent that came with this cc-cloud"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if environment.is_empty() || environment.starts_with('.') || !environment.chars().all(plain) {
            let text = format!("`{environment}` cannot be the name of an environment: it is the name of a folder too");
            return Err(StepError::new(text));
        }
        self.host = Host::new(self.root.join(environment));
        self.greeted = true;
        let root = rustix::process::geteuid().is_root();
        // Without root the ledger cannot be read: then nothing was installed with it either.
        let installed = Ledger::read(self.host.state()).is_ok_and(|ledger| !ledger.entries().is_empty());
        let last = LastRun::read(self.host.state());
        Ok(Reply::Hello { version: VERSION, facts: Facts::gather()?, root, installed, last })
    }

    fn lacking(&self, mut digests: Vec<String>) -> Reply {
        let blobs = self.host.blobs();
        digests.retain(|digest| blobs.path(digest).is_none());
        Reply::Missing { digests }
    }

    /// Takes content in pieces. After a failure the rest is read all the same, so that the next request is found.
    fn receive(&self, digest: &str, length: u64, inbox: &Inbox) -> Result<Reply, StepError> {
        let mut incoming = self.host.blobs().receive(digest);
        let (mut left, mut failure) = (length, None);
        while left > 0 {
            let Message::Data(piece) = inbox.next() else {
                return Err(StepError::new(format!("content {digest} ended {left} bytes early")));
            };
            left = left.saturating_sub(piece.len() as u64);
            if let (Ok(incoming), None) = (&mut incoming, &failure) {
                failure = incoming.write(&piece).err();
            }
        }
        match (incoming, failure) {
            (Err(error), _) | (_, Some(error)) => Err(error),
            (Ok(incoming), None) => incoming.finish().map(|()| Reply::Done),
        }
    }

    /// Runs the checks until they are healthy or the deadline is over.
    pub(super) fn check(&self, checks: &[ServiceCheck], deadline: Duration, stop: &Stop) -> Vec<Finding> {
        self.host.changed();
        let units = |service: &str| {
            let resources = self.steps.iter().filter(|step| step.service == service).map(|step| &step.resource);
            let name = |resource: &Resource| match resource {
                Resource::Service(service) => Some(service.name.clone()),
                // Not drop-ins, and not what only starts something else.
                Resource::Unit(unit) if unit.name.ends_with(".service") => Some(unit.name.clone()),
                _ => None,
            };
            resources.filter_map(name).collect()
        };
        let mut report = |finding: &Finding| self.outbox.event(Event::Waiting { finding: finding.clone() });
        let mut waiting = Waiting { pause: &|most| stop.wait(most), report: &mut report };
        wait_healthy(&self.host, checks, deadline, &units, &mut waiting)
    }

    /// Runs a command for a person. Whole lines are passed on, so that no secret slips through in two halves.
    fn exec(&self, argv: &[String], stop: &Stop) -> Result<Reply, StepError> {
        const LONGEST: usize = 1 << 16;
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        let mut waiting = [Vec::new(), Vec::new()];
        let send = |stderr: bool, bytes: &[u8]| {
            if !bytes.is_empty() {
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.outbox.event(Event::Output { stderr, text });
            }
        };
        let command = self.host.command(argv.iter().cloned()).timeout(YEAR);
        let status = command.stream(&mut |stderr, piece| {
            let buffer = &mut waiting[usize::from(stderr)];
            buffer.extend_from_slice(piece);
            let whole = buffer.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
            let ready = whole.unwrap_or(if buffer.len() > LONGEST { buffer.len() } else { 0 });
            send(stderr, &buffer[..ready]);
            buffer.drain(..ready);
            !stop.is_set()
        })?;
        send(false, &waiting[0]);
        send(true, &waiting[1]);
        Ok(Reply::Exited { status })
    }

    fn status(&self, units: &[String], packages: &[String]) -> Result<Reply, StepError> {
        self.host.changed();
        let mut states = BTreeMap::new();
        for unit in units {
            let state = self.host.unit(unit)?;
            let text = if state.exists() { state.get("ActiveState") } else { "not-found" };
            states.insert(unit.clone(), text.to_owned());
        }
        let dpkg = self.host.packages()?;
        let version = |name: &String| dpkg.installed(name).map(|package| (name.clone(), package.version.clone()));
        Ok(Reply::Status { units: states, packages: ordered(packages.iter().filter_map(version)) })
    }

    fn probe(&mut self, probes: &[Probe], stop: &Stop) -> Reply {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let readings = probe::take(&self.host, probes, &mut self.listeners, &|| stop.is_set());
        Reply::Probed { readings, clock: u64::try_from(clock.as_micros()).unwrap_or(u64::MAX) }
    }

    fn bye(&self, leave_nothing: bool, over: Option<&str>) -> bool {
        let mut outcome = over.map_or(Ok(()), |run| LastRun::mark(&self.host, run, RunState::Over));
        // An agent that applies may still want them.
        if (self.content || leave_nothing) && !is_alive(self.host.state()) {
            outcome = outcome.and(self.host.blobs().clear());
        }
        if let (true, Some(binary)) = (leave_nothing, &self.itself.binary) {
            let removed = fs::remove_file(binary).map_err(|error| StepError::io("remove", binary, &error));
            outcome = outcome.and(removed);
            // Only an empty folder goes: it was made for the agent.
            let _ = binary.parent().map(fs::remove_dir);
        }
        match outcome {
            Ok(()) => self.outbox.send(&Reply::Done),
            Err(error) => self.outbox.failed_with(error),
        }
        true
    }
}
