//! Starting the agent that applies: as a unit of its own, which a session that ends does not take along.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Itself;
use crate::host::Host;
use crate::step_error::StepError;

/// What systemd tells the unit by, and where.
const NOTIFY: &str = "NOTIFY_SOCKET";

/// Starts an agent that applies in this environment and waits until it can be spoken to. Gives the reason why it ends with the
/// session, where it does.
///
/// # Errors
/// When it does not start.
pub(super) fn launch(host: &Host, itself: &Itself, name: &str) -> Result<Option<String>, StepError> {
    #[cfg(test)]
    if itself.applying.is_empty() {
        return super::tests::launch(host.state());
    }
    let why = match unit(host, itself, name) {
        Ok(()) => return Ok(None),
        Err(error) => match error.telling_line() {
            Some(line) => format!("{}: {line}", error.message),
            None => error.message,
        },
    };
    child(host, itself)
        .map_err(|error| StepError::new(format!("cannot start the agent that applies: {error}; {why}")))?;
    Ok(Some(why))
}

/// As a transient unit. It is ready when it says so; what a step leaves running ends with it; a process of a step that takes
/// too much memory does not take the agent along.
fn unit(host: &Host, itself: &Itself, name: &str) -> Result<(), StepError> {
    let environment = host.state().file_name().unwrap_or_default().to_string_lossy();
    let options = ["--quiet", "--collect", "--service-type=notify", "--property=OOMPolicy=continue"];
    let command = host.command(["systemd-run"]).args(options).arg("--property=TimeoutStopSec=30s");
    let command = command.arg(format!("--unit=cc-cloud-{environment}-{name}")).arg("--");
    let words = itself.applying.iter().map(|word| word.to_string_lossy());
    let command = command.args(words).arg(host.state().to_string_lossy()).timeout(Duration::from_secs(60));
    command.run().map(|_| ())
}

/// As a child, where there are no units.
fn child(host: &Host, itself: &Itself) -> io::Result<()> {
    let mut words = itself.applying.iter();
    let mut command = Command::new(words.next().ok_or(io::ErrorKind::NotFound)?);
    command.args(words).arg(host.state()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.env_remove(NOTIFY).process_group(0).spawn()?;
    let ready = child.stdout.take().map(|mut output| output.read_exact(&mut [0]));
    ready.unwrap_or(Err(io::ErrorKind::BrokenPipe.into()))
}

/// Says that this agent can be spoken to: to systemd, or to the agent whose child it is.
///
/// # Errors
/// When nobody can be told.
pub fn announce() -> io::Result<()> {
    match std::env::var_os(NOTIFY) {
        Some(socket) => UnixDatagram::unbound()?.send_to(b"READY=1", socket).map(|_| ()),
        None => {
            io::stdout().write_all(b"\n")?;
            io::stdout().flush()
        }
    }
}
