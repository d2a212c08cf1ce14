//! Who moved: what is written, what was applied last, and what the hosts are like, side by side.

mod compare;

pub use compare::compare;
