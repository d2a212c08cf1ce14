//! Thousands of small worlds. Each has a seed; a failure names it, and `CC_SEED=N` runs that world alone.

use super::super::Terms;
use super::faults::Faults;
use super::random::Random;
use super::world::World;

const SECOND: u64 = 1000;
const SEEDS: u64 = 2000;

/// Runs a world for each seed, and says which one a failure was in.
fn for_each_seed(check: impl Fn(u64) + std::panic::RefUnwindSafe) {
    let chosen = std::env::var("CC_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in chosen.map_or(0..SEEDS, |seed: u64| seed..seed + 1) {
        if let Err(panic) = std::panic::catch_unwind(|| check(seed)) {
            let text = panic.downcast_ref::<String>().map_or("see above", String::as_str);
            panic!("seed {seed} (run it alone with CC_SEED={seed}): {text}");
        }
    }
}

/// Ten minutes of trouble, then peace: somebody who waits gets the lock.
fn trouble(seed: u64, bad_clocks: bool) -> World {
    let mut random = Random::new(seed ^ 0xfeed);
    let faults = Faults {
        lost: random.between(0, 150),
        late: random.between(0, 100),
        twice: random.between(0, 200),
        killed: random.between(0, 300),
        asleep: random.between(0, 300),
        forced: if random.chance(200) { 300 } else { 0 },
        bad_clocks,
    };
    let keepers = if random.chance(250) { 1 } else { 3 };
    let operators = usize::try_from(random.between(2, 6)).unwrap();
    let mut world = World::new(seed, operators + 1, keepers, faults);
    for operator in 0..operators {
        world.start(operator, random.between(0, 5 * SECOND), random.between(0, 60 * SECOND));
    }
    for _ in 0..random.between(0, 6) {
        let keeper = usize::try_from(random.between(0, keepers as u64)).unwrap();
        let from = random.between(0, 600 * SECOND);
        world.outage(keeper, from, from + random.between(1, 120 * SECOND));
    }
    world.run_until(600 * SECOND);
    world.heal();
    // What was on its way has come, who held it is done or was watched for its lease.
    world.run_until(900 * SECOND);
    let last = world.taken.len();
    world.start(operators, world.now, 120 * SECOND);
    world.run_until(1100 * SECOND);
    assert_eq!(world.taken.len(), last + 1, "nobody gets the lock any more: {:?}", world.taken);
    world
}

#[test]
fn no_two_hold_the_lock_and_it_is_never_lost_for_good() {
    let (mut taken, mut changes) = (0, 0);
    for_each_seed(|seed| drop(trouble(seed, false)));
    // The worlds are no empty ones.
    for seed in 0..50 {
        let world = trouble(seed, false);
        (taken, changes) = (taken + world.taken.len(), changes + world.changes.0);
    }
    assert!(taken > 400 && changes > 2500, "{taken} {changes}");
}

/// With clocks that are wrong two may take themselves for the holder for some time. No host takes changes of both.
#[test]
fn with_wrong_clocks_hosts_still_refuse_who_was_followed() {
    for_each_seed(|seed| drop(trouble(seed, true)));
    let refused: usize = (0..50).map(|seed| trouble(seed, true).changes.1).sum();
    assert!(refused > 50, "late changes came and were refused: {refused}");
}

#[test]
fn of_those_who_come_at_the_same_time_one_gets_it() {
    for_each_seed(|seed| {
        let keepers = if seed % 3 == 0 { 1 } else { 3 };
        let operators = 2 + usize::try_from(seed % 4).unwrap();
        let mut world = World::new(seed, operators, keepers, Faults::NONE);
        (world.again, world.shortest) = (false, 30 * SECOND);
        for operator in 0..operators {
            world.start(operator, 0, 0);
        }
        world.run_until(10 * SECOND);
        assert_eq!((world.taken.len(), world.refused), (1, operators - 1), "{:?}", world.taken);
    });
}

#[test]
fn a_holder_gives_up_before_others_may_follow() {
    let terms = Terms::default();
    assert!(terms.hold() < terms.lease && terms.beat() * 2 < terms.hold());
}
