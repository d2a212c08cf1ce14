//! Health checks, run from the service's own host.

mod http;
mod redis;

use std::io;
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::check::{Check, Finding, ServiceCheck};
use crate::host::Host;
use crate::step_error::StepError;

/// How long one attempt may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How often a person is told of a check that is still not healthy for the same reason.
const REMIND: Duration = Duration::from_secs(5);
/// Log lines of a service that is not healthy.
const LOG_LINES: &str = "20";

/// What an attempt observed: in the words of the service when healthy, the reason when not.
type Observed = Result<String, String>;

/// What to do between two attempts.
pub struct Waiting<'w> {
    /// Waits for at most this long; true when the wait is to be given up.
    pub pause: &'w dyn Fn(Duration) -> bool,
    /// Told of a check that is not healthy yet.
    pub report: &'w mut dyn FnMut(&Finding),
}

/// Runs the checks until each is healthy, or the deadline is over. Findings come in the order of the checks; `units` names the
/// systemd units of a service, for its log.
pub fn wait_healthy(
    host: &Host,
    checks: &[ServiceCheck],
    deadline: Duration,
    units: &dyn Fn(&str) -> Vec<String>,
    waiting: &mut Waiting<'_>,
) -> Vec<Finding> {
    let begin = Instant::now();
    let mut findings: Vec<Finding> = checks.iter().map(|check| attempt(host, check)).collect();
    let mut pause = PAUSE.0;
    let mut told: Vec<Option<(String, Instant)>> = vec![None; checks.len()];
    while findings.iter().any(|finding| !finding.healthy) {
        for (finding, told) in findings.iter().zip(&mut told).filter(|(finding, _)| !finding.healthy) {
            let known = |(text, at): &(String, Instant)| *text == finding.observed && at.elapsed() < REMIND;
            if !deadline.is_zero() && !told.as_ref().is_some_and(known) {
                (waiting.report)(finding);
                *told = Some((finding.observed.clone(), Instant::now()));
            }
        }
        let left = deadline.saturating_sub(begin.elapsed());
        if left.is_zero() || (waiting.pause)(pause.min(left)) {
            break;
        }
        pause = (pause * 2).min(PAUSE.1);
        // What systemd said a moment ago is old.
        host.changed();
        for (finding, check) in findings.iter_mut().zip(checks).filter(|(finding, _)| !finding.healthy) {
            *finding = attempt(host, check);
        }
    }
    for (finding, check) in findings.iter_mut().zip(checks).filter(|(finding, _)| !finding.healthy) {
        let mut names = units(&check.service);
        if let Check::Unit { unit } = &check.check {
            names.push(unit.clone());
        }
        finding.log = log(host, &names);
    }
    findings
}

/// Runs a check once.
fn attempt(host: &Host, check: &ServiceCheck) -> Finding {
    let observed = observe(host, &check.check);
    let healthy = observed.is_ok();
    let text = observed.unwrap_or_else(|reason| reason);
    let observed = host.vault().scrub(text.lines().next().unwrap_or_default());
    Finding { service: check.service.clone(), check: check.check.title(), healthy, observed, log: Vec::new() }
}

impl Check {
    /// The check for a person: `tcp 6379`.
    pub fn title(&self) -> String {
        match self {
            Self::Tcp { port, address } if address == "127.0.0.1" => format!("tcp {port}"),
            Self::Tcp { port, address } => format!("tcp {address}:{port}"),
            Self::Http { url, .. } => format!("http {url}"),
            Self::RedisPing { port, .. } => format!("redis ping {port}"),
            Self::Postgres { port } => format!("postgres {port}"),
            Self::Unit { unit } => format!("unit {unit}"),
            Self::Command { argv, .. } => format!("command {}", crate::secret::mask(&argv.join(" "))),
        }
    }
}

fn observe(host: &Host, check: &Check) -> Observed {
    match check {
        Check::Tcp { port, address } => connect(host, address, *port).map(|_| "accepts connections".to_owned()),
        Check::Http { url, status, contains, host: name } => {
            http::get(host, url, status, contains.as_deref(), name.as_deref())
        }
        Check::RedisPing { port, password } => {
            let password =
                password.as_ref().map(|text| host.reveal(text)).transpose().map_err(|error| error.message)?;
            redis::ping(host, *port, password.as_ref().map(|text| text.as_str()))
        }
        Check::Postgres { port } => {
            let command = host.command(["pg_isready".to_owned(), "-p".to_owned(), port.to_string()]);
            finished(command.timeout(PATIENCE).run(), "accepts connections")
        }
        Check::Unit { unit } => {
            let state = host.unit(unit).map_err(|error| error.message)?;
            let text = format!("{} ({})", state.get("ActiveState"), state.get("SubState"));
            match (state.exists(), state.get("ActiveState")) {
                (false, _) => Err("there is no such unit".to_owned()),
                (true, "active") => Ok(text),
                (true, _) => Err(text),
            }
        }
        Check::Command { argv, user } => {
            let mut command = host.command(argv.iter().cloned()).timeout(12 * PATIENCE);
            if let Some(user) = user {
                command = command.user(user);
            }
            finished(command.run(), "exited with status 0")
        }
    }
}

fn finished(outcome: Result<crate::host::Output, StepError>, otherwise: &str) -> Observed {
    match outcome {
        Ok(output) => Ok(output.tail.last().cloned().unwrap_or_else(|| otherwise.to_owned())),
        Err(error) => Err(match error.telling_line() {
            Some(line) => format!("{}: {line}", error.message),
            None => error.message,
        }),
    }
}

/// Connects, with a limit for connecting, reading and writing.
fn connect(host: &Host, name: &str, port: u16) -> Result<TcpStream, String> {
    let mut reason = format!("{name} has no address");
    for address in addresses(host, name)? {
        match TcpStream::connect_timeout(&(address, port).into(), PATIENCE) {
            Ok(stream) => {
                let limits =
                    stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
                return limits.map(|()| stream).map_err(|error| plain(&error));
            }
            Err(error) => reason = plain(&error),
        }
    }
    Err(reason)
}

/// The addresses of a name. The host's own resolver is asked: one linked into a static agent knows less, and weighs more.
pub(crate) fn addresses(host: &Host, name: &str) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let found =
        host.command(["getent", "ahosts", "--", name]).timeout(PATIENCE).output().map_err(|error| error.message)?;
    let mut addresses: Vec<IpAddr> =
        found.stdout.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    // One line a kind of socket.
    addresses.dedup();
    Ok(addresses)
}

/// The reason in small words, without the system's number for it.
pub(crate) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => format!("no answer within {} s", PATIENCE.as_secs()),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        _ => error.to_string(),
    }
}

/// The last lines of the units' log; nothing where there is no journal to ask.
fn log(host: &Host, units: &[String]) -> Vec<String> {
    if units.is_empty() {
        return Vec::new();
    }
    let units = units.iter().flat_map(|unit| ["-u", unit.as_str()]);
    let argv = ["journalctl", "--no-pager", "--quiet", "--no-hostname", "-o", "short-iso", "-n", LOG_LINES]
        .into_iter()
        .chain(units);
    host.command(argv).timeout(PATIENCE).run().map(|output| output.tail).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::secret::token;

    fn host() -> Host {
        Host::knowing("hunter22")
    }

    /// Serves one connection: hands over what it got until `enough`, then sends the answer.
    fn serve(answer: &'static str, enough: &'static str) -> (u16, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut got, mut buffer) = (String::new(), [0; 1024]);
            while !got.ends_with(enough) {
                let length = stream.read(&mut buffer).unwrap();
                got.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            }
            stream.write_all(answer.as_bytes()).unwrap();
            got
        });
        (port, served)
    }

    fn once(check: Check) -> Finding {
        let check = ServiceCheck { service: "s".to_owned(), check };
        let mut report = |_: &Finding| panic!("a single attempt waits for nothing");
        let mut waiting = Waiting { pause: &|_| true, report: &mut report };
        wait_healthy(&host(), &[check], Duration::ZERO, &|_| Vec::new(), &mut waiting).remove(0)
    }

    fn http(port: u16, status: u16, contains: &str) -> Check {
        let url = format!("http://127.0.0.1:{port}/health?x=1");
        Check::Http {
            url,
            status: vec![status],
            contains: Some(contains.to_owned()),
            host: Some("hq.local".to_owned()),
        }
    }

    #[test]
    fn http_sends_the_host_and_reads_status_and_body() {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n5\r\n good\r\n0\r\n\r\n";
        let (port, served) = serve(answer, "\r\n\r\n");
        let finding = once(http(port, 200, "all good"));
        assert!(finding.healthy, "{finding:?}");
        assert!(served.join().unwrap().starts_with("GET /health?x=1 HTTP/1.1\r\nHost: hq.local\r\n"));
        let (port, _) = serve("HTTP/1.0 502 Bad Gateway\r\n\r\nno", "\r\n\r\n");
        assert_eq!(once(http(port, 200, "x")).observed, "status 502 instead of 200");
        let (port, _) = serve("HTTP/1.0 200 OK\r\n\r\nno", "\r\n\r\n");
        assert_eq!(once(http(port, 200, "x")).observed, "status 200, but the body does not contain `x`");
    }

    #[test]
    fn redis_logs_in_first() {
        let (port, served) = serve("+OK\r\n+PONG\r\n", "PING\r\n");
        let finding = once(Check::RedisPing { port, password: Some(token("pw", &[])) });
        assert_eq!((finding.healthy, finding.observed.as_str()), (true, "PONG"));
        assert!(served.join().unwrap().contains("AUTH\r\n$8\r\nhunter22\r\n"));
        let (port, _) = serve("-WRONGPASS no\r\n-NOAUTH Authentication required.\r\n", "PING\r\n");
        assert_eq!(once(Check::RedisPing { port, password: Some("x".to_owned()) }).observed, "WRONGPASS no");
    }

    #[test]
    fn names_are_resolved_by_the_host() {
        assert!(addresses(&host(), "localhost").unwrap().iter().all(IpAddr::is_loopback));
        assert_eq!(
            once(Check::Tcp { port: 1, address: "no-such.invalid".to_owned() }).observed,
            "no-such.invalid has no address"
        );
    }

    #[test]
    fn a_command_says_why() {
        let argv = ["sh", "-c", "echo not yet; exit 2"].map(str::to_owned).to_vec();
        let finding = once(Check::Command { argv, user: None });
        assert_eq!(finding.observed, "sh: it exited with status 2: not yet");
    }

    #[test]
    fn waits_until_it_is_healthy_and_says_that_it_waits() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listener = RefCell::new(None);
        let mut reported = Vec::new();
        let mut report = |finding: &Finding| reported.push(finding.observed.clone());
        // The service comes up while the probe pauses.
        let pause = |_| {
            *listener.borrow_mut() = Some(TcpListener::bind(("127.0.0.1", port)).unwrap());
            false
        };
        let check =
            ServiceCheck { service: "s".to_owned(), check: Check::Tcp { port, address: "127.0.0.1".to_owned() } };
        let mut waiting = Waiting { pause: &pause, report: &mut report };
        let findings = wait_healthy(&host(), &[check], Duration::from_secs(60), &|_| Vec::new(), &mut waiting);
        assert!(findings[0].healthy);
        assert_eq!(reported, ["connection refused"]);
    }
}
