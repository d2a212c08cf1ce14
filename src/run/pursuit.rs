//! An apply that is followed through cuts of the connection: the host goes on, and tells what was missed.

use std::time::Duration;

use cc_agent::protocol::{Event as AgentEvent, Reply, Request};
use cc_plan::plan::HostPlan;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::interrupt::Interrupt;
use super::member::Member;
use super::observe;
use super::vaults::Vaults;
use crate::report::{Event, Report};
use crate::ssh::{Barrier, Reason, SshError};

/// Before the first try to reach a host again; twice as long before each next.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Connections in a row that may end without anything new: a host that ends each of them will end the next one too.
const VAIN: u32 = 5;

/// How often a request is sent that does not arrive.
const SENT: u32 = 3;

/// One host whose work is followed.
pub(super) struct Pursuit<'a> {
    pub member: &'a mut Member,
    /// The run.
    pub run: &'a str,
    /// How long to try to reach it again.
    pub patience: Duration,
    pub interrupt: &'a Interrupt,
    pub report: &'a Report,
}

/// What a new session has to be told before the next apply.
#[derive(Clone, Copy)]
pub(super) struct Restore<'a> {
    pub plan: &'a HostPlan,
    pub vaults: &'a Vaults,
}

impl Pursuit<'_> {
    /// Sends an `Apply` or `Prune`, shows its events, each once, and gives its reply.
    ///
    /// # Errors
    /// The host refuses, was cut off in the middle, or cannot be reached again in time.
    pub async fn apply(mut self, request: &Request, restore: Option<Restore<'_>>) -> Result<Reply, SshError> {
        let (before, mut sent, mut cuts) = (self.member.next, 1, 0);
        let mut result = self.listen(request).await;
        loop {
            match result {
                Err(trouble) if is_cut(&trouble) => {
                    self.reconnect(trouble, &mut cuts).await?;
                    result = self.follow(self.interrupt.is_set(), &mut cuts).await;
                }
                // Nothing of it has begun: what was asked for has not arrived.
                Ok(Reply::Ended { cut: false }) if self.member.next == before && sent < SENT => {
                    sent += 1;
                    self.restore(restore).await?;
                    result = self.listen(request).await;
                }
                Ok(Reply::Ended { .. }) => {
                    return Err(self.member.error(Reason::CutOff { run: self.run.to_owned() }));
                }
                Ok(reply) => {
                    if cuts > 0 {
                        self.restore(restore).await?;
                    }
                    return Ok(reply);
                }
                Err(refused) => return Err(refused),
            }
        }
    }

    /// Shows the events of a run from its first one on, and gives the reply of each of its applies; the last one is `Ended`.
    ///
    /// # Errors
    /// As [`Pursuit::apply`].
    pub async fn attach(mut self, stop: bool) -> Result<Vec<Reply>, SshError> {
        let (mut replies, mut cuts) = (Vec::new(), 0);
        loop {
            match self.follow(stop, &mut cuts).await {
                Err(trouble) if is_cut(&trouble) => self.reconnect(trouble, &mut cuts).await?,
                Err(refused) => return Err(refused),
                Ok(reply) => {
                    let last = matches!(reply, Reply::Ended { .. });
                    replies.push(reply);
                    if last {
                        return Ok(replies);
                    }
                }
            }
        }
    }

    /// Goes on where the events that are told end.
    async fn follow(&mut self, stop: bool, cuts: &mut u32) -> Result<Reply, SshError> {
        let from = self.member.next;
        let result = self.listen(&Request::Follow { run: self.run.to_owned(), from, stop }).await;
        if self.member.next > from {
            *cuts = (*cuts).min(1);
        }
        result
    }

    /// Sends a request, and counts and shows its events. Its final reply, when it stands in the record, counts too.
    async fn listen(&mut self, request: &Request) -> Result<Reply, SshError> {
        let (report, host, mut next) = (self.report, self.member.host.clone(), self.member.next);
        let work = self.member.work(request, self.interrupt, |event| {
            if let AgentEvent::Began { number, .. } = event {
                next = *number;
            }
            next += 1;
            show(report, &host, event);
        });
        let reply = work.await;
        self.member.next = next + u64::from(matches!(reply, Ok(Reply::Applied { .. })));
        reply
    }

    /// Tries until the host is reached or the time is over.
    async fn reconnect(&mut self, cut: SshError, cuts: &mut u32) -> Result<(), SshError> {
        *cuts += 1;
        let seconds = self.patience.as_secs();
        if seconds == 0 || *cuts > VAIN {
            return Err(cut);
        }
        let message = format!("{cut}; its stage goes on there");
        let hint = format!("trying to reach it again for {seconds} s");
        self.report.emit(&Event::Warning { message: &message, hint: Some(&hint) });
        let deadline = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::select! {
                () = sleep_until(deadline.min(Instant::now() + pause)) => {}
                () = self.interrupt.wait() => return Err(cut),
            }
            match timeout_at(deadline, self.member.reconnect()).await {
                Ok(Ok(())) => break,
                Ok(Err(trouble)) if trouble.barrier() == Barrier::HostKey => return Err(trouble),
                Ok(Err(_)) if Instant::now() < deadline => pause = LONGEST_PAUSE.min(2 * pause),
                Ok(Err(_)) | Err(_) => return Err(cut),
            }
        }
        self.report.emit(&Event::Note { message: &format!("{}: reached again", self.member.host) });
        Ok(())
    }

    async fn restore(&mut self, restore: Option<Restore<'_>>) -> Result<(), SshError> {
        if let Some(Restore { plan, vaults }) = restore {
            observe::ask(self.member, plan, vaults, false).await?;
        }
        Ok(())
    }
}

/// Whether the connection or the agent of the session ended, as against an answer.
fn is_cut(error: &SshError) -> bool {
    matches!(*error.reason, Reason::Lost { .. } | Reason::TimedOut { .. } | Reason::AgentDied { .. })
}

/// Passes an agent's event on.
fn show(report: &Report, host: &str, event: &AgentEvent) {
    match event {
        AgentEvent::Began { tied: None, .. } => {}
        AgentEvent::Began { tied: Some(why), .. } => {
            let message = format!("{host}: what is applied there may end with the connection: {why}");
            report.emit(&Event::Warning { message: &message, hint: Some("systemd-run has to work on the host") });
        }
        AgentEvent::Started { id } => report.emit(&Event::StepStarted { host, step: id }),
        AgentEvent::Finished(outcome) => report.emit(&Event::StepFinished {
            host,
            step: &outcome.id,
            change: &outcome.change,
            millis: outcome.millis,
            error: outcome.error.as_ref(),
        }),
        AgentEvent::Waiting { finding } => report.emit(&Event::Waiting { host, finding }),
        // Only `exec` has output.
        AgentEvent::Output { .. } => {}
    }
}
