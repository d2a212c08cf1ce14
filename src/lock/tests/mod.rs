//! The lock as a whole: many who want it, keepers that fail, a network that does what networks do.

mod faults;
mod races;
mod random;
mod simulation;
mod world;
