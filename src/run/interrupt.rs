//! Ctrl-C: once to finish what is running, twice to stop now.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::{CliError, Kind};
use crate::report::{Event, Report};

/// Whether the person at the keyboard has asked to stop.
#[derive(Clone)]
pub struct Interrupt(Arc<watch::Sender<bool>>);

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from now on. The second one ends the process at once.
    pub fn listen(report: Arc<Report>) -> Self {
        let interrupt = Self(Arc::new(watch::channel(false).0));
        let heard = interrupt.clone();
        tokio::spawn(async move {
            // Both at once: a signal between two listeners would be lost.
            let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
                return std::future::pending().await;
            };
            let mut stop = async || {
                tokio::select! {
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                }
            };
            stop().await;
            heard.stop();
            report.emit(&Event::Warning {
                message: "interrupted: finishing the running steps, starting no other",
                hint: Some("press Ctrl-C again to stop at once; the next deploy goes on from there"),
            });
            stop().await;
            report.pause();
            std::process::exit(i32::from(Kind::Interrupted.exit_code()));
        });
        interrupt
    }

    /// Asks to stop, as the person would.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// For what a signal may end at once, because the hosts go on by themselves.
    pub fn never() -> Self {
        Self(Arc::new(watch::channel(false).0))
    }

    /// Whether a stop was asked for.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until a stop is asked for.
    pub async fn wait(&self) {
        // Its sender lives as long as this.
        let _ = self.0.subscribe().wait_for(|set| *set).await;
    }

    /// The error of a command that was stopped.
    pub fn error() -> CliError {
        CliError { kind: Kind::Interrupted, message: "interrupted".to_owned(), hints: Vec::new() }
    }
}
