//! Drift as it is shown: every step that is not as it should be, with who moved.

use cc_agent::change::Change;
use cc_agent::protocol::{StepError, Trace};
use jiff::Timestamp;
use serde::Serialize;

/// The drift of an environment.
#[derive(Clone, Debug, Serialize)]
pub struct DriftView {
    /// The environment.
    pub environment: String,
    /// Hosts in inventory order.
    pub hosts: Vec<HostDrift>,
}

/// The drift of one host.
#[derive(Clone, Debug, Serialize)]
pub struct HostDrift {
    /// The host.
    pub host: String,
    /// Why it could not be observed, with its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How many steps are as they should be.
    pub in_step: usize,
    /// What is not, the worst first.
    pub drifted: Vec<Drifted>,
}

/// A step, a handler or an orphan that is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drifted {
    /// `service/type:identity`.
    pub step: String,
    /// Who moved.
    pub cause: Cause,
    /// What a deploy would change.
    pub change: Change,
    /// Set when the host could not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// The run that applied it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// When that run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Timestamp>,
    /// Who was the last to touch it, where the host has that written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// Who moved, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The host could not say.
    Unobserved,
    /// Both spec and host.
    Both,
    /// The host.
    Host,
    /// The spec; of the host it cannot be told.
    SpecAtLeast,
    /// A run that was cut off began it.
    Unfinished,
    /// A run that was cut off left a handler to the next.
    Pending,
    /// It was never applied.
    Never,
    /// The spec.
    Spec,
    /// It was applied once, and the spec has it no longer.
    Orphan,
}

impl Cause {
    /// All of them, the worst first.
    pub const ALL: [Self; 9] = [
        Self::Unobserved,
        Self::Both,
        Self::Host,
        Self::SpecAtLeast,
        Self::Unfinished,
        Self::Pending,
        Self::Never,
        Self::Spec,
        Self::Orphan,
    ];

    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Unobserved => "it cannot be observed",
            Self::Both => "the spec and the host changed since the last deploy",
            Self::Host => "the host changed since the last deploy",
            Self::SpecAtLeast => "the spec changed since the last deploy; of the host it cannot be told",
            Self::Unfinished => "the last deploy was cut off in it",
            Self::Pending => "a deploy that was cut off left it to the next",
            Self::Never => "it was never applied",
            Self::Spec => "the spec changed since the last deploy",
            Self::Orphan => "it is no longer in the environment; `deploy --prune` removes it where its type can",
        }
    }

    /// In a count: `2 changed on the host`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unobserved => "cannot be observed",
            Self::Both => "changed in the spec and on the host",
            Self::Host => "changed on the host",
            Self::SpecAtLeast => "changed in the spec and perhaps on the host",
            Self::Unfinished => "cut off",
            Self::Pending => "pending",
            Self::Never => "never applied",
            Self::Spec => "changed in the spec",
            Self::Orphan => "orphans",
        }
    }
}

impl DriftView {
    /// How much has this cause.
    pub fn count(&self, cause: Cause) -> usize {
        self.drifted().filter(|one| one.cause == cause).count()
    }

    /// Hosts that could not be observed.
    pub fn unreachable(&self) -> usize {
        self.hosts.iter().filter(|host| host.unreachable.is_some()).count()
    }

    /// Whether anything is not as it should be.
    pub fn is_any(&self) -> bool {
        self.drifted().next().is_some()
    }

    fn drifted(&self) -> impl Iterator<Item = &Drifted> {
        self.hosts.iter().flat_map(|host| &host.drifted)
    }
}

impl Drifted {
    /// `service/type identity`.
    pub fn name(&self) -> String {
        self.step.replacen(':', " ", 1)
    }

    /// Which run applied it last, and who touched it last; empty where neither is known.
    pub fn past(&self) -> String {
        let time = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let at = self.applied_at.as_ref().map(|at| format!("{} by ", time(at))).unwrap_or_default();
        let applied = self.run.as_ref().map(|run| format!("applied {at}run {run}"));
        let touched = self.trace.as_ref().map(|trace| match trace {
            Trace::File { modified, owner } => {
                let at = Timestamp::from_second(*modified);
                format!("modified {}, owner {owner}", at.map_or_else(|_| modified.to_string(), |at| time(&at)))
            }
            Trace::Package { date, command, by } => {
                let command = command.as_deref().unwrap_or("apt");
                let by = by.as_ref().map(|by| format!(", asked for by {by}")).unwrap_or_default();
                format!("`{command}` at {date} of the host's time{by}")
            }
        });
        applied.into_iter().chain(touched).collect::<Vec<_>>().join("; ")
    }
}
