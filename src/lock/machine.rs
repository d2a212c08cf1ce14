//! The lock as a state machine: what happens goes in, what to do comes out. It does no I/O and has no clock.
//!
//! Each keeper has one record and lets it be replaced by who has seen it. To take the lock is to write one's own record on more
//! than half of the keepers, one after the other in an order that all share: whoever comes second at one of them stops there.
//! A holder's heartbeat replaces its own records; a record that is replaced by somebody else's is a keeper lost. The number of
//! a holder, its token, is higher than every one that it read on more than half of the keepers, so that no two holders ever
//! have the same and a later one has a higher. What that is good for: docs/decisions/0010-keepers-and-locks.md.

use std::time::Duration;

use super::message::{Command, Event, Loss, News, Refusal, Sight, Wrote};
use super::record::{LockRecord, State, holder, live};
use super::slot::{Mine, Slot};
use super::terms::Terms;
use crate::keeper::majority;

/// Where it stands.
#[derive(Debug)]
enum Phase {
    /// The keepers are asked.
    Looking,
    /// Somebody holds it; the keepers are asked again at this time.
    Waiting(Duration),
    /// The keeper at this place is next.
    Taking(usize),
    /// It is held; the next heartbeat is at this time.
    Holding(Duration),
    /// It was held.
    Lost,
    /// The own records are replaced by some that say so.
    Leaving(State, After),
    /// There is nothing more to do.
    Done,
}

/// What comes after leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Somebody was faster: look who.
    Look,
    /// Too few keepers answered.
    NoMajority,
    /// It was wanted no longer.
    End,
}

/// One who wants the lock, has it or had it.
#[derive(Debug)]
pub struct Machine {
    me: LockRecord,
    terms: Terms,
    slots: Vec<Slot>,
    /// How many keepers there are, those included that were silent from the start.
    count: usize,
    phase: Phase,
    /// Until when a lock that somebody else holds is waited for.
    deadline: Duration,
    /// Who is waited for.
    waiting_for: Option<LockRecord>,
    commands: Vec<Command>,
}

impl Machine {
    /// `me` is the record to write, without token; `reachable` keepers of `count` can be asked. `now` is any clock that never
    /// goes back, the same in each call.
    pub fn new(me: LockRecord, terms: Terms, reachable: usize, count: usize, now: Duration) -> Self {
        Self {
            me,
            terms,
            slots: (0..reachable).map(|_| Slot::default()).collect(),
            count,
            phase: Phase::Done,
            deadline: now + terms.wait,
            waiting_for: None,
            commands: Vec::new(),
        }
    }

    /// Begins.
    pub fn start(&mut self, now: Duration) -> Vec<Command> {
        self.look(now);
        std::mem::take(&mut self.commands)
    }

    /// Takes note of what has happened, and says what to do.
    pub fn on(&mut self, now: Duration, event: Event) -> Vec<Command> {
        match event {
            Event::Tick => {}
            Event::Looked(keeper, sight) => self.looked(keeper, sight, now),
            Event::Wrote(keeper, wrote) => self.wrote(keeper, wrote, now),
            Event::Release => self.release(now),
        }
        self.go_on(now);
        std::mem::take(&mut self.commands)
    }

    /// When the next [`Event::Tick`] is due.
    pub fn wake_at(&self) -> Option<Duration> {
        match self.phase {
            Phase::Waiting(until) => Some(until),
            Phase::Holding(beat) => Some(self.held_until().map_or(beat, |end| end.min(beat))),
            _ => None,
        }
    }

    /// The token, while the lock is held for sure.
    pub fn token(&self, now: Duration) -> Option<u64> {
        let held = matches!(self.phase, Phase::Holding(_)) && self.held_until().is_some_and(|end| now < end);
        held.then_some(self.me.token)
    }

    fn majority(&self) -> usize {
        majority(self.count)
    }

    /// Until when others are sure to wait: more than half of the keepers had a heartbeat that recently.
    fn held_until(&self) -> Option<Duration> {
        let mut confirmed: Vec<Duration> = self.slots.iter().filter_map(|slot| slot.confirmed).collect();
        confirmed.sort_unstable();
        confirmed.iter().nth_back(self.majority() - 1).map(|at| *at + self.terms.hold())
    }

    fn ask(&mut self, keeper: usize, now: Duration, command: Command) {
        self.slots[keeper].asked(now);
        self.commands.push(command);
    }

    fn tell(&mut self, news: News) {
        self.commands.push(Command::Tell(news));
    }

    fn is_busy(&self) -> bool {
        self.slots.iter().any(Slot::is_busy)
    }

    fn look(&mut self, now: Duration) {
        self.phase = Phase::Looking;
        for keeper in 0..self.slots.len() {
            self.slots[keeper].sight = None;
            self.ask(keeper, now, Command::Look(keeper));
        }
        self.go_on(now);
    }

    fn looked(&mut self, keeper: usize, sight: Option<Box<Sight>>, now: Duration) {
        let slot = &mut self.slots[keeper];
        slot.answered();
        if let Some(sight) = &sight {
            slot.watch(sight.record.as_ref(), now);
        }
        let leaving = matches!(self.phase, Phase::Leaving(..));
        match (&self.phase, sight) {
            (Phase::Holding(_), Some(sight)) => self.renew(keeper, *sight, now),
            (_, Some(sight)) => {
                let slot = &mut self.slots[keeper];
                let mine = sight.record.as_ref().is_some_and(|record| record.is_same(&self.me));
                if let (true, true, Some(version)) = (leaving, mine, &sight.version) {
                    slot.mine = Mine::Yes(version.clone());
                } else if leaving {
                    slot.mine = Mine::No;
                }
                slot.sight = Some(*sight);
            }
            // It cannot be asked whether a write came to pass: then whoever comes next watches it stand still.
            (_, None) if leaving => self.slots[keeper].mine = Mine::No,
            (_, None) => {}
        }
    }

    fn wrote(&mut self, keeper: usize, wrote: Wrote, now: Duration) {
        let slot = &mut self.slots[keeper];
        let asked_at = slot.answered();
        let leaving = matches!(self.phase, Phase::Leaving(..));
        match wrote {
            Wrote::Done(version) => {
                slot.mine = Mine::Yes(version);
                slot.confirmed = Some(asked_at);
            }
            Wrote::Unknown => slot.mine = Mine::Unsure,
            Wrote::Moved(sight) => {
                slot.watch(sight.record.as_ref(), now);
                // An earlier write of which no answer came.
                let mine = sight.record.as_ref().is_some_and(|record| record.is_same(&self.me));
                match (&self.phase, sight.version.clone()) {
                    (Phase::Holding(_), _) => self.renew(keeper, *sight, now),
                    (Phase::Taking(_), Some(version)) if mine => {
                        slot.mine = Mine::Yes(version);
                        slot.confirmed = Some(asked_at);
                    }
                    (Phase::Taking(_), _) => {
                        slot.mine = Mine::No;
                        slot.sight = Some(*sight);
                        self.phase = Phase::Leaving(State::Withdrawn, After::Look);
                    }
                    (_, Some(version)) if mine => slot.mine = Mine::Yes(version),
                    _ => slot.mine = Mine::No,
                }
            }
        }
        // Leaving is tried once a keeper: what is there after it belongs to others, or expires.
        if leaving && self.slots[keeper].said_goodbye {
            self.slots[keeper].mine = Mine::No;
        }
    }

    fn release(&mut self, now: Duration) {
        self.phase = match self.phase {
            Phase::Done => return,
            Phase::Holding(_) | Phase::Lost => Phase::Leaving(State::Released, After::End),
            Phase::Leaving(state, _) => Phase::Leaving(state, After::End),
            Phase::Looking | Phase::Waiting(_) | Phase::Taking(_) => Phase::Leaving(State::Withdrawn, After::End),
        };
        self.go_on(now);
    }

    /// Does what is due in the present phase.
    fn go_on(&mut self, now: Duration) {
        match self.phase {
            Phase::Looking if !self.is_busy() => self.decide(now),
            Phase::Waiting(until) if now >= until => self.look(now),
            Phase::Taking(next) if !self.is_busy() => self.take(next, now),
            Phase::Holding(beat) => self.hold(beat, now),
            Phase::Leaving(state, after) => self.leave(state, after, now),
            _ => {}
        }
    }

    /// All have answered, or did not: is the lock free?
    fn decide(&mut self, now: Duration) {
        let sights: Vec<&Sight> = self.slots.iter().filter_map(|slot| slot.sight.as_ref()).collect();
        if sights.len() < self.majority() {
            self.phase = Phase::Done;
            return self.tell(News::Refused(Refusal::NoMajority));
        }
        let records: Vec<&LockRecord> = sights.iter().filter_map(|sight| sight.record.as_ref()).collect();
        // What is left of an earlier try.
        let others: Vec<&LockRecord> =
            records.iter().copied().filter(|record| record.holder != self.me.holder).collect();
        let by = holder(&others).cloned();
        let alive = |slot: &Slot| {
            let record = slot.sight.as_ref().and_then(|sight| sight.record.as_ref());
            record.is_some_and(|record| live(&others).any(|live| live == record)) && !slot.is_expired()
        };
        let highest = records.iter().map(|record| record.token).chain(sights.iter().map(|sight| sight.fence)).max();
        let is_free = self.terms.force || !self.slots.iter().any(alive);
        match by {
            Some(by) if !is_free => self.wait_for(by, now),
            _ => {
                self.me.token = highest.unwrap_or_default().max(self.terms.above) + 1;
                self.me.beat = 0;
                for slot in &mut self.slots {
                    (slot.mine, slot.confirmed, slot.said_goodbye) = (Mine::No, None, false);
                }
                self.phase = Phase::Taking(0);
                self.take(0, now);
            }
        }
    }

    fn wait_for(&mut self, by: LockRecord, now: Duration) {
        let before = self.waiting_for.replace(by.clone());
        let beats = before.as_ref().is_some_and(|before| before.is_same(&by) && before.beat != by.beat);
        if now >= self.deadline || (self.terms.only_expired && beats) {
            self.phase = Phase::Done;
            return self.tell(News::Refused(Refusal::Held(Box::new(by))));
        }
        if !before.is_some_and(|before| before.is_same(&by)) {
            self.tell(News::Waiting(by));
        }
        self.phase = Phase::Waiting((now + Terms::POLL).min(self.deadline));
    }

    /// Writes the own record on the next keeper, or finds that it stands on enough of them.
    fn take(&mut self, next: usize, now: Duration) {
        if self.held_until().is_some_and(|end| now < end) {
            self.phase = Phase::Holding(now);
            self.tell(News::Taken { token: self.me.token, holder: self.me.holder.clone() });
            return self.hold(now, now);
        }
        let Some(keeper) = (next..self.slots.len()).find(|keeper| self.slots[*keeper].sight.is_some()) else {
            self.phase = Phase::Leaving(State::Withdrawn, After::NoMajority);
            return self.leave(State::Withdrawn, After::NoMajority, now);
        };
        self.phase = Phase::Taking(keeper + 1);
        let seen = self.slots[keeper].sight.as_ref().and_then(|sight| sight.version.clone());
        self.ask(keeper, now, Command::Write(keeper, self.me.clone(), seen));
    }

    /// Keeps the lock: counts the heartbeat up, and looks again at keepers that are not its own.
    fn hold(&mut self, beat: Duration, now: Duration) {
        if self.held_until().is_none_or(|end| now >= end) {
            let by = self.slots.iter().filter_map(|slot| slot.foreign.clone()).max_by_key(|record| record.token);
            self.phase = Phase::Lost;
            return self.tell(News::Lost(by.map_or(Loss::Silence, |by| Loss::Taken(Box::new(by)))));
        }
        if now < beat {
            return;
        }
        self.me.beat += 1;
        self.phase = Phase::Holding(now + self.terms.beat());
        for keeper in 0..self.slots.len() {
            let slot = &self.slots[keeper];
            if slot.is_busy() || slot.foreign.is_some() {
                continue;
            }
            let command = match &slot.mine {
                Mine::Yes(version) => Command::Write(keeper, self.me.clone(), Some(version.clone())),
                Mine::No | Mine::Unsure => Command::Look(keeper),
            };
            self.ask(keeper, now, command);
        }
    }

    /// A holder has found something on a keeper that it did not write last: an own record, an older one, or a follower's.
    fn renew(&mut self, keeper: usize, sight: Sight, now: Duration) {
        let slot = &mut self.slots[keeper];
        match sight.record {
            // Never over a number that is not lower: the next holder's must be higher than all before.
            Some(record) if record.token >= self.me.token && !record.is_same(&self.me) => {
                slot.mine = Mine::No;
                slot.confirmed = None;
                slot.foreign = Some(record);
            }
            _ => self.ask(keeper, now, Command::Write(keeper, self.me.clone(), sight.version)),
        }
    }

    /// Replaces the own records by some that say that it is over.
    fn leave(&mut self, state: State, after: After, now: Duration) {
        let goodbye = LockRecord { state, ..self.me.clone() };
        for keeper in 0..self.slots.len() {
            let slot = &mut self.slots[keeper];
            if slot.is_busy() {
                continue;
            }
            match slot.mine.clone() {
                Mine::Yes(version) => {
                    slot.said_goodbye = true;
                    self.ask(keeper, now, Command::Write(keeper, goodbye.clone(), Some(version)));
                }
                Mine::Unsure => self.ask(keeper, now, Command::Look(keeper)),
                Mine::No => {}
            }
        }
        if self.is_busy() {
            return;
        }
        match after {
            After::Look => self.look(now),
            After::NoMajority => {
                self.phase = Phase::Done;
                self.tell(News::Refused(Refusal::NoMajority));
            }
            After::End => {
                self.phase = Phase::Done;
                self.tell(News::Left);
            }
        }
    }
}
