//! A child process that runs: its output as it comes, its end, and its end by force.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// How long the sink is left alone when there is no output: it may want the command to end.
const MOMENT: Duration = Duration::from_millis(200);

/// Takes pieces of output as they come; the flag says whether it is standard error. It gets an empty piece now and then when
/// there is none. Returning false ends the command.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(bool, &[u8]) -> bool;

/// A child that leads a process group of its own, with its output in pipes.
pub(super) struct Running {
    child: Child,
    /// Standard output and error, until each is closed.
    pipes: [(bool, Option<File>); 2],
}

/// Why nothing more is to be followed.
pub(super) enum Ended {
    /// It exited. What it started may still hold the pipes: nobody waits for that.
    Itself,
    /// The sink has enough.
    Enough,
    /// Its time is over.
    Late,
}

impl Running {
    pub(super) fn new(mut child: Child) -> Self {
        let out = child.stdout.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        let err = child.stderr.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        Self { child, pipes: [(false, out), (true, err)] }
    }

    /// Passes output on until the command has ended or is to end.
    pub(super) fn follow(&mut self, limit: Duration, sink: Sink<'_>) -> io::Result<Ended> {
        let deadline = Instant::now() + limit;
        let ended = pidfd_open(self.pid(), PidfdFlags::empty())?;
        for (_, pipe) in &self.pipes {
            if let Some(pipe) = pipe {
                fcntl_setfl(pipe.as_fd(), OFlags::NONBLOCK)?;
            }
        }
        loop {
            let over = self.poll(&ended, deadline)?;
            for (stderr, pipe) in &mut self.pipes {
                if !drain(pipe, &mut |piece| sink(*stderr, piece)) {
                    return Ok(Ended::Enough);
                }
            }
            if over {
                return Ok(Ended::Itself);
            }
            if Instant::now() >= deadline {
                return Ok(Ended::Late);
            }
            if !sink(false, &[]) {
                return Ok(Ended::Enough);
            }
        }
    }

    /// Waits until output comes, the command ends (then true), the deadline or a moment is over.
    fn poll(&self, ended: &OwnedFd, deadline: Instant) -> io::Result<bool> {
        let mut fds = vec![PollFd::new(ended, PollFlags::IN)];
        let open = self.pipes.iter().filter_map(|(_, pipe)| pipe.as_ref());
        fds.extend(open.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let left = deadline.saturating_duration_since(Instant::now()).min(MOMENT);
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) })) {
            Ok(_) => Ok(!fds[0].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Kills it and everything that it started. Nobody has waited for it yet, so that its number is still its own.
    pub(super) fn kill(&self) {
        let _ = kill_process_group(self.pid(), Signal::KILL);
    }

    /// Waits for its end; its status, 128 + signal when a signal ended it.
    pub(super) fn wait(mut self) -> io::Result<i32> {
        let status = self.child.wait()?;
        Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

/// Reads what is there; closes the pipe at its end. False when the sink has enough.
fn drain(pipe: &mut Option<File>, sink: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    let mut buffer = [0; 1 << 14];
    while let Some(file) = pipe {
        match file.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(length) if !sink(&buffer[..length]) => return false,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(_) => *pipe = None,
        }
    }
    true
}
