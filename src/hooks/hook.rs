//! One hook: a program of the repository.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::occasion::Occasion;
use super::point::Point;

/// Bytes of a hook's output that are kept.
const OUTPUT: usize = 64 << 10;

/// One hook: a program of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// When it runs.
    pub point: Point,
    /// Its file as messages name it: `hooks/after-deploy.mail`.
    pub file: String,
    /// Its file.
    pub path: PathBuf,
}

/// What a hook did.
pub(super) struct Done {
    /// What it printed on both streams, in the order in which it did.
    pub output: String,
    /// Whether it succeeded.
    pub result: Result<(), Failure>,
}

impl Hook {
    /// Runs it to its end, or to the end of its time. It has a process group of its own, so that all that it started ends with it.
    pub(super) async fn run(&self, occasion: &Occasion, limit: Duration) -> Done {
        let mut output = Vec::new();
        let result = match self.start(occasion) {
            Ok((child, printed)) => follow(child, printed, occasion, limit, &mut output).await,
            Err(error) => Err(Failure::Start(error.to_string())),
        };
        Done { output: String::from_utf8_lossy(&output).into_owned(), result }
    }

    fn start(&self, occasion: &Occasion) -> io::Result<(Child, Receiver)> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(&self.path);
        command.envs(occasion.variables()).current_dir(&occasion.author.folder).process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn()?;
        Ok((child, Receiver::from_owned_fd(OwnedFd::from(reader))?))
    }
}

/// Feeds a hook and reads what it prints until it ends.
async fn follow(
    mut child: Child,
    mut printed: Receiver,
    occasion: &Occasion,
    limit: Duration,
    output: &mut Vec<u8>,
) -> Result<(), Failure> {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let feeding = feed(&mut child, occasion);
    let ended = async {
        let mut open = true;
        loop {
            tokio::select! {
                status = child.wait() => return status.map_err(|error| Failure::Start(error.to_string())),
                more = read(&mut printed, output), if open => open = more,
            }
        }
    };
    let result = tokio::select! {
        status = ended => status.and_then(judge),
        () = tokio::time::sleep(limit) => Err(Failure::Late(limit)),
        () = interrupted() => Err(Failure::Interrupted),
    };
    feeding.abort();
    if let (true, Some(group)) = (matches!(result, Err(Failure::Late(_) | Failure::Interrupted)), group) {
        // It may have ended just now.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait().await;
    }
    // What it left running in the background may keep the stream open: only what is there already is taken.
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = printed.try_read(&mut piece) {
        keep(output, &piece[..length]);
    }
    result
}

/// A hook need not read what it is told.
fn feed(child: &mut Child, occasion: &Occasion) -> tokio::task::JoinHandle<()> {
    let (stdin, told) = (child.stdin.take(), serde_json::to_vec(occasion).unwrap_or_default());
    tokio::spawn(async move {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(&told).await;
        }
    })
}

/// Whether there may be more.
async fn read(printed: &mut Receiver, output: &mut Vec<u8>) -> bool {
    let mut piece = [0; 4096];
    match printed.read(&mut piece).await {
        Ok(length @ 1..) => {
            keep(output, &piece[..length]);
            true
        }
        _ => false,
    }
}

fn keep(output: &mut Vec<u8>, piece: &[u8]) {
    let room = OUTPUT.saturating_sub(output.len());
    output.extend_from_slice(&piece[..piece.len().min(room)]);
}

fn judge(status: ExitStatus) -> Result<(), Failure> {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failure::Code(code)),
        (None, signal) => Err(Failure::Signal(signal.unwrap_or_default())),
    }
}

/// A hook has a process group of its own: Ctrl-C reaches it only through here.
async fn interrupted() {
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
}
