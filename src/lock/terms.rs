//! How a lock is to be taken and kept.

use std::time::Duration;

/// How a lock is to be taken and kept.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long the heartbeat must be seen to stand still before others may take the lock over.
    pub lease: Duration,
    /// How long to wait for a lock that somebody else holds.
    pub wait: Duration,
    /// Take it from a holder who may be alive.
    pub force: bool,
    /// The new token is higher than this.
    pub above: u64,
    /// Wait only for a holder whose heartbeat stands still.
    pub only_expired: bool,
}

impl Terms {
    /// How often a lock that others hold is looked at.
    pub(super) const POLL: Duration = Duration::from_secs(1);

    /// How often the holder's heartbeat counts up.
    pub fn beat(&self) -> Duration {
        self.lease / 3
    }

    /// How long after its last heartbeat a holder still takes itself for one. Shorter than the lease, for clocks that do not
    /// run alike, and for what is on its way to a host.
    pub fn hold(&self) -> Duration {
        self.lease * 5 / 6
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self { lease: Duration::from_secs(30), wait: Duration::ZERO, force: false, above: 0, only_expired: false }
    }
}
