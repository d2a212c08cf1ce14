//! What may go wrong in a small world.

/// What may go wrong.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Messages of a thousand that are lost.
    pub lost: u64,
    /// Messages of a thousand that come up to a minute late.
    pub late: u64,
    /// Messages of a thousand that come twice.
    pub twice: u64,
    /// Operators of a thousand that are killed while they hold the lock.
    pub killed: u64,
    /// Operators of a thousand that sleep while they hold the lock.
    pub asleep: u64,
    /// Operators of a thousand that take the lock by force.
    pub forced: u64,
    /// Whether clocks run up to a tenth too fast or too slow, and stop while an operator sleeps.
    pub bad_clocks: bool,
}

impl Faults {
    pub const NONE: Self = Self { lost: 0, late: 0, twice: 0, killed: 0, asleep: 0, forced: 0, bad_clocks: false };
}
