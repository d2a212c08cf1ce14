//! `os.clean`: nothing else lives on the host.

use std::collections::{BTreeMap, BTreeSet};

use cc_agent::check::Check as Health;
use cc_agent::resource::Resource;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::tool::ss::Listener;

/// Nothing else lives on the host.
pub struct Clean;

static ABOUT: About = About {
    id: "os.clean",
    title: "Nothing else lives on the host",
    measures: "What listens (`ss -ltnup`), against the ports that the host's services offer or are checked on (and 80 beside \
               443); and whether packages of other servers or of a desktop are installed (`dpkg-query`).",
    why: "Of two programs that want one port the second does not start: a deployment stops in the middle, or the site answers \
          with somebody else's page.",
    thresholds: &[],
    fix: "stop and remove what listens (`systemctl disable --now NAME`), or give the service of the environment another port",
    source: "installation guide, step 2: \"select only SSH Server\"",
    vantage: Vantage::Host,
    applies: "every host of every size; where cc-cloud has installed something, what listens on a planned port is told by its unit \
              and at most warned of",
    blocks: &[Phase::Install],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

/// What comes with a server and is no trouble.
const USUAL: [&str; 12] = [
    "sshd",
    "systemd",
    "systemd-resolve",
    "systemd-network",
    "systemd-timesyn",
    "snapd",
    "chronyd",
    "ntpd",
    "dhclient",
    "dhcpcd",
    "cloud-init",
    "cc-agent",
];

/// Packages that a server for this alone does not have; those of the plan are left out.
const STRANGERS: [&str; 6] =
    ["apache2", "lighttpd", "mysql-server*", "mariadb-server*", "ubuntu-desktop*", "task-desktop"];

impl Check for Clean {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let list = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n"];
        let list: Vec<&str> = list.into_iter().chain(STRANGERS).collect();
        Ask::of(host, [command(&["ss", "-Hltnup", "--cgroup"]), command(&list)])
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let listeners = Listener::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`ss` lists no listener, not even that of SSH, or not in its usual form"))?;
        // It exits with 1 where one of the names is not known, which is as it should be.
        let (_, packages, _) = answers.ended(1)?;
        let planned: BTreeSet<&str> = host.steps.iter().filter_map(package).collect();
        let strangers: Vec<&str> = packages.lines().filter_map(|line| line.strip_prefix("installed ")).collect();
        let strangers: Vec<&str> = strangers.into_iter().filter(|name| !planned.contains(name)).collect();
        let (wanted, units) = (wanted(host), units(host));
        let (mut taken, mut others) = (BTreeSet::new(), BTreeSet::new());
        for listener in listeners.iter().filter(|listener| !is_ours(listener, host.installed, &wanted, &units)) {
            match wanted.get(&listener.port).filter(|_| listener.protocol == "tcp") {
                Some(service) => drop(taken.insert(format!("{}, which `{service}` needs", listener.describe()))),
                None if listener.is_local() || is_usual(listener) => {}
                None => drop(others.insert(listener.describe())),
            }
        }
        let packages = strangers.iter().map(|name| format!("package {name}"));
        let observed: Vec<String> = taken.iter().cloned().chain(others.iter().cloned()).chain(packages).collect();
        let (observed, expected) = (observed.join("; "), "only SSH, name resolution and what cc-cloud installs");
        Ok(if observed.is_empty() {
            Judgement::pass("nothing else listens, no package of another server", expected)
        } else if taken.is_empty() || host.installed {
            Judgement::warn(observed, expected)
        } else {
            Judgement::fail(observed, expected)
        })
    }
}

fn package(step: &cc_agent::step::Step) -> Option<&str> {
    match &step.resource {
        Resource::Package(package) => Some(package.name.as_str()),
        _ => None,
    }
}

/// The TCP ports that services of a host need, each with its service.
fn wanted<'h>(host: &HostScene<'h>) -> BTreeMap<u16, &'h str> {
    let offered = host.offers.iter().filter_map(|offer| Some((offer.port?, offer.service.as_str())));
    let checked = host.checks.iter().filter_map(|check| {
        let port = match &check.check {
            Health::Tcp { port, address } if address.starts_with("127.") || address == "localhost" => *port,
            Health::RedisPing { port, .. } | Health::Postgres { port } => *port,
            _ => return None,
        };
        Some((port, check.service.as_str()))
    });
    let mut ports: BTreeMap<u16, &str> = offered.chain(checked).collect();
    // Who serves HTTPS redirects to it, and answers for its certificate, on port 80.
    if let Some(service) = ports.get(&443).copied() {
        ports.entry(80).or_insert(service);
    }
    ports
}

/// The units that the plan keeps running.
fn units<'h>(host: &HostScene<'h>) -> BTreeSet<&'h str> {
    let unit = |step: &'h cc_agent::step::Step| match &step.resource {
        Resource::Service(service) => Some(service.name.strip_suffix(".service").unwrap_or(&service.name)),
        _ => None,
    };
    host.steps.iter().filter_map(unit).collect()
}

/// Whether a listener is one of our services on a host that has them: by its unit, and where that is not told by its port.
fn is_ours(listener: &Listener, installed: bool, wanted: &BTreeMap<u16, &str>, units: &BTreeSet<&str>) -> bool {
    installed
        && match &listener.unit {
            Some(unit) => units.contains(unit.strip_suffix(".service").unwrap_or(unit)),
            None => wanted.contains_key(&listener.port),
        }
}

fn is_usual(listener: &Listener) -> bool {
    listener.port == 22 || listener.process.as_deref().is_some_and(|process| USUAL.contains(&process))
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    const SS: [&str; 3] = ["ss", "-Hltnup", "--cgroup"];
    const SSHD: &str = include_str!("../../../tests/fixtures/ss/sshd.txt");
    const BUSY: &str = include_str!("../../../tests/fixtures/ss/busy.txt");

    fn trial(ss: &str, packages: &str) -> Trial {
        let role = "role: postgres\ndescription: d\noffers: [{name: postgres, port: 5432}]\nresources:\n  - service: postgresql@14-main\n    running: true\n  - package: apache2\n";
        let environment = "environment: trial\nservices: {postgres: {on: db1}}\n";
        let inventory = "provider: static\nhosts: {db1: {address: 10.0.0.2}}\n";
        let mut trial = Trial::with_roles(environment, inventory, &[("postgres", role)]);
        let list = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n"];
        let list: Vec<&str> = list.into_iter().chain(super::STRANGERS).collect();
        trial.command("db1", &SS, 0, ss, "").command(
            "db1",
            &list,
            1,
            packages,
            "no packages found matching lighttpd\n",
        );
        trial
    }

    #[test]
    fn a_stranger_on_a_planned_port_fails_and_is_named() {
        let finding = trial(BUSY, "").finding("os.clean", "db1");
        assert_eq!(finding.verdict, Verdict::Fail);
        assert!(
            finding
                .observed
                .contains("postgres (postgresql@14-main.service) on tcp 127.0.0.1:5432, which `postgres` needs")
        );
        assert_eq!(trial(SSHD, "").verdict("os.clean", "db1"), Verdict::Pass);
    }

    #[test]
    fn our_own_services_are_no_strangers_afterwards() {
        let mut ours = trial(BUSY, "");
        ours.installed = true;
        let finding = ours.finding("os.clean", "db1");
        assert!(finding.verdict == Verdict::Warn && finding.observed.starts_with("apache2"), "{finding:?}");
        // Where the kernel does not tell units, the port decides.
        let mut untold = trial("tcp LISTEN 0 244 127.0.0.1:5432 0.0.0.0:*\n", "");
        untold.installed = true;
        assert_eq!(untold.verdict("os.clean", "db1"), Verdict::Pass);
    }

    #[test]
    fn packages_of_other_servers_warn() {
        let finding = trial(SSHD, "installed mysql-server-8.0\nnot-installed lighttpd\ninstalled apache2\n");
        assert_eq!(finding.finding("os.clean", "db1").observed, "package mysql-server-8.0");
    }
}
