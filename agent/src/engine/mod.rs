//! The agent at work: requests in, replies and events out, one session at a time.

mod apply;
mod books;
mod inbox;
mod observe;
mod outbox;
mod past;
mod prune;
mod session;
mod stop;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
mod transaction;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use inbox::{Inbox, Message};
use outbox::Outbox;
use session::Session;
pub use stop::Stop;

use crate::protocol::Reply;

/// Where the agent keeps what it must remember, one folder an environment.
pub const STATE: &str = "/var/lib/cc-cloud";

/// What `Bye` with `leave_nothing` removes, when the agent is a file that was pushed for this purpose.
#[derive(Debug, Default, Clone)]
pub struct Itself {
    /// The agent's own file.
    pub binary: Option<PathBuf>,
}

/// Serves one controller until it says goodbye or goes away.
///
/// # Errors
/// When the stream from the controller is broken. A controller that went away is none: the running step is finished first.
pub fn run(input: impl Read + Send + 'static, output: impl Write + Send) -> io::Result<()> {
    serve(Path::new(STATE), &Itself::default(), input, output)
}

/// As [`run`], with the state elsewhere and a binary that may be removed.
///
/// # Errors
/// As [`run`].
pub fn serve(
    state: &Path,
    itself: &Itself,
    input: impl Read + Send + 'static,
    output: impl Write + Send,
) -> io::Result<()> {
    // What the session was started with is the login's; files and folders without a mode of their own are made as a package
    // would make them, so that services can read them.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let inbox = Inbox::listen(input);
    let outbox = Outbox::new(output, inbox.stop());
    let mut session = Session::new(state, itself, &outbox);
    loop {
        match inbox.next() {
            Message::Request(request, number) => {
                let last = session.handle(request, &inbox, &inbox.stop().at(number));
                if last {
                    return Ok(());
                }
            }
            Message::Secrets(payload) => session.take_secrets(&payload),
            Message::Data(_) => {
                outbox.failed("a piece of content came without its announcement", None);
            }
            Message::End => return Ok(()),
            Message::Broken(error) => {
                outbox.send(&Reply::Failed { message: format!("the stream is broken: {error}"), hint: None });
                return Err(error);
            }
        }
    }
}
