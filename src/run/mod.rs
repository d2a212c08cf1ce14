//! From a plan to changed hosts: connect, observe, apply stage by stage, wait for health.

mod apply;
mod attach;
mod fleet;
mod gate;
mod intent;
mod interrupt;
mod keepers;
pub mod losses;
mod member;
mod observe;
mod pursuit;
mod run_id;
pub mod schedule;
mod selection;
mod smoke;
mod tally;
mod vaults;

pub use apply::{Options, Outcomes, apply};
pub use attach::{Attached, attach};
pub use fleet::{Contact, Fleet, Lost};
pub use intent::Intent;
pub use interrupt::Interrupt;
pub use keepers::keeper_hosts;
pub use member::Member;
pub use observe::{Asked, Observation, observe};
pub use run_id::{begun_at, run_id};
pub use selection::Selection;
pub use smoke::{Smoke, smoke};
pub use vaults::Vaults;
