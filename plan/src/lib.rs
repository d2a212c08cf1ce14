//! From the files that people write to a plan. Pure: no network, no clock, no I/O beyond reading the files it is given.
//!
//! [`spec::load`] reads and checks every file of an environment and reports all errors at once; [`compile::compile`] is a
//! function of the spec and the facts of its hosts. Nothing flows back up: after `load`, no file is read again.

pub mod compile;
mod counted;
pub mod diagnostic;
pub mod graph;
pub mod node;
pub mod plan;
pub mod quantity;
pub mod repository;
pub mod schema;
pub mod source;
pub mod spec;
pub mod suggest;
pub mod template;
pub mod yaml;

pub use counted::counted;
