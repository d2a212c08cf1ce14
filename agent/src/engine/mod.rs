//! The agent at work: requests in, replies and events out, one session at a time.

mod apply;
mod books;
mod detach;
mod detached;
mod follow;
mod inbox;
mod keep;
mod launch;
mod lock;
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

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

pub use detached::apply;
use inbox::{Inbox, Message};
pub use launch::announce;
use outbox::Outbox;
use session::Session;
pub use stop::Stop;

use crate::protocol::{FrameKind, Reply, encode};

/// Where the agent keeps what it must remember, one folder an environment.
pub const STATE: &str = "/var/lib/cc-cloud";

/// What the agent knows of its own program.
#[derive(Debug, Default, Clone)]
pub struct Itself {
    /// What `Bye` with `leave_nothing` removes, when the agent is a file that was pushed for this purpose.
    pub binary: Option<PathBuf>,
    /// Program and first arguments of an agent that calls [`apply`] with the folder that is its last argument.
    pub applying: Vec<OsString>,
}

/// Serves one controller until it says goodbye or goes away. What it keeps is under `state`, one folder an environment.
///
/// # Errors
/// When the stream from the controller is broken. A controller that went away is none: what it asked to apply goes on.
pub fn serve(
    state: &Path,
    itself: &Itself,
    input: impl Read + Send + 'static,
    mut output: impl Write + Send + 'static,
) -> io::Result<()> {
    // What the session was started with is the login's; files and folders without a mode of their own are made as a package
    // would make them, so that services can read them.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let inbox = Inbox::listen(input);
    let send = Box::new(move |reply: &[u8]| {
        output.write_all(&encode(FrameKind::Control, reply))?;
        output.flush()
    });
    let outbox = Outbox::new(send, inbox.stop());
    let mut session = Session::new(state, itself, &outbox);
    loop {
        match inbox.next() {
            Message::Request(request, number, payload) => {
                let last = session.handle(request, payload, &inbox, &inbox.stop().at(number));
                if last {
                    return Ok(());
                }
            }
            Message::Secrets(payload) => session.take_secrets(payload),
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
