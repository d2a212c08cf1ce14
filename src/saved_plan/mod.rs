//! Plans that were written to a file, to be looked at, agreed on and applied later, exactly as they are.
//!
//! [`SavedPlan`] is what was planned and what that rests on. [`SealedFile`] is how it stands on the disk. What moved since one was
//! made is the difference between it and the plan of now: [`SavedPlan::moved`].

mod basis;
mod error;
mod origin;
mod plan;
mod sealed_file;

pub use basis::Basis;
pub use error::{SavedPlanError, Trouble};
pub use origin::Origin;
pub use plan::SavedPlan;
pub use sealed_file::SealedFile;
