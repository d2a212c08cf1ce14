//! The controller: connects to hosts, runs plans, reports. `main.rs` is the command on top of it.

pub mod rehearsal;
pub mod secrets;
pub mod ssh;
