//! A symbolic link.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::{Host, beside, sync_folder};
use crate::step_error::StepError;

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    /// Absolute path of the link.
    pub path: String,
    /// What it points to, as written.
    #[serde(default)]
    pub target: String,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What is at the path of a [`Symlink`].
pub struct SymlinkState {
    kind: Option<&'static str>,
    target: Option<String>,
}

impl ResourceType for Symlink {
    type State = SymlinkState;

    fn observe(&self, host: &Host) -> Result<SymlinkState, StepError> {
        let path = Path::new(&self.path);
        let kind = host.stat(path)?.map(|meta| meta.kind);
        let target = match kind {
            Some("symlink") => Some(fs::read_link(path).map_err(|error| StepError::io("read", path, &error))?),
            _ => None,
        };
        Ok(SymlinkState { kind, target: target.map(|target| target.to_string_lossy().into_owned()) })
    }

    fn diff(&self, state: &SymlinkState, _: &Host) -> Result<Change, StepError> {
        if state.kind == Some("directory") {
            let text = format!("{} is a directory, not a symbolic link", self.path);
            return Err(StepError::new(text).hint("remove it with a `directory` step that says `state: absent`"));
        }
        let mut differ = Differ::default();
        match (self.state, state.kind) {
            (Presence::Absent, None) => return Ok(Change::none()),
            (Presence::Absent, Some("symlink")) => return Ok(Change::of(ChangeKind::Delete)),
            (Presence::Absent, Some(kind)) => {
                return Err(StepError::new(format!("{} is a {kind}, not a symbolic link", self.path)));
            }
            (Presence::Present, _) if self.target.is_empty() => {
                return Err(StepError::new(format!("the link {} has no `target`", self.path)));
            }
            (Presence::Present, Some(kind)) => differ.field("type", Some(kind), Some("symlink")),
            (Presence::Present, None) => {}
        }
        differ.field("target", state.target.as_ref(), Some(&self.target));
        Ok(if state.kind.is_some() { differ.update() } else { differ.create() })
    }

    fn apply(&self, _: &SymlinkState, host: &Host) -> Result<(), StepError> {
        let path = Path::new(&self.path);
        if self.state == Presence::Absent {
            return host.remove(path);
        }
        let (folder, temporary) = beside(path)?;
        host.remove(&temporary)?;
        std::os::unix::fs::symlink(&self.target, &temporary).map_err(|error| StepError::io("write", path, &error))?;
        fs::rename(&temporary, path).map_err(|error| StepError::io("replace", path, &error))?;
        sync_folder(folder).map_err(|error| StepError::io("sync the folder", folder, &error))
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { state: Presence::Absent, ..self.clone() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resource::tests::Bench;

    #[test]
    fn creates_turns_and_removes() {
        let bench = Bench::new();
        let link =
            |target: &str| Symlink { path: bench.path("link"), target: target.to_owned(), state: Presence::Present };
        assert_eq!(bench.converge(&link("one")).kind, ChangeKind::Create);
        assert_eq!(bench.converge(&link("two")).details.len(), 1);
        fs::remove_file(bench.path("link")).unwrap();
        fs::write(bench.path("link"), "a file").unwrap();
        assert_eq!(bench.converge(&link("two")).kind, ChangeKind::Update);
        assert_eq!(bench.converge(&link("two").absent().unwrap()).kind, ChangeKind::Delete);
    }
}
