//! What was done to an environment: every run that changes hosts, in a chain of records that tells of any change of its own.
//!
//! The way of the data: [`Began`] and what an account of the run hears → [`Record`] → [`Sealed`] → [`Archive`] (the keepers, and
//! a copy on this machine) → [`PastRun`] → text, JSON, HTML; [`Chain`] compares what is kept with itself.

mod account;
mod archive;
mod archive_error;
mod author;
mod began;
mod canonical;
mod chain;
mod commit;
mod ended;
mod fault;
mod gate;
mod html;
mod intent;
mod mask;
mod open_run;
mod past_run;
mod record;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod sample;
mod sealed;
mod shelf;
pub mod text;

pub use account::Account;
pub use archive::{Appended, Archive};
pub use archive_error::ArchiveError;
pub use author::Author;
pub use began::Began;
pub use chain::{Chain, Copy};
pub use commit::Commit;
pub use ended::{Blocked, Ended, HostResult, StepResult};
pub use fault::Fault;
pub use gate::{Gate, GateFinding};
pub use html::html;
pub use intent::{HostCount, Intent, StepIntent};
pub use mask::Mask;
pub use open_run::OpenRun;
pub use past_run::PastRun;
pub use record::{Entry, Record};
pub use sealed::{Broken, Sealed};
