//! The half of cc-cloud that knows hosts: what a resource is, how to observe, diff and apply it, and how a host remembers
//! what was done to it.
//!
//! It is used twice: as the static `cc-agent` binary that a controller pushes to a host, and as a library whose vocabulary
//! ([`resource`], [`step`], [`change`], [`protocol`]) the planner and the controller share. It knows nothing of environments,
//! roles or templates, and nothing in here speaks to a network other than the host's own.

pub mod change;
pub mod check;
pub mod engine;
mod event_log;
pub mod facts;
pub mod fence;
mod frame;
pub mod health;
pub mod hex;
pub mod host;
pub mod journal;
pub mod kept;
mod last_run;
pub mod ledger;
mod ordered;
pub mod probe;
pub mod protocol;
pub mod resource;
pub mod secret;
mod side_by_side;
pub mod step;
mod step_error;
mod trace;
