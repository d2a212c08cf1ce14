//! The state of systemd units, many in one question.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::Host;
use crate::ordered::ordered;
use crate::step_error::StepError;

/// Properties that resource types and checks ask for.
const PROPERTIES: &str =
    "Id,LoadState,ActiveState,SubState,UnitFileState,CanReload,NeedDaemonReload,FragmentPath,Result,Type";

/// What systemd says of a unit.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct UnitState {
    properties: BTreeMap<String, String>,
}

impl UnitState {
    /// A property as `systemctl show` names it, empty when it has none: `ActiveState`, `SubState`, `LoadState`, `UnitFileState`,
    /// `CanReload`, `NeedDaemonReload`, `FragmentPath`, `Result`, `Type`, `Id`.
    pub fn get(&self, property: &str) -> &str {
        self.properties.get(property).map_or("", String::as_str)
    }

    /// Whether there is such a unit.
    pub fn exists(&self) -> bool {
        !matches!(self.get("LoadState"), "not-found" | "")
    }

    /// Whether it is running, or on its way to.
    pub fn is_active(&self) -> bool {
        matches!(self.get("ActiveState"), "active" | "reloading" | "activating")
    }

    pub(crate) fn parse(block: &str) -> Self {
        let pairs = block.lines().filter_map(|line| line.split_once('='));
        Self { properties: ordered(pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))) }
    }
}

/// What was asked since the last change.
#[derive(Default)]
pub(super) struct Units(Mutex<BTreeMap<String, Arc<UnitState>>>);

impl Units {
    pub(super) fn get(
        &self,
        host: &Host,
        name: &str,
        expected: &BTreeSet<String>,
    ) -> Result<Arc<UnitState>, StepError> {
        let name = full_name(name);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = known.get(&name) {
            return Ok(Arc::clone(state));
        }
        let mut names: BTreeSet<&str> =
            ordered(expected.iter().map(String::as_str).filter(|unit| !known.contains_key(*unit)));
        names.insert(&name);
        let argv = ["systemctl", "show", "--no-pager", "--property", PROPERTIES, "--"]
            .into_iter()
            .chain(names.iter().copied());
        let output = host.command(argv).run()?;
        let states: Vec<_> = output.stdout.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).collect();
        if states.len() != names.len() {
            let counts = format!("systemctl described {} units when asked for {}", states.len(), names.len());
            return Err(StepError::new(counts));
        }
        let states = states.into_iter().map(|block| Arc::new(UnitState::parse(block)));
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        known.extend(names.into_iter().zip(states));
        Ok(known.get(&name).map(Arc::clone).unwrap_or_default())
    }

    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The name with its ending, `.service` when it has none.
pub(super) fn full_name(name: &str) -> String {
    const ENDINGS: [&str; 11] = [
        ".service",
        ".socket",
        ".timer",
        ".target",
        ".mount",
        ".automount",
        ".path",
        ".slice",
        ".scope",
        ".swap",
        ".device",
    ];
    if ENDINGS.iter().any(|ending| name.ends_with(ending)) { name.to_owned() } else { format!("{name}.service") }
}

/// Whether systemd can be asked for a unit of this name, with or without its ending. Asked for one that cannot be (`web@` is
/// a template), it would answer for none.
pub(crate) fn is_unit_name(name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let name = full_name(name);
    let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
    name.bytes().all(valid) && !stem.is_empty() && !stem.ends_with('@') && !stem.starts_with(['-', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_a_block() {
        let state = UnitState::parse("Id=a.service\nLoadState=loaded\nActiveState=active\nFragmentPath=/x=y");
        assert!(state.exists() && state.is_active());
        assert_eq!(state.get("FragmentPath"), "/x=y");
        assert!(!UnitState::parse("LoadState=not-found").exists());
    }

    #[test]
    fn templates_and_nonsense_are_not_asked_for() {
        assert!(["web", "web.service", "web@1", "systemd-\\x2d.mount"].into_iter().all(is_unit_name));
        assert!(!["", ".service", "web@", "web@.service", "a b", "a/b", "--now"].into_iter().any(is_unit_name));
    }

    #[test]
    fn names_get_their_ending() {
        assert_eq!(full_name("nginx"), "nginx.service");
        assert_eq!(full_name("postgresql@15-main"), "postgresql@15-main.service");
        assert_eq!(full_name("apt-daily.timer"), "apt-daily.timer");
    }
}
