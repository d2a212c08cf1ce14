//! The wish to stop early, seen while something else is going on.

use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whether the request under way is to end early: somebody said so, or nobody listens any more.
#[derive(Clone, Default)]
pub struct Stop {
    shared: Arc<(Mutex<Wish>, Condvar)>,
    /// The request that this is about.
    number: u64,
}

#[derive(Default)]
struct Wish {
    /// Requests that have come so far.
    received: u64,
    /// The newest request for which a stop came.
    stopped: u64,
    /// The controller is gone.
    gone: bool,
    /// The agent that applies for this one.
    applying: Option<UnixStream>,
}

impl Stop {
    /// The wish as it is about this request. A stop that comes after its end is about nothing.
    pub(super) fn at(&self, number: u64) -> Self {
        Self { shared: Arc::clone(&self.shared), number }
    }

    /// A request came; its number.
    pub(super) fn received(&self) -> u64 {
        let mut wish = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        wish.received += 1;
        wish.received
    }

    /// The controller wants the request under way to end.
    pub(super) fn wish(&self) {
        let mut wish = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        wish.stopped = wish.received;
        wish.pass_on();
        self.shared.1.notify_all();
    }

    /// The controller is gone.
    pub(super) fn gone(&self) {
        let mut wish = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        wish.gone = true;
        wish.pass_on();
        self.shared.1.notify_all();
    }

    /// Another agent applies for this one from now on, or no other any more: a stop is passed on to it. When the controller is
    /// gone the way to that agent is closed, and it goes on.
    pub(super) fn applies_at(&self, applying: Option<UnixStream>) {
        let mut wish = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        wish.applying = applying;
        if self.wanted(&wish) {
            wish.pass_on();
        }
    }

    /// Whether to start nothing more.
    pub fn is_set(&self) -> bool {
        self.wanted(&self.shared.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for at most this long; true when the wish came.
    pub fn wait(&self, most: Duration) -> bool {
        let end = Instant::now() + most;
        let mut wish = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if self.wanted(&wish) || left.is_zero() {
                return self.wanted(&wish);
            }
            wish = self.shared.1.wait_timeout(wish, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn wanted(&self, wish: &Wish) -> bool {
        wish.gone || wish.stopped >= self.number
    }
}

impl Wish {
    fn pass_on(&self) {
        if let Some(applying) = &self.applying {
            // Without anybody at the other end there is nothing to stop.
            let _ = if self.gone { applying.shutdown(Shutdown::Both) } else { (&*applying).write_all(b"stop") };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_about_the_request_before_it() {
        let stop = Stop::default();
        let first = stop.at(stop.received());
        stop.wish();
        let second = stop.at(stop.received());
        assert!(first.is_set() && !second.is_set());
        stop.gone();
        assert!(second.wait(Duration::from_secs(60)));
    }
}
