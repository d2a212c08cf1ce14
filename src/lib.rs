//! The controller: connects to hosts, runs plans, reports. `main.rs` is the command on top of it.

pub mod cli;
pub mod drift;
pub mod error;
pub mod history;
pub mod hooks;
pub mod keeper;
pub mod lock;
pub mod operator;
pub mod preflight;
pub mod rehearsal;
pub mod report;
pub mod run;
pub mod saved_plan;
pub mod secrets;
pub mod shipped;
pub mod ssh;
pub mod state_folder;
