//! A local group.

use serde::{Deserialize, Serialize};

use super::plain::plain;
use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::{AccountGroup, Host};
use crate::step_error::StepError;

/// A local group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Group name.
    pub name: String,
    /// Number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// A system group (number below 1000).
    #[serde(default)]
    pub system: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

impl ResourceType for Group {
    type State = Option<AccountGroup>;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        plain("group", &self.name)?;
        Ok(host.accounts()?.group(&self.name).cloned())
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        let mut differ = Differ::default();
        match (state, self.state) {
            (None, Presence::Absent) => Ok(Change::none()),
            (Some(_), Presence::Absent) => Ok(Change::of(ChangeKind::Delete)),
            (None, Presence::Present) => {
                differ.field("gid", None::<u32>, self.gid);
                Ok(differ.create())
            }
            (Some(group), Presence::Present) => {
                differ.field("gid", Some(group.gid), self.gid);
                Ok(differ.update())
            }
        }
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if self.state == Presence::Absent {
            let removed = host.command(["groupdel", "--", &self.name]).run();
            return removed.map(drop).map_err(|error| {
                error.hint(
                    "a group that is some user's primary group cannot be removed: remove or change that user first",
                )
            });
        }
        let mut argv = vec![if state.is_none() { "groupadd" } else { "groupmod" }.to_owned()];
        if let Some(gid) = self.gid {
            argv.extend(["--gid".to_owned(), gid.to_string()]);
        }
        if state.is_none() && self.system {
            argv.push("--system".to_owned());
        }
        host.command(argv).args(["--", &self.name]).run().map(drop)
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, ..self.clone() })
    }
}
