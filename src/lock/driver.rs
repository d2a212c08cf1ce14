//! A [`Machine`] with keepers and a clock.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::claim::Claim;
use super::desk::{Answered, Desk, Job};
use super::machine::Machine;
use super::message::{Command, Event, News};
use super::terms::Terms;
use crate::keeper::{KeeperError, Keepers, NoMajority};

/// A machine with keepers and a clock.
pub(super) struct Driver {
    machine: Machine,
    began: Instant,
    jobs: Vec<mpsc::UnboundedSender<Job>>,
    answers: mpsc::UnboundedReceiver<Answered>,
    /// Keeps `answers` open.
    _answer: mpsc::UnboundedSender<Answered>,
    news: VecDeque<News>,
    /// Keepers that could not be asked from the start.
    silent: Vec<KeeperError>,
    /// Why a keeper did not do what it was asked last, by its number.
    troubles: Vec<Option<KeeperError>>,
}

impl Driver {
    /// Begins to take the lock; every keeper gets a task of its own.
    pub fn start(keepers: Keepers, claim: &Claim, terms: Terms) -> Self {
        let count = keepers.count();
        let (keepers, silent) = keepers.into_parts();
        let (answer, answers) = mpsc::unbounded_channel();
        let mut machine = Machine::new(claim.record(&terms), terms, keepers.len(), count, Duration::ZERO);
        let jobs = keepers.into_iter().enumerate().map(|(number, keeper)| {
            let (sender, receiver) = mpsc::unbounded_channel();
            tokio::spawn(Desk { number, keeper, force: terms.force }.serve(receiver, answer.clone()));
            sender
        });
        let jobs: Vec<_> = jobs.collect();
        let first = machine.start(Duration::ZERO);
        let troubles = vec![None; jobs.len()];
        let (began, news) = (Instant::now(), VecDeque::new());
        let mut driver = Self { machine, began, jobs, answers, _answer: answer, news, silent, troubles };
        driver.carry_out(first);
        driver
    }

    /// What becomes of the lock next. Nothing is lost when this is dropped half-way.
    pub async fn news(&mut self) -> News {
        loop {
            if let Some(news) = self.news.pop_front() {
                return news;
            }
            let wake = self.machine.wake_at().map(|at| self.began + at);
            let event = tokio::select! {
                Some((event, trouble)) = self.answers.recv() => {
                    if let Event::Looked(keeper, _) | Event::Wrote(keeper, _) = &event {
                        self.troubles[*keeper] = trouble;
                    }
                    event
                }
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => Event::Tick,
            };
            self.handle(event);
        }
    }

    /// Gives the lock back, or gives up taking it.
    pub fn release(&mut self) {
        self.handle(Event::Release);
    }

    /// Those that cannot be asked, and why.
    pub fn silent(&self) -> NoMajority {
        let silent = self.silent.iter().chain(self.troubles.iter().flatten()).cloned().collect();
        NoMajority { silent, of: self.silent.len() + self.jobs.len() }
    }

    fn handle(&mut self, event: Event) {
        let commands = self.machine.on(self.began.elapsed(), event);
        self.carry_out(commands);
    }

    fn carry_out(&mut self, commands: Vec<Command>) {
        for command in commands {
            let (keeper, job) = match command {
                Command::Look(keeper) => (keeper, Job::Look),
                Command::Write(keeper, record, seen) => (keeper, Job::Write(Box::new(record), seen)),
                Command::Tell(news) => {
                    self.news.push_back(news);
                    continue;
                }
            };
            // A desk works as long as it has jobs to wait for.
            let _ = self.jobs[keeper].send(job);
        }
    }
}
