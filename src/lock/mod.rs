//! One lock for each environment, so that two people never change it at the same time, and a freeze, so that nobody does for a
//! while. Both are records of the environment's keepers ([`crate::keeper`]); why they are made like this stands in
//! docs/decisions/0010-keepers-and-locks.md.

mod claim;
mod desk;
mod driver;
mod error;
mod freeze;
mod held;
mod machine;
mod message;
mod process;
mod record;
mod slot;
mod terms;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use claim::Claim;
pub use error::LockError;
pub use freeze::Freeze;
pub use held::EnvironmentLock;
pub use machine::Machine;
pub use message::{Command, Event, Loss, News, Refusal, Sight, Wrote};
pub use record::{LockRecord, State, holder};
pub use terms::Terms;
