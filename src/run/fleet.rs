//! The connected hosts of an environment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cc_agent::facts::Facts;
use cc_agent::secret::Secret;
use cc_plan::spec::Spec;
use cc_plan::spec::inventory::{BecomeRoot, Host};
use futures_util::{StreamExt, stream};

use super::interrupt::Interrupt;
use super::member::Member;
use crate::error::CliError;
use crate::report::{Event, Report};
use crate::ssh::{
    AgentBinary, AgentSession, Barrier, Become, Bootstrap, Connector, Endpoint, Session, SshError, Target, UnknownKey,
};

/// How the hosts of an environment are reached.
pub struct Contact {
    /// Address of each host, as far as it is known.
    pub addresses: BTreeMap<String, String>,
    /// Private key files beside those of the inventory.
    pub identity_files: Vec<PathBuf>,
    /// The environment's pinned host keys.
    pub known_hosts: PathBuf,
    /// The agent.
    pub agent: Arc<AgentBinary>,
    /// Opens connections; knows the pinned host keys.
    pub connector: Connector,
    /// What sudo asks for on the hosts, when it asks.
    pub sudo_password: Option<Arc<Secret<String>>>,
    /// Hosts at the same time.
    pub parallel: usize,
    /// How long a host may take to answer.
    pub patience: Duration,
}

/// A host that is out of reach.
#[derive(Clone, Debug)]
pub struct Lost {
    /// Why, with the host's name.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// How far the way to it went.
    pub barrier: Barrier,
}

/// Hosts by name: those that answer, and those that do not.
#[derive(Default)]
pub struct Fleet {
    /// Connected hosts.
    pub members: BTreeMap<String, Member>,
    /// Hosts out of reach.
    pub lost: BTreeMap<String, Lost>,
    /// Hosts that are not worked on and only keep the environment's records.
    pub beside: BTreeMap<String, Result<Member, Lost>>,
}

impl Contact {
    /// The hosts as SSH targets, jump hosts of the inventory resolved; a host without an address is lost.
    pub fn targets(&self, spec: &Spec, hosts: &[String]) -> (Vec<Target>, BTreeMap<String, Lost>) {
        let (mut targets, mut lost) = (Vec::new(), BTreeMap::new());
        for host in spec.inventory.hosts.iter().filter(|host| hosts.contains(&host.name.value)) {
            match self.endpoint(host) {
                Some(endpoint) => targets.push(self.target(spec, host, endpoint)),
                None => {
                    let message = format!("{} has no address yet", host.name.value);
                    let hint =
                        Some("`up` makes the hosts of a rehearsal; a static inventory needs `address:`".to_owned());
                    lost.insert(host.name.value.clone(), Lost { message, hint, barrier: Barrier::Network });
                }
            }
        }
        (targets, lost)
    }

    fn endpoint(&self, host: &Host) -> Option<Endpoint> {
        let address = self.addresses.get(&host.name.value)?;
        let own = host.login.identity_file.iter().map(PathBuf::from);
        Some(Endpoint {
            port: host.login.port,
            user: host.login.user.clone(),
            identity_files: own.chain(self.identity_files.iter().cloned()).collect(),
            ..Endpoint::new(address)
        })
    }

    fn target(&self, spec: &Spec, host: &Host, endpoint: Endpoint) -> Target {
        let bootstrap = spec.inventory.bootstrap.as_ref().map(|bootstrap| Bootstrap {
            user: bootstrap.user.clone(),
            identity_files: bootstrap.identity_file.iter().map(PathBuf::from).collect(),
        });
        let become_root = match host.login.become_root {
            BecomeRoot::Sudo => match &self.sudo_password {
                Some(password) => Become::SudoWithPassword(password.clone()),
                None => Become::Sudo,
            },
            BecomeRoot::None => Become::None,
        };
        let jump = host.login.jump.iter().map(|jump| self.jump(spec, jump)).collect();
        Target { jump, become_root, bootstrap, ..Target::new(&host.name.value, endpoint) }
    }

    /// A jump host: one of the inventory by name, or `[user@]host[:port]`.
    fn jump(&self, spec: &Spec, jump: &str) -> Endpoint {
        let known = spec.inventory.hosts.iter().find(|host| host.name.value == jump);
        known.and_then(|host| self.endpoint(host)).or_else(|| jump.parse().ok()).unwrap_or_else(|| Endpoint::new(jump))
    }

    /// The system's ssh with all that is needed to log in to a host: address, user, key, pinned host keys, jump hosts.
    ///
    /// # Errors
    /// When the host has no address.
    pub fn ssh_command(&self, spec: &Spec, host: &str) -> Result<std::process::Command, CliError> {
        let (targets, lost) = self.targets(spec, &[host.to_owned()]);
        let Some(target) = targets.first() else {
            let why = lost.get(host).map_or_else(|| format!("there is no host `{host}`"), |lost| lost.message.clone());
            return Err(CliError::failed(why));
        };
        let mut command = std::process::Command::new("ssh");
        let known = format!("UserKnownHostsFile={} ~/.ssh/known_hosts", self.known_hosts.display());
        command.args(["-o", &known]);
        if !target.jump.is_empty() {
            let jumps: Vec<String> = target.jump.iter().map(destination).collect();
            command.args(["-J", &jumps.join(",")]);
        }
        for file in &target.endpoint.identity_files {
            command.arg("-i").arg(file);
        }
        if let Some(port) = target.endpoint.port {
            command.args(["-p", &port.to_string()]);
        }
        if let Some(user) = &target.endpoint.user {
            command.args(["-l", user]);
        }
        command.arg(&target.endpoint.address);
        Ok(command)
    }

    /// Host keys that nobody has accepted yet, of all hosts at once. Keys that changed are errors of their hosts and come up
    /// again when those are connected to.
    pub async fn unknown_keys(&self, targets: &[Target]) -> Vec<UnknownKey> {
        self.connector.scan(targets).await.unknown
    }

    /// Connects to the targets at the same time and starts their agents.
    pub async fn connect(
        self: &Arc<Self>,
        environment: &str,
        targets: &[Target],
        interrupt: &Interrupt,
        report: &Report,
    ) -> (BTreeMap<String, Member>, BTreeMap<String, Lost>) {
        let total = targets.len();
        report.emit(&Event::Working { activity: "connect", done: 0, total });
        let jobs = targets.iter().map(|target| async move {
            let result = tokio::select! {
                result = self.connect_one(environment, target) => result,
                () = interrupt.wait() => Err(Lost {
                    message: "interrupted while connecting".to_owned(),
                    hint: None,
                    barrier: Barrier::Network,
                }),
            };
            (target.host.clone(), result)
        });
        let (mut members, mut lost) = (BTreeMap::new(), BTreeMap::new());
        let mut results = stream::iter(jobs).buffer_unordered(self.parallel);
        while let Some((host, result)) = results.next().await {
            match result {
                Ok(member) => drop(members.insert(host, member)),
                Err(why) => drop(lost.insert(host, why)),
            }
            report.emit(&Event::Working { activity: "connect", done: members.len() + lost.len(), total });
        }
        (members, lost)
    }

    async fn connect_one(self: &Arc<Self>, environment: &str, target: &Target) -> Result<Member, Lost> {
        let way = Way { contact: Arc::clone(self), target: target.clone(), environment: environment.to_owned() };
        let (session, agent) = way.go().await.map_err(|error| Lost::from(&error))?;
        Ok(Member::new(Arc::new(way), session, agent))
    }
}

/// The way to one host's agent, to be gone again when the connection was cut.
pub struct Way {
    contact: Arc<Contact>,
    target: Target,
    environment: String,
}

impl Way {
    /// Connects, and starts the agent.
    ///
    /// # Errors
    /// As far as it went, with the host's name.
    pub async fn go(&self) -> Result<(Session, AgentSession), SshError> {
        let session = self.contact.connector.connect(&self.target).await?;
        let agent = self.agent(&session).await?;
        Ok((session, agent))
    }

    /// Starts another agent on a connection that is there.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn agent(&self, session: &Session) -> Result<AgentSession, SshError> {
        session.start_agent(&self.contact.agent, &self.environment).await
    }

    /// The host's name in the inventory.
    pub fn host(&self) -> &str {
        &self.target.host
    }

    /// How long the host may take to answer.
    pub fn patience(&self) -> Duration {
        self.contact.patience
    }
}

impl Fleet {
    /// Puts the hosts that are not to be worked on aside.
    pub fn put_aside(&mut self, is_worked_on: impl Fn(&str) -> bool) {
        let members = self.members.extract_if(.., |host, _| !is_worked_on(host));
        self.beside.extend(members.map(|(host, member)| (host, Ok(member))));
        let lost = self.lost.extract_if(.., |host, _| !is_worked_on(host));
        self.beside.extend(lost.map(|(host, lost)| (host, Err(lost))));
    }

    /// Facts of the connected hosts.
    pub fn facts(&self) -> BTreeMap<String, Facts> {
        self.members.iter().map(|(host, member)| (host.clone(), member.facts.clone())).collect()
    }

    /// A host is out of reach from now on.
    pub fn lose(&mut self, host: &str, trouble: &SshError) {
        self.members.remove(host);
        self.lost.insert(host.to_owned(), Lost::from(trouble));
    }

    /// What the connections took so far.
    pub fn traffic(&self) -> Event<'static> {
        let of = |(host, member): (&String, &Member)| {
            let mut object = serde_json::Map::from_iter([("host".to_owned(), host.as_str().into())]);
            object.extend(member.traffic().into_iter().map(|(name, count)| (name.to_owned(), count.into())));
            serde_json::Value::Object(object)
        };
        Event::Traffic { hosts: self.members.iter().map(of).collect() }
    }

    /// Ends all sessions at the same time and says what they took.
    pub async fn leave(self, leave_nothing: bool, report: &Report) {
        report.emit(&self.traffic());
        let members = self.members.into_values().chain(self.beside.into_values().flatten());
        futures_util::future::join_all(members.map(|member| member.leave(leave_nothing))).await;
    }

    /// Facts that cc-cloud cannot work without.
    ///
    /// # Errors
    /// A host without systemd, or whose agent is not root, named with what to do.
    pub fn check(&self) -> Result<(), CliError> {
        for member in self.members.values().chain(self.beside.values().flatten()) {
            if !member.root {
                return Err(CliError::failed(format!("{}: the agent does not run as root", member.host))
                    .hint("set `become: sudo` for the host in the inventory, or log in as root"));
            }
            if !member.facts.systemd {
                return Err(CliError::failed(format!("{}: systemd is not running there", member.host))
                    .hint("cc-cloud needs a host with systemd: Ubuntu 22.04, 24.04 or Debian 12"));
            }
        }
        Ok(())
    }
}

/// `[user@]host[:port]`, as `ssh -J` takes it.
fn destination(endpoint: &Endpoint) -> String {
    let user = endpoint.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = endpoint.port.map(|port| format!(":{port}")).unwrap_or_default();
    let address = &endpoint.address;
    let address = if address.contains(':') { format!("[{address}]") } else { address.clone() };
    format!("{user}{address}{port}")
}

impl Lost {
    /// A host that nobody tried to reach.
    pub fn unknown(host: &str) -> Self {
        Self { message: format!("{host} was not asked"), hint: None, barrier: Barrier::Network }
    }
}

impl From<&SshError> for Lost {
    fn from(error: &SshError) -> Self {
        Self { message: error.to_string(), hint: error.hint(), barrier: error.barrier() }
    }
}
