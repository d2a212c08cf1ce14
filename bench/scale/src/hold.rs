//! Agents that are kept waiting while somebody looks at the controller.

use std::io::{self, Write as _};
use std::sync::Mutex;

use tokio::sync::watch;

use crate::Failure;

/// Agents that wait.
pub struct Hold {
    waiting: Mutex<usize>,
    /// How often all were released.
    released: watch::Sender<u64>,
}

impl Hold {
    /// Nobody waits.
    pub fn new() -> Self {
        Self { waiting: Mutex::new(0), released: watch::Sender::new(0) }
    }

    /// Says `held N` on standard output, and waits until all are released.
    ///
    /// # Errors
    /// When nobody reads standard output any more.
    pub async fn wait(&self) -> Result<(), Failure> {
        let mut released = self.released.subscribe();
        {
            let mut waiting = self.waiting.lock().map_err(|_| "an agent that waited has panicked")?;
            *waiting += 1;
            writeln!(io::stdout(), "held {waiting}")?;
        }
        Ok(released.changed().await?)
    }

    /// Lets all go on that wait.
    pub fn release(&self) {
        if let Ok(mut waiting) = self.waiting.lock() {
            *waiting = 0;
        }
        self.released.send_modify(|times| *times += 1);
    }
}
