//! Whether hosts can carry an environment.
//!
//! A [`Check`] asks questions and judges the answers. Pure: the questions are [probes](cc_agent::probe::Probe) that agents answer on
//! the hosts and [`Outside`] probes that the operator's machine answers; who asks them is not known here. What was answered stays
//! with the [`Finding`] as evidence.
//!
//! The way of the data: [`Scene`] (what is known beforehand) → [`questions`] → [`Answers`] → [`findings`] → report.

mod about;
mod answers;
mod assess;
mod attestation;
mod catalogue;
mod check;
mod entry_list;
mod evidence;
mod fault;
mod finding;
mod judgement;
mod mask;
mod outside;
mod place;
mod policy;
mod question;
mod scene;
mod subject;
mod threshold;
pub mod tool;
#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic)]
mod trial;
mod waiver;

pub mod checks;
pub mod report;

pub use about::{About, Keeps, Phase, Proof, Vantage};
pub use answers::{Answered, Answers, Clock, HostAnswers};
pub use assess::{Known, Selection, findings, loads, questions};
pub use attestation::{Attestation, Attestations};
pub use catalogue::{CATALOGUE, abouts, find};
pub use check::Check;
pub use entry_list::AddError;
pub use evidence::Evidence;
pub use finding::{Finding, Verdict};
pub use judgement::{Judged, Judgement, Unmeasured};
pub use outside::Outside;
pub use place::Place;
pub use policy::Policy;
pub use question::{Ask, Question, command, file, folder};
pub use scene::{Cause, HostScene, Reach, Scene};
pub use subject::Subject;
pub use threshold::{Basis, Threshold, Unit, Values};
pub use waiver::{Waiver, Waivers};
