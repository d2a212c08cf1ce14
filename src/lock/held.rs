//! A lock that is held.

use std::sync::Arc;

use cc_agent::fence::Fence;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::claim::Claim;
use super::driver::Driver;
use super::error::LockError;
use super::message::{Loss, News, Refusal};
use super::terms::Terms;
use crate::keeper::Keepers;
use crate::report::{Event, Report};
use crate::run::Interrupt;

/// The lock of an environment, held until it is released; others wait for it or are refused. Its heartbeat goes on by itself.
/// When the lock is lost, the run is stopped as by Ctrl-C.
pub struct EnvironmentLock {
    fence: Fence,
    lost: watch::Receiver<Option<Loss>>,
    release: oneshot::Sender<()>,
    keeping: JoinHandle<()>,
}

impl EnvironmentLock {
    /// Takes the lock, after waiting for it as long as the terms say.
    ///
    /// # Errors
    /// Somebody else holds it, too few keepers answer, or the person did not want to wait any longer.
    pub async fn take(
        keepers: Keepers,
        claim: &Claim,
        terms: Terms,
        interrupt: &Interrupt,
        report: &Arc<Report>,
    ) -> Result<Self, LockError> {
        keepers.check()?;
        let mut driver = Driver::start(keepers, claim, terms);
        let fence = taken(&mut driver, claim, terms, interrupt, report).await?;
        for error in &driver.silent().silent {
            let message = format!("{error}; the environment's lock is kept without it");
            report.emit(&Event::Warning { message: &message, hint: error.hint() });
        }
        let (release, released) = oneshot::channel();
        let (lose, lost) = watch::channel(None);
        let keeping = tokio::spawn(keep(driver, released, lose, interrupt.clone(), Arc::clone(report)));
        Ok(Self { fence, lost, release, keeping })
    }

    /// What hosts are shown with each change.
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// Whether it is still held.
    ///
    /// # Errors
    /// When it was lost, and to whom.
    pub fn check(&self) -> Result<(), LockError> {
        self.lost.borrow().clone().map_or(Ok(()), |loss| Err(LockError::Lost(loss)))
    }

    /// Gives the lock back, as far as keepers answer.
    ///
    /// # Errors
    /// When it was lost before.
    pub async fn release(self) -> Result<(), LockError> {
        let _ = self.release.send(());
        let _ = self.keeping.await;
        self.lost.borrow().clone().map_or(Ok(()), |loss| Err(LockError::Lost(loss)))
    }
}

/// Waits for the lock.
async fn taken(
    driver: &mut Driver,
    claim: &Claim,
    terms: Terms,
    interrupt: &Interrupt,
    report: &Report,
) -> Result<Fence, LockError> {
    let mut given_up = false;
    loop {
        let news = tokio::select! {
            news = driver.news() => news,
            () = interrupt.wait(), if !given_up => {
                given_up = true;
                driver.release();
                continue;
            }
        };
        match news {
            News::Waiting(by) => {
                let doing = if terms.only_expired { "watching the heartbeat of" } else { "waiting for" };
                report.emit(&Event::Note { message: &format!("{doing} the lock's holder: {}", by.describe()) });
            }
            News::Taken { token, holder } => {
                let owner = claim.operator.to_string();
                return Ok(Fence { token, holder, owner, run: claim.run.clone() });
            }
            News::Refused(Refusal::Held(by)) => return Err(LockError::Held(by)),
            News::Refused(Refusal::NoMajority) => return Err(LockError::NoMajority(driver.silent())),
            News::Lost(loss) => return Err(LockError::Lost(loss)),
            News::Left => return Err(LockError::Interrupted),
        }
    }
}

/// Holds the lock until it is released, or whoever took it is no more.
async fn keep(
    mut driver: Driver,
    mut released: oneshot::Receiver<()>,
    lose: watch::Sender<Option<Loss>>,
    interrupt: Interrupt,
    report: Arc<Report>,
) {
    let mut leaving = false;
    loop {
        let news = tokio::select! {
            news = driver.news() => news,
            _ = &mut released, if !leaving => {
                leaving = true;
                driver.release();
                continue;
            }
        };
        match news {
            News::Lost(loss) => {
                let message = format!("{}; no other step is started", LockError::Lost(loss.clone()));
                report.emit(&Event::Warning { message: &message, hint: None });
                lose.send_replace(Some(loss));
                interrupt.stop();
            }
            News::Left | News::Refused(_) => return,
            News::Waiting(_) | News::Taken { .. } => {}
        }
    }
}
