//! The secrets of an environment: `secrets/<env>.yml`, sealed for its recipients, opened with an age key.
//!
//! [`Store`] is the file as everybody sees it: names and recipients. [`Store::unlock`] gives [`Unlocked`], which knows the
//! values. Every change is made in memory and written as a whole by [`Unlocked::save`].

mod audit;
mod data_key;
mod document;
mod editor;
pub mod entry;
mod error;
mod identities;
mod name;
mod plan_key;
mod problem;
mod recipient;
mod rekey;
mod replace;
mod scratch;
mod sealed;
mod sheet;
mod store;
mod terminal;
#[cfg(test)]
mod tests;
mod unlocked;

pub use audit::{Audit, AuditedSecret};
pub use editor::{Edited, Editor};
pub use error::Error;
pub use identities::{Identities, KeyPlace};
pub use name::{InvalidName, Name};
pub use plan_key::PlanKey;
pub use problem::{Problem, Severity};
pub use recipient::{InvalidRecipient, Recipient, RecipientKey};
pub use rekey::{Rekey, Rekeyed};
pub use store::Store;
pub use terminal::Terminal;
pub use unlocked::Unlocked;
