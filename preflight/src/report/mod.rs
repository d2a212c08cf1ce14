//! What preflight found, for each of its readers: people at a terminal, archives, CI systems, monitoring.
//!
//! Every renderer is a function from a [`Report`] to text. None of them reads a clock, a file or the environment's variables.

pub mod explain;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod page;
pub mod prometheus;
pub mod reference;
pub mod sarif;
pub mod table;

mod entry;
mod group;
mod look;
mod mark;
mod markup;
mod plain;
mod sentences;
mod summary;

pub use look::Look;
pub use markup::escape;
pub use plain::one_line;

use cc_plan::spec::environment::Size;
use jiff::Timestamp;

use crate::about::{About, Phase};
use crate::finding::Finding;
use crate::policy::Policy;

/// What one preflight found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The environment; none for machines that were checked without one.
    pub environment: Option<String>,
    /// The size that was measured against.
    pub size: Size,
    /// What is about to begin.
    pub phase: Phase,
    /// When the first host was asked.
    pub started: Timestamp,
    /// When the last had answered.
    pub finished: Timestamp,
    /// The hosts, in the order in which a person lists them.
    pub hosts: Vec<String>,
    /// Every finding.
    pub findings: Vec<Finding>,
    /// What the environment changes of what checks come with.
    pub policy: Policy,
    /// What there is to say of the checks that findings are of: [`crate::abouts`].
    pub checks: Vec<&'static About>,
    /// The version of cc-cloud.
    pub version: String,
}

impl Report {
    /// What was checked, for a person: the environment's name.
    pub fn name(&self) -> &str {
        self.environment.as_deref().unwrap_or("machines without an environment")
    }

    /// What the environment's policy changes, a line each.
    pub fn deviations(&self) -> Vec<String> {
        self.policy.changes(&self.checks, self.size)
    }
}

/// A size as it is written.
fn size_name(size: Size) -> &'static str {
    match size {
        Size::Demo => "demo",
        Size::Single => "single",
        Size::Micro => "micro",
        Size::Small => "small",
        Size::Large => "large",
    }
}
