//! Operators, keepers and hosts on a network that loses, delays and repeats messages; operators are killed and sleep, keepers
//! go down. Time is a number.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cc_agent::fence::Fence;
use cc_agent::kept::Version;

use super::super::message::{Command, Event, News, Sight, Wrote};
use super::super::record::tests::record;
use super::super::record::{LockRecord, State};
use super::super::{Machine, Terms};
use super::faults::Faults;
use super::random::Random;

/// Milliseconds.
pub type Time = u64;

const SECOND: Time = 1000;
/// How long an operator waits for an answer.
const PATIENCE: Time = 10 * SECOND;

#[derive(Clone, Debug)]
enum Ask {
    Look,
    Write(Box<LockRecord>, Option<Version>),
}

#[derive(Clone, Debug)]
enum Happening {
    /// An operator wants the lock.
    Start { operator: usize, wait: Time },
    /// A question has reached a keeper.
    Question { from: (usize, u64), request: u64, keeper: usize, ask: Ask },
    /// An answer has reached an operator.
    Answer { to: (usize, u64), request: u64, event: Event },
    /// No answer has come.
    Silence { to: (usize, u64), request: u64 },
    /// A time that a machine has asked for.
    Tick { to: (usize, u64) },
    /// An operator changes something on a host, if it still has the lock.
    Change { by: (usize, u64) },
    /// A change, or the announcement of a holder, has reached a host.
    AtHost { host: usize, fence: Fence },
    /// An operator is done.
    Release { by: (usize, u64) },
    /// An operator wakes up.
    WakeUp { operator: usize },
    /// A keeper goes down, or comes up again.
    Power { keeper: usize, up: bool },
}

#[derive(Default)]
struct Operator {
    machine: Option<Machine>,
    holder: String,
    /// Counts what it has done before: answers to an earlier try are nobody's.
    life: u64,
    pending: BTreeMap<u64, (usize, bool)>,
    asleep: bool,
    /// What came while it slept.
    inbox: Vec<Happening>,
    is_dead: bool,
    /// Thousandths of a second of its clock in a second.
    rate: u64,
    /// The time that its clock has stood still.
    stopped: Time,
    slept_at: Time,
}

#[derive(Default)]
struct Keeper {
    record: Option<(LockRecord, u64)>,
    versions: u64,
    is_down: bool,
}

#[derive(Default)]
struct Host {
    highest: Option<Fence>,
    /// Holders whose changes were accepted before another's.
    followed: BTreeSet<String>,
}

pub struct World {
    pub now: Time,
    pub faults: Faults,
    random: Random,
    queue: BTreeMap<(Time, u64), Happening>,
    numbers: u64,
    operators: Vec<Operator>,
    keepers: Vec<Keeper>,
    hosts: Vec<Host>,
    /// Who took the lock, by token.
    pub taken: BTreeMap<u64, String>,
    /// Tries that found it held.
    pub refused: usize,
    /// Changes that hosts took and refused.
    pub changes: (usize, usize),
    /// Whether those who are done want it again.
    pub again: bool,
    /// How long the lock is held at least.
    pub shortest: Time,
}

impl World {
    pub fn new(seed: u64, operators: usize, keepers: usize, faults: Faults) -> Self {
        let mut random = Random::new(seed);
        let operator = |_| Operator {
            rate: if faults.bad_clocks { random.between(900, 1100) } else { 1000 },
            ..Operator::default()
        };
        let operators = (0..operators).map(operator).collect();
        Self {
            now: 0,
            faults,
            operators,
            keepers: (0..keepers).map(|_| Keeper::default()).collect(),
            hosts: (0..keepers + 1).map(|_| Host::default()).collect(),
            random,
            queue: BTreeMap::new(),
            numbers: 0,
            taken: BTreeMap::new(),
            refused: 0,
            changes: (0, 0),
            again: true,
            shortest: 1,
        }
    }

    /// An operator begins to want the lock at this time, and waits for it that long.
    pub fn start(&mut self, operator: usize, at: Time, wait: Time) {
        self.happen(at, Happening::Start { operator, wait });
    }

    /// A keeper is down for some time.
    pub fn outage(&mut self, keeper: usize, from: Time, until: Time) {
        self.happen(from, Happening::Power { keeper, up: false });
        self.happen(until, Happening::Power { keeper, up: true });
    }

    /// Lets everything happen that happens before this time.
    pub fn run_until(&mut self, end: Time) {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            self.take_place(happening);
        }
        self.now = end;
    }

    /// From now on nothing goes wrong any more.
    pub fn heal(&mut self) {
        // What was begun before goes on.
        self.faults = Faults { bad_clocks: self.faults.bad_clocks, forced: self.faults.forced, ..Faults::NONE };
        self.again = false;
        self.keepers.iter_mut().for_each(|keeper| keeper.is_down = false);
    }

    fn happen(&mut self, at: Time, happening: Happening) {
        self.numbers += 1;
        self.queue.insert((at, self.numbers), happening);
    }

    /// Sends something over the network.
    fn send(&mut self, happening: &Happening) {
        let copies = if self.random.chance(self.faults.twice) { 2 } else { 1 };
        for _ in 0..copies {
            if self.random.chance(self.faults.lost) {
                continue;
            }
            let slowest = if self.random.chance(self.faults.late) { 60 * SECOND } else { SECOND / 5 };
            let at = self.now + self.random.between(1, slowest);
            self.happen(at, happening.clone());
        }
    }

    fn take_place(&mut self, happening: Happening) {
        let whose = match &happening {
            Happening::Answer { to, .. } | Happening::Silence { to, .. } | Happening::Tick { to } => Some(*to),
            Happening::Change { by } | Happening::Release { by } => Some(*by),
            _ => None,
        };
        if let Some((operator, life)) = whose {
            let operator = &mut self.operators[operator];
            if operator.is_dead || operator.life != life {
                return;
            }
            if operator.asleep {
                operator.inbox.push(happening);
                return;
            }
        }
        match happening {
            Happening::Start { operator, wait } => self.want(operator, wait),
            Happening::Question { from, request, keeper, ask } => self.answer(from, request, keeper, ask),
            Happening::Answer { to: (operator, _), request, event } => {
                if self.operators[operator].pending.remove(&request).is_some() {
                    self.tell(operator, event);
                }
            }
            Happening::Silence { to: (operator, _), request } => {
                if let Some((keeper, is_write)) = self.operators[operator].pending.remove(&request) {
                    let silence =
                        if is_write { Event::Wrote(keeper, Wrote::Unknown) } else { Event::Looked(keeper, None) };
                    self.tell(operator, silence);
                }
            }
            Happening::Tick { to: (operator, _) } => self.tell(operator, Event::Tick),
            Happening::Release { by: (operator, _) } => self.tell(operator, Event::Release),
            Happening::Change { by } => self.change(by),
            Happening::AtHost { host, fence } => self.at_host(host, fence),
            Happening::WakeUp { operator } => self.wake_up(operator),
            Happening::Power { keeper, up } => self.keepers[keeper].is_down = !up,
        }
    }

    /// An operator's own clock.
    fn clock(&self, operator: usize) -> Duration {
        let operator = &self.operators[operator];
        let sleeping = if operator.asleep && self.faults.bad_clocks { self.now - operator.slept_at } else { 0 };
        Duration::from_micros((self.now - operator.stopped - sleeping) * operator.rate)
    }

    fn want(&mut self, operator: usize, wait: Time) {
        let now = self.clock(operator);
        let force = self.again && self.random.chance(self.faults.forced);
        let count = self.keepers.len();
        let state = &mut self.operators[operator];
        if state.is_dead {
            return;
        }
        state.life += 1;
        state.holder = format!("{operator}.{}", state.life);
        state.pending.clear();
        let me = record(0, &state.holder, State::Held);
        let terms = Terms { wait: Duration::from_millis(wait), force, ..Terms::default() };
        let mut machine = Machine::new(me, terms, count, count, now);
        let commands = machine.start(now);
        state.machine = Some(machine);
        self.carry_out(operator, commands);
    }

    fn tell(&mut self, operator: usize, event: Event) {
        let now = self.clock(operator);
        let Some(machine) = self.operators[operator].machine.as_mut() else { return };
        let commands = machine.on(now, event);
        self.carry_out(operator, commands);
    }

    fn carry_out(&mut self, operator: usize, commands: Vec<Command>) {
        for command in commands {
            let (keeper, ask) = match command {
                Command::Look(keeper) => (keeper, Ask::Look),
                Command::Write(keeper, record, seen) => (keeper, Ask::Write(Box::new(record), seen)),
                Command::Tell(news) => {
                    self.hear(operator, news);
                    continue;
                }
            };
            self.numbers += 1;
            let (request, life) = (self.numbers, self.operators[operator].life);
            self.operators[operator].pending.insert(request, (keeper, matches!(ask, Ask::Write(..))));
            self.send(&Happening::Question { from: (operator, life), request, keeper, ask });
            self.happen(self.now + PATIENCE, Happening::Silence { to: (operator, life), request });
        }
        let (clock, state) = (self.clock(operator), &self.operators[operator]);
        if let Some(wake) = state.machine.as_ref().and_then(Machine::wake_at) {
            let ticks = u64::try_from(wake.saturating_sub(clock).as_micros()).unwrap_or(u64::MAX);
            let (at, to) = (self.now + ticks / state.rate + 1, (operator, state.life));
            self.happen(at, Happening::Tick { to });
        }
    }

    fn answer(&mut self, from: (usize, u64), request: u64, keeper: usize, ask: Ask) {
        if self.keepers[keeper].is_down {
            return;
        }
        let sight = self.sight(from.0, keeper);
        let event = match ask {
            Ask::Look => Event::Looked(keeper, Some(Box::new(sight))),
            Ask::Write(record, seen) if seen == sight.version => {
                let state = &mut self.keepers[keeper];
                state.versions += 1;
                state.record = Some((*record, state.versions));
                Event::Wrote(keeper, Wrote::Done(Version::new(state.versions.to_string())))
            }
            Ask::Write(..) => Event::Wrote(keeper, Wrote::Moved(Box::new(sight))),
        };
        self.send(&Happening::Answer { to: from, request, event });
    }

    fn sight(&self, asker: usize, keeper: usize) -> Sight {
        let fence = self.hosts[keeper].highest.as_ref().map_or(0, |fence| fence.token);
        let Some((record, version)) = &self.keepers[keeper].record else {
            return Sight { record: None, version: None, fence, gone: false };
        };
        // Operators with numbers that are both even, or both odd, share a machine and see that the other has ended.
        let holder: usize = record.holder.split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let gone = holder % 2 == asker % 2 && self.operators[holder].is_dead;
        Sight { record: Some(record.clone()), version: Some(Version::new(version.to_string())), fence, gone }
    }

    fn hear(&mut self, operator: usize, news: News) {
        let life = self.operators[operator].life;
        match news {
            News::Taken { token, holder } => self.took(operator, token, holder),
            News::Refused(_) | News::Left => {
                self.refused += usize::from(matches!(news, News::Refused(_)));
                self.operators[operator].machine = None;
                self.operators[operator].life += 1;
                if self.again {
                    let wait = if self.random.chance(500) { 0 } else { 60 * SECOND };
                    let at = self.now + self.random.between(1, 30 * SECOND);
                    self.start(operator, at, wait);
                }
            }
            News::Lost(_) => {
                let at = self.now + self.random.between(1, 5 * SECOND);
                self.happen(at, Happening::Release { by: (operator, life) });
            }
            News::Waiting(_) => {}
        }
    }

    fn took(&mut self, operator: usize, token: u64, holder: String) {
        let highest = self.taken.last_key_value().map_or(0, |(token, _)| *token);
        if !self.faults.bad_clocks && self.faults.forced == 0 {
            assert!(token > highest, "{holder} took token {token} after {highest}");
            for other in (0..self.operators.len()).filter(|other| *other != operator) {
                let machine = self.operators[other].machine.as_ref().filter(|_| !self.operators[other].is_dead);
                let holds = machine.and_then(|machine| machine.token(self.clock(other)));
                assert_eq!(holds, None, "{holder} took the lock while {} had it", self.operators[other].holder);
            }
        }
        let before = self.taken.insert(token, holder.clone());
        assert_eq!(before, None, "{holder} has a token twice: {token}");
        let life = self.operators[operator].life;
        let fence = Fence { token, owner: holder.clone(), run: holder.clone(), holder };
        for host in 0..self.hosts.len() {
            self.send(&Happening::AtHost { host, fence: fence.clone() });
        }
        let end = self.now + self.random.between(self.shortest, 90 * SECOND);
        for _ in 0..10 {
            let at = self.random.between(self.now, end + 60 * SECOND);
            self.happen(at, Happening::Change { by: (operator, life) });
        }
        self.happen(end, Happening::Release { by: (operator, life) });
        if self.random.chance(self.faults.killed) {
            self.operators[operator].is_dead = true;
        } else if self.random.chance(self.faults.asleep) {
            let until = self.now + self.random.between(1, 120 * SECOND);
            (self.operators[operator].asleep, self.operators[operator].slept_at) = (true, self.now);
            self.happen(until, Happening::WakeUp { operator });
        }
    }

    fn wake_up(&mut self, operator: usize) {
        let slept = self.now - self.operators[operator].slept_at;
        let state = &mut self.operators[operator];
        state.asleep = false;
        if self.faults.bad_clocks {
            state.stopped += slept;
        }
        // A change that it was about to make goes out before it looks at the time.
        for happening in std::mem::take(&mut state.inbox) {
            self.take_place(happening);
        }
        self.tell(operator, Event::Tick);
    }

    /// A holder changes something, without asking its machine whether it is one still.
    fn change(&mut self, (operator, _): (usize, u64)) {
        let state = &self.operators[operator];
        let Some((token, holder)) = self.taken.iter().find(|(_, holder)| **holder == state.holder) else { return };
        let fence = Fence { token: *token, owner: holder.clone(), run: holder.clone(), holder: holder.clone() };
        let host = usize::try_from(self.random.between(0, self.hosts.len() as u64)).unwrap_or_default();
        self.send(&Happening::AtHost { host, fence });
    }

    /// What an agent does.
    fn at_host(&mut self, host: usize, fence: Fence) {
        let host = &mut self.hosts[host];
        if host.highest.as_ref().is_some_and(|highest| !fence.passes(highest)) {
            self.changes.1 += 1;
            return;
        }
        self.changes.0 += 1;
        assert!(!host.followed.contains(&fence.holder), "{} came back after it was followed", fence.holder);
        if let Some(before) = host.highest.replace(fence).filter(|before| *before != *host.highest.as_ref().unwrap()) {
            host.followed.insert(before.holder);
        }
    }
}
