//! What there is to say of a check before it has measured anything: `explain`, the reference and the reports come from it.

use serde::{Deserialize, Serialize};

use crate::threshold::Threshold;

/// What there is to say of a check.
#[derive(Debug)]
pub struct About {
    /// Its id: `os.livepatch`.
    pub id: &'static str,
    /// A few words: "Livepatch covers the running kernel".
    pub title: &'static str,
    /// What it measures and how: one or two sentences that name the command or file.
    pub measures: &'static str,
    /// What goes wrong where it is not met.
    pub why: &'static str,
    /// What it measures against.
    pub thresholds: &'static [&'static Threshold],
    /// How to mend it; shown with every warning and failure that has no more precise words.
    pub fix: &'static str,
    /// Which document asks for it, in short: `transition guide 3.1`, `installation guide, step 2`; or why it is proposed here.
    pub source: &'static str,
    /// From where it measures.
    pub vantage: Vantage,
    /// To which sizes and roles it applies, and what `demo` asks: for people.
    pub applies: &'static str,
    /// What must not begin while it fails. Where it does not block, a failure is shown as a warning.
    pub blocks: &'static [Phase],
    /// How long a result holds.
    pub keeps: Keeps,
    /// Whether it samples or loads hosts for seconds, so that it runs only with `--deep`; then what it will do.
    pub deep: Option<&'static str>,
    /// How far it was proved.
    pub proof: Proof,
}

/// From where a check measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vantage {
    /// The agent on each host.
    Host,
    /// From one host to another that it uses.
    Pair,
    /// The operator's machine, as far outside of the site as it is; or hosts, towards what others run.
    Outside,
    /// The files of the environment; no host is asked.
    Spec,
}

/// What a failure can block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The first change on new hosts.
    Install,
    /// Opening the site to its users.
    GoLive,
    /// Moving data from another site.
    Migration,
    /// A change on a live site: only what makes this change unsafe.
    Change,
}

impl Phase {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::GoLive => "go-live",
            Self::Migration => "migration",
            Self::Change => "change",
        }
    }
}

/// How long a result holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// For this run: it may be another one the next minute.
    Run,
    /// 24 hours: network, certificates, updates.
    Day,
    /// 90 days: hardware.
    Quarter,
}

impl Keeps {
    /// In seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Run => 0,
            Self::Day => 24 * 3600,
            Self::Quarter => 90 * 24 * 3600,
        }
    }
}

/// How far a check was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A real host with the fault is found out, and one without it passes.
    RealHost,
    /// The parser, on outputs that were captured, quoted or constructed; no host with the real thing was at hand.
    Parser,
    /// A function of the environment's files.
    Spec,
}
