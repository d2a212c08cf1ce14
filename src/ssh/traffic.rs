//! What has gone over one agent link.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counters of one agent link, shared by its two halves.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    round_trips: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    /// Whether something was sent since the peer was last heard.
    asked: AtomicBool,
}

impl Traffic {
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Relaxed);
        self.asked.store(true, Relaxed);
    }

    /// A round trip is over when the first answer to something sent comes in.
    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Relaxed);
        if self.asked.swap(false, Relaxed) {
            self.round_trips.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn round_trips(&self) -> u64 {
        self.round_trips.load(Relaxed)
    }

    pub(super) fn bytes_sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    pub(super) fn bytes_received(&self) -> u64 {
        self.received.load(Relaxed)
    }
}
