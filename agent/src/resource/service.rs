//! The state of a systemd unit.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::ResourceType;
use super::plain::plain;
use crate::change::{Change, ChangeKind, Differ};
use crate::host::{Host, UnitState, is_unit_name};
use crate::step_error::StepError;

/// How long a service is watched that systemd calls started as soon as its process exists.
const SETTLE: Duration = Duration::from_millis(300);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// Lines of a unit's journal that an error shows.
const JOURNAL: &str = "20";

/// The state of a systemd unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Unit name with or without `.service`.
    pub name: String,
    /// Start at boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Active now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// Masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<bool>,
    /// Handlers only: restart it.
    #[serde(default)]
    pub restart: bool,
    /// Handlers only: reload it, or restart it when it cannot reload.
    #[serde(default)]
    pub reload: bool,
}

impl Service {
    fn is_action(&self) -> bool {
        self.restart || self.reload
    }

    fn check(&self) -> Result<(), StepError> {
        plain("service", &self.name)?;
        if !is_unit_name(&self.name) {
            return Err(StepError::new(format!("`{}` is not the name of a systemd unit", self.name)));
        }
        let state = self.enabled.is_some() || self.running.is_some() || self.masked.is_some();
        if self.is_action() && state {
            let message = format!("the service `{}` has an action (`restart`, `reload`) and a state", self.name);
            return Err(StepError::new(message).hint("put the action into a handler, and notify it"));
        }
        if self.masked == Some(true) && (self.enabled == Some(true) || self.running == Some(true)) {
            let message = format!("the service `{}` cannot be masked and enabled or running", self.name);
            return Err(
                StepError::new(message).hint("a masked unit cannot be started: say `masked: false` or leave it out")
            );
        }
        Ok(())
    }

    fn compare(&self, unit: &UnitState) -> Differ {
        let mut differ = Differ::default();
        let known = unit.exists() || is_masked(unit);
        let mut compare = |field: &str, is: bool, wanted: Option<bool>| {
            // What is not installed is neither enabled, running nor masked: nothing to undo.
            if known || wanted == Some(true) {
                differ.field(field, known.then_some(is), wanted);
            }
        };
        compare("masked", is_masked(unit), self.masked);
        if let Some(enabled) = is_enabled(unit, &self.name) {
            compare("enabled", enabled, self.enabled);
        }
        compare("running", unit.is_active(), self.running);
        differ
    }

    fn systemctl(&self, verb: &str, host: &Host) -> Result<(), StepError> {
        host.command(["systemctl", verb, "--", &self.name]).run().map(drop)
    }

    /// Starts, restarts or reloads it, and makes sure that it is still there a moment later.
    fn start(&self, verb: &str, host: &Host) -> Result<(), StepError> {
        let command = host.command(["systemctl", verb, "--", &self.name]);
        let output = command.output()?;
        if !output.success() {
            return Err(self.explain(command.failed(&output), verb, host));
        }
        host.changed();
        let mut unit = host.unit(&self.name)?;
        let early = matches!(unit.get("Type"), "simple" | "exec" | "idle");
        let end = Instant::now() + SETTLE;
        while early && !is_failing(&unit) && Instant::now() < end {
            std::thread::sleep(LOOK);
            host.changed();
            unit = host.unit(&self.name)?;
        }
        if is_failing(&unit) {
            let why = format!("the service `{}` failed right after the {verb}: {}", self.name, unit.get("Result"));
            let error = StepError { command: Some(command.masked()), ..StepError::new(why) };
            return Err(self.explain(error, verb, host));
        }
        if verb == "start" && !unit.is_active() {
            let why = format!("the service `{}` was started and has ended: it cannot stay `running`", self.name);
            let hint = "leave `running` out for a unit of type oneshot: let a timer or a handler start it";
            return Err(StepError { command: Some(command.masked()), ..StepError::new(why) }.hint(hint));
        }
        Ok(())
    }

    /// Adds what the unit itself said, which is where the reason stands.
    fn explain(&self, mut error: StepError, verb: &str, host: &Host) -> StepError {
        let journal =
            host.command(["journalctl", "--no-pager", "--output=cat", "--lines", JOURNAL, "--unit", &self.name]);
        if let Ok(journal) = journal.output().map(|output| output.tail)
            && journal.iter().any(|line| line != "-- No entries --")
        {
            error.message = format!("{} (the output is the end of its journal)", error.message);
            error.output = journal;
        }
        error.hint(format!(
            "run `systemctl status {}` on the host; a {verb} is tried again by the next deploy",
            self.name
        ))
    }
}

fn is_masked(unit: &UnitState) -> bool {
    matches!(unit.get("UnitFileState"), "masked" | "masked-runtime") || unit.get("LoadState") == "masked"
}

/// Whether it has given up, or is about to be tried again after a failure.
fn is_failing(unit: &UnitState) -> bool {
    unit.get("ActiveState") == "failed" || unit.get("SubState") == "auto-restart"
}

/// Whether it starts at boot; `None` for a unit that has no say in that, such as one without an `[Install]` section.
fn is_enabled(unit: &UnitState, name: &str) -> Option<bool> {
    match unit.get("UnitFileState") {
        "enabled" | "alias" => Some(true),
        // Made from a script in /etc/init.d, whose links say when it starts.
        "generated" => Some(has_start_link(name)),
        "static" | "indirect" | "transient" => None,
        _ => Some(false),
    }
}

fn has_start_link(name: &str) -> bool {
    let script = name.trim_end_matches(".service");
    let starts = |entry: &str| entry.strip_prefix('S').and_then(|rest| rest.get(2..)) == Some(script);
    ["2", "3", "4", "5"].iter().any(|level| {
        let links = std::fs::read_dir(Path::new("/etc").join(format!("rc{level}.d")));
        links.is_ok_and(|links| links.flatten().any(|link| link.file_name().to_str().is_some_and(starts)))
    })
}

impl ResourceType for Service {
    type State = Arc<UnitState>;

    fn observe(&self, host: &Host) -> Result<Self::State, StepError> {
        self.check()?;
        if !host.has_systemd() {
            let error =
                StepError::new(format!("cannot look at the service `{}`: this host does not run systemd", self.name));
            return Err(error.hint("services need a host whose init process is systemd"));
        }
        host.unit(&self.name)
    }

    fn diff(&self, state: &Self::State, _: &Host) -> Result<Change, StepError> {
        if self.is_action() {
            let verb = if self.restart { "restart" } else { "reload" };
            return Ok(Change::of(ChangeKind::Run).note(format!("{verb} {}", self.name)));
        }
        let differ = self.compare(state);
        Ok(if state.exists() || is_masked(state) {
            differ.update()
        } else {
            let change = differ.create();
            if change.details.is_empty() { Change::none() } else { change.note("the unit is not installed yet") }
        })
    }

    fn apply(&self, state: &Self::State, host: &Host) -> Result<(), StepError> {
        if self.is_action() {
            return self.start(if self.restart { "restart" } else { "reload-or-restart" }, host);
        }
        if !state.exists() && self.masked != Some(true) {
            let error = StepError::new(format!("there is no unit `{}` on this host", self.name));
            return Err(error.hint("add a step for the package or the `unit` that has it, or check the spelling"));
        }
        let differs = |is: bool, wanted: Option<bool>| wanted.filter(|wanted| *wanted != is);
        if differs(is_masked(state), self.masked) == Some(false) {
            self.systemctl("unmask", host)?;
        }
        match is_enabled(state, &self.name).and_then(|enabled| differs(enabled, self.enabled)) {
            Some(true) => self.systemctl("enable", host)?,
            Some(false) => self.systemctl("disable", host)?,
            None => {}
        }
        match differs(state.is_active(), self.running) {
            Some(true) => {
                if state.get("ActiveState") == "failed" {
                    // Else a unit that failed too often is not tried at all.
                    self.systemctl("reset-failed", host)?;
                }
                self.start("start", host)?;
            }
            Some(false) => self.systemctl("stop", host)?,
            None => {}
        }
        if differs(is_masked(state), self.masked) == Some(true) { self.systemctl("mask", host) } else { Ok(()) }
    }

    fn absent(&self) -> Option<Self> {
        let off = |wanted: Option<bool>| wanted.filter(|wanted| *wanted).map(|_| false);
        let retired =
            Self { enabled: off(self.enabled), running: off(self.running), masked: off(self.masked), ..self.clone() };
        (!self.is_action()).then_some(retired)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::change::Detail;

    fn service(json: &str) -> Service {
        serde_json::from_str(json).unwrap()
    }

    fn fields(service: &str, unit: &str) -> (ChangeKind, Vec<String>) {
        let host = Host::new("/nonexistent");
        let change = self::service(service).diff(&Arc::new(UnitState::parse(unit)), &host).unwrap();
        let name = |detail: Detail| match detail {
            Detail::Value { field, .. } => Some(field),
            _ => None,
        };
        (change.kind, change.details.into_iter().filter_map(name).collect())
    }

    const RUNNING: &str = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled";
    const STOPPED: &str = "LoadState=loaded\nActiveState=failed\nUnitFileState=disabled";
    const MISSING: &str = "LoadState=not-found\nActiveState=inactive\nUnitFileState=";
    const MASKED: &str = "LoadState=masked\nActiveState=inactive\nUnitFileState=masked";
    const STATIC: &str = "LoadState=loaded\nActiveState=active\nUnitFileState=static";

    #[test]
    fn only_what_differs_changes() {
        let on = r#"{"name": "x", "enabled": true, "running": true}"#;
        let off = r#"{"name": "x", "enabled": false, "running": false}"#;
        assert_eq!(fields(on, RUNNING), (ChangeKind::None, vec![]));
        assert_eq!(fields(on, STOPPED), (ChangeKind::Update, vec!["enabled".into(), "running".into()]));
        assert_eq!(fields(off, RUNNING).1, ["enabled", "running"]);
        assert_eq!(fields(off, STOPPED), (ChangeKind::None, vec![]));
        assert_eq!(fields(r#"{"name": "x", "masked": false, "running": true}"#, MASKED).1, ["masked", "running"]);
        assert_eq!(fields(r#"{"name": "x", "masked": true, "running": false}"#, RUNNING).1, ["masked", "running"]);
    }

    #[test]
    fn what_is_not_installed_yet_will_be_started_and_need_not_be_stopped() {
        assert_eq!(
            fields(r#"{"name": "x", "enabled": true, "running": true}"#, MISSING),
            (ChangeKind::Create, vec!["enabled".into(), "running".into()])
        );
        let off = r#"{"name": "x", "enabled": false, "running": false, "masked": false}"#;
        assert_eq!(fields(off, MISSING), (ChangeKind::None, vec![]));
        assert_eq!(fields(r#"{"name": "x", "masked": true}"#, MISSING), (ChangeKind::Create, vec!["masked".into()]));
    }

    #[test]
    fn a_unit_without_an_install_section_is_neither_enabled_nor_disabled() {
        assert_eq!(fields(r#"{"name": "x", "enabled": true}"#, STATIC), (ChangeKind::None, vec![]));
        assert_eq!(fields(r#"{"name": "x", "enabled": false}"#, STATIC), (ChangeKind::None, vec![]));
    }

    #[test]
    fn actions_run_every_time_and_leave_nothing_to_remove() {
        assert_eq!(fields(r#"{"name": "x", "restart": true}"#, RUNNING), (ChangeKind::Run, vec![]));
        assert_eq!(service(r#"{"name": "x", "reload": true}"#).absent(), None);
    }

    #[test]
    fn removal_turns_off_what_was_turned_on() {
        let removed = service(r#"{"name": "x", "enabled": true, "running": false}"#).absent().unwrap();
        assert_eq!((removed.enabled, removed.running, removed.masked), (Some(false), None, None));
    }

    #[test]
    fn contradictions_are_named() {
        for bad in [
            r#"{"name": "x", "restart": true, "running": true}"#,
            r#"{"name": "x", "masked": true, "running": true}"#,
            r#"{"name": "a b"}"#,
            r#"{"name": "--now"}"#,
        ] {
            assert!(service(bad).check().is_err(), "{bad}");
        }
    }
}
