//! A directory.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::ownership;
use super::{Mode, Presence, ResourceType};
use crate::change::{Change, ChangeKind, Differ};
use crate::host::{Attributes, Host, Metadata, sync_folder};
use crate::step_error::StepError;

/// A directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Absolute path.
    pub path: String,
    /// Owner by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// With `state: absent`: remove it with everything in it; without, only when empty.
    #[serde(default)]
    pub force: bool,
    /// Whether it should be there.
    #[serde(default)]
    pub state: Presence,
}

/// What is at the path of a [`Directory`].
pub struct DirectoryState {
    /// The path with links followed, when it exists.
    place: PathBuf,
    meta: Option<Metadata>,
    empty: bool,
}

impl ResourceType for Directory {
    type State = DirectoryState;

    fn observe(&self, host: &Host) -> Result<DirectoryState, StepError> {
        let path = Path::new(&self.path);
        if !path.is_absolute() {
            return Err(StepError::new(format!("{} is not an absolute path", path.display())));
        }
        // A link to a directory is as good as the directory; removing it, on the other hand, removes the link alone.
        let place = match self.state {
            Presence::Present => fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            Presence::Absent => path.to_owned(),
        };
        let meta = host.stat(&place)?;
        let mut empty = true;
        if self.state == Presence::Absent && meta.as_ref().is_some_and(|meta| meta.kind == "directory") {
            empty = fs::read_dir(&place).map_err(|error| StepError::io("read", &place, &error))?.next().is_none();
        }
        Ok(DirectoryState { place, meta, empty })
    }

    fn diff(&self, state: &DirectoryState, host: &Host) -> Result<Change, StepError> {
        let mut differ = Differ::default();
        if self.state == Presence::Absent {
            return self.removal(state);
        }
        if let Some(meta) = state.meta.as_ref().filter(|meta| meta.kind != "directory") {
            let text = format!("{} is a {}, not a directory", self.path, meta.kind);
            return Err(StepError::new(text).hint("remove it with a step that says `state: absent`"));
        }
        let (owner, group) = (self.owner.as_deref(), self.group.as_deref());
        ownership(&mut differ, host, state.meta.as_ref(), owner, group, self.mode)?;
        Ok(if state.meta.is_some() { differ.update() } else { differ.create() })
    }

    fn apply(&self, state: &DirectoryState, host: &Host) -> Result<(), StepError> {
        let path = state.place.as_path();
        if self.state == Presence::Absent {
            let removed = match (&state.meta, state.empty) {
                (Some(meta), _) if meta.kind == "symlink" => fs::remove_file(path),
                (_, true) => fs::remove_dir(path),
                (_, false) => fs::remove_dir_all(path),
            };
            return removed.map_err(|error| StepError::io("remove", path, &error));
        }
        let attributes = host.attributes(self.owner.as_deref(), self.group.as_deref(), self.mode)?;
        if state.meta.is_some() {
            return host.set_attributes(path, attributes);
        }
        let create = |error| StepError::io("create", path, &error);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(create)?;
        }
        // Private until it belongs to whom it should: nobody can slip something into it before.
        fs::DirBuilder::new().mode(0o700).create(path).map_err(create)?;
        let mode = attributes.mode.or(Some(Mode::new(0o755)));
        host.set_attributes(path, Attributes { mode, ..attributes })?;
        path.parent().map_or(Ok(()), sync_folder).map_err(create)
    }

    fn absent(&self) -> Option<Self> {
        Some(Self { force: false, state: Presence::Absent, ..self.clone() })
    }
}

impl Directory {
    fn removal(&self, state: &DirectoryState) -> Result<Change, StepError> {
        let Some(meta) = &state.meta else {
            return Ok(Change::none());
        };
        if !matches!(meta.kind, "directory" | "symlink") {
            return Err(StepError::new(format!("{} is a {}, not a directory", self.path, meta.kind)));
        }
        if state.empty {
            return Ok(Change::of(ChangeKind::Delete));
        }
        if !self.force {
            let text = format!("{} is not empty, so it is not removed", self.path);
            return Err(StepError::new(text).hint("say `force: true` to remove it with everything in it"));
        }
        // A slip of the pen must not cost a system.
        if Path::new(&self.path).components().count() < 3 {
            return Err(StepError::new(format!("{} is a directory of the system and is not removed", self.path)));
        }
        Ok(Change::of(ChangeKind::Delete).note("with everything in it"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::resource::tests::Bench;

    fn directory(bench: &Bench, more: serde_json::Value) -> Directory {
        let mut value = more;
        value["path"] = bench.path("a/b").into();
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn creates_with_parents_and_updates() {
        let bench = Bench::new();
        let created = bench.converge(&directory(&bench, serde_json::json!({"mode": "0750", "owner": "0"})));
        assert_eq!(created.kind, ChangeKind::Create);
        assert_eq!(bench.converge(&directory(&bench, serde_json::json!({"mode": "0700"}))).kind, ChangeKind::Update);
    }

    #[test]
    fn only_force_removes_what_is_not_empty() {
        let bench = Bench::new();
        fs::create_dir_all(bench.path("a/b/c")).unwrap();
        let absent = directory(&bench, serde_json::json!({"state": "absent"}));
        let state = absent.observe(&bench.host).unwrap();
        assert!(absent.diff(&state, &bench.host).unwrap_err().hint.unwrap().contains("force: true"));
        let forced = directory(&bench, serde_json::json!({"state": "absent", "force": true}));
        assert_eq!(bench.converge(&forced).kind, ChangeKind::Delete);
    }

    #[test]
    fn the_system_is_not_removed() {
        let bench = Bench::new();
        let usr = Directory {
            path: "/usr".to_owned(),
            ..directory(&bench, serde_json::json!({"state": "absent", "force": true}))
        };
        let state = usr.observe(&bench.host).unwrap();
        assert!(usr.diff(&state, &bench.host).unwrap_err().message.contains("directory of the system"));
    }
}
