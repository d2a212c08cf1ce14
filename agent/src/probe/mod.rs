//! What preflight asks of a host. A probe observes only: it reads a file, runs a program that changes nothing, or sends a few
//! packets to another host of the environment. What a reading means is not known here: the controller parses and judges, so that
//! the raw evidence is at hand and a new check needs no new agent.

mod command;
mod connect;
mod echo;
mod file;
mod listener;
mod throughput;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use listener::Listeners;
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::side_by_side::side_by_side;

/// Bytes of a file, or of one stream of a program, that a reading keeps.
const MOST: usize = 256 << 10;

/// Probes that run at the same time: they wait more than they work.
const SIDE_BY_SIDE: usize = 12;

/// What is asked of a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "snake_case")]
pub enum Probe {
    /// The text of a file. Answered by [`Outcome::Text`].
    File {
        /// Absolute path.
        path: String,
    },
    /// The names in a folder, sorted. Answered by [`Outcome::Names`].
    Folder {
        /// Absolute path.
        path: String,
    },
    /// What a program says, with `LC_ALL=C.UTF-8` and no input. Answered by [`Outcome::Ended`].
    Command {
        /// Program and arguments, without a shell.
        argv: Vec<String>,
        /// Seconds after which it is killed.
        seconds: u32,
    },
    /// Accept TCP connections, whose data is thrown away, and send UDP datagrams back, until the session ends. Answered by
    /// [`Outcome::Listening`], or [`Outcome::Busy`] where a service has the port already.
    Listen {
        /// Port; 0 for any that is free.
        port: u16,
    },
    /// Connect over TCP, one time after the other. Answered by [`Outcome::Times`].
    Connect {
        /// Host name or address.
        address: String,
        /// Port.
        port: u16,
        /// How often.
        times: u16,
    },
    /// Send UDP datagrams that must not be fragmented to a listener of another agent, a millisecond apart, and wait for each to
    /// come back. Answered by [`Outcome::Times`].
    Echo {
        /// Host name or address.
        address: String,
        /// Port.
        port: u16,
        /// How many.
        times: u16,
        /// Length of each, in bytes, without UDP and IP headers.
        bytes: u16,
    },
    /// Send as much as goes to a listener of another agent. Answered by [`Outcome::Sent`].
    Throughput {
        /// Host name or address.
        address: String,
        /// Port.
        port: u16,
        /// For how long each time.
        seconds: u32,
        /// How often, one time after the other.
        times: u16,
    },
}

/// What a probe gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What was read, or why nothing was.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// What was read, or why nothing was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// A file's text; invalid UTF-8 replaced.
    Text {
        /// The text, or its beginning.
        text: String,
        /// Whether there was more.
        cut: bool,
    },
    /// The names in a folder.
    Names {
        /// Sorted.
        names: Vec<String>,
    },
    /// A program ended.
    Ended {
        /// Exit status; 128 + signal when a signal ended it.
        status: i32,
        /// Standard output, or its beginning.
        stdout: String,
        /// Standard error, or its beginning.
        stderr: String,
        /// Whether there was more of either.
        cut: bool,
    },
    /// A port is listened on.
    Listening {
        /// The port.
        port: u16,
    },
    /// The port is taken: something else answers there.
    Busy,
    /// How long each attempt took.
    Times {
        /// Microseconds each; `None` for one that failed.
        micros: Vec<Option<u32>>,
        /// Why the last one that failed did.
        why: Option<String>,
    },
    /// What went through each time.
    Sent {
        /// In the order in which they were made.
        runs: Vec<Run>,
    },
    /// There is no such file, folder or program.
    Absent,
    /// Reading it is not allowed.
    Denied,
    /// It was killed when its time was over.
    Late {
        /// Its limit, in seconds.
        seconds: u32,
    },
    /// Anything else that went wrong.
    Failed {
        /// The reason in a few words.
        why: String,
    },
}

/// What went through once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Bytes that the other side's kernel took.
    pub bytes: u64,
    /// Microseconds that it took.
    pub micros: u64,
}

/// Takes all readings, several at the same time; in the order of the probes. `stopped` ends it early: what has not been begun is
/// answered by [`Outcome::Failed`].
pub fn take(
    host: &Host,
    probes: &[Probe],
    listeners: &mut Listeners,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Vec<Reading> {
    // Listeners first, in this thread: it is theirs, and what follows may be a connection to one of them.
    let mut readings: Vec<Option<Reading>> = probes
        .iter()
        .map(|probe| match probe {
            Probe::Listen { port } => Some(timed(|| listeners.open(*port))),
            _ => None,
        })
        .collect();
    let left: Vec<usize> = (0..probes.len()).filter(|index| readings[*index].is_none()).collect();
    let (next, taken) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(left.len())));
    let work = || {
        // Each thread has an access to the host of its own: what one caches another must not wait for.
        let host = Host::new(host.state());
        while let Some(index) = left.get(next.fetch_add(1, Ordering::Relaxed)) {
            let reading =
                timed(|| if stopped() { failed("the controller asked to stop") } else { read(&host, &probes[*index]) });
            taken.lock().unwrap_or_else(PoisonError::into_inner).push((*index, reading));
        }
    };
    side_by_side(SIDE_BY_SIDE.min(left.len()), &work);
    for (index, reading) in taken.into_inner().unwrap_or_else(PoisonError::into_inner) {
        readings[index] = Some(reading);
    }
    readings.into_iter().map(|reading| reading.unwrap_or_else(|| timed(|| failed("it was not begun")))).collect()
}

fn read(host: &Host, probe: &Probe) -> Outcome {
    match probe {
        Probe::File { path } => file::text(path),
        Probe::Folder { path } => file::names(path),
        Probe::Command { argv, seconds } => command::run(host, argv, *seconds),
        Probe::Listen { .. } => failed("a listener is opened elsewhere"),
        Probe::Connect { address, port, times } => connect::times(host, address, *port, *times),
        Probe::Echo { address, port, times, bytes } => echo::times(host, address, *port, *times, *bytes),
        Probe::Throughput { address, port, seconds, times } => {
            throughput::send(host, address, *port, Duration::from_secs(u64::from(*seconds)), *times)
        }
    }
}

fn timed(read: impl FnOnce() -> Outcome) -> Reading {
    let begin = Instant::now();
    let outcome = read();
    Reading { outcome, millis: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

fn failed(why: impl ToString) -> Outcome {
    Outcome::Failed { why: why.to_string() }
}

/// Text of at most [`MOST`] bytes, and whether there was more.
fn bounded(mut bytes: Vec<u8>) -> (String, bool) {
    let cut = bytes.len() > MOST;
    bytes.truncate(MOST);
    (String::from_utf8_lossy(&bytes).into_owned(), cut)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
