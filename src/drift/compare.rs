//! From an observation to what drifted, and why.

use std::collections::BTreeMap;

use cc_agent::change::{Change, ChangeKind};
use cc_agent::protocol::{Applied, Orphan, Past};
use cc_agent::resource::Resource;
use cc_agent::step::Step;
use cc_plan::plan::{HostPlan, Plan};

use crate::report::{Cause, DriftView, Drifted, HostDrift, HostView, StepView};
use crate::run::{self, Observation};

/// What of a plan is not as it should be, by host, the worst first.
pub fn compare(plan: &Plan, observation: &Observation) -> DriftView {
    let views = plan.hosts.iter().zip(&observation.view.hosts);
    let hosts = views.map(|(host, view)| {
        let of_host = |by_host: &BTreeMap<String, Vec<Past>>| by_host.get(&host.host).cloned().unwrap_or_default();
        let pending = observation.pending.get(&host.host).map(Vec::as_slice).unwrap_or_default();
        host_drift(host, view, &of_host(&observation.pasts), pending)
    });
    DriftView { environment: plan.environment.clone(), hosts: hosts.collect() }
}

fn host_drift(plan: &HostPlan, view: &HostView, pasts: &[Past], pending: &[String]) -> HostDrift {
    let steps: BTreeMap<&str, &Step> = plan.steps.iter().map(|step| (step.id.as_str(), step)).collect();
    let pasts: BTreeMap<&str, &Past> = pasts.iter().map(|past| (past.id.as_str(), past)).collect();
    let (mut drifted, mut in_step) = (Vec::new(), 0);
    for seen in &view.steps {
        match steps.get(seen.id.as_str()) {
            // Nothing can be said of it before another host answers, which is told as such.
            Some(step) if step.unknown.is_some() => {}
            Some(step) if is_due(step, seen) => drifted.push(drifted_step(seen, pasts.get(seen.id.as_str()).copied())),
            Some(_) => in_step += 1,
            // A handler that a change would notify is no drift of its own.
            None if pending.contains(&seen.id) => drifted.push(plain(seen, Cause::Pending)),
            None => {}
        }
    }
    drifted.extend(view.orphans.iter().map(orphan));
    drifted.sort_by_key(|one| one.cause);
    HostDrift {
        host: plan.host.clone(),
        unreachable: view.unreachable.clone(),
        hint: view.hint.clone(),
        in_step,
        drifted,
    }
}

/// Whether a step's host is not as it should be. A command that runs in every deploy says nothing of the host.
fn is_due(step: &Step, seen: &StepView) -> bool {
    let always = matches!(&step.resource, Resource::Command(command) if command.changes.is_some());
    seen.error.is_some() || !seen.change.is_none() && !always
}

fn drifted_step(seen: &StepView, past: Option<&Past>) -> Drifted {
    let applied = past.and_then(|past| past.applied.as_ref());
    let cause = if seen.error.is_some() { Cause::Unobserved } else { cause(applied) };
    Drifted {
        run: applied.map(|applied| applied.run.clone()),
        applied_at: applied.and_then(|applied| run::begun_at(&applied.run)),
        trace: past.and_then(|past| past.trace.clone()),
        ..plain(seen, cause)
    }
}

/// Which of the three moved.
fn cause(applied: Option<&Applied>) -> Cause {
    let Some(applied) = applied else { return Cause::Never };
    match (applied.ended, applied.spec_moved, applied.host_moved) {
        (false, ..) => Cause::Unfinished,
        (true, false, _) => Cause::Host,
        (true, true, Some(true)) => Cause::Both,
        (true, true, Some(false)) => Cause::Spec,
        (true, true, None) => Cause::SpecAtLeast,
    }
}

fn plain(seen: &StepView, cause: Cause) -> Drifted {
    Drifted {
        step: seen.id.clone(),
        cause,
        change: seen.change.clone(),
        error: seen.error.clone(),
        run: None,
        applied_at: None,
        trace: None,
    }
}

fn orphan(orphan: &Orphan) -> Drifted {
    Drifted {
        step: orphan.id.clone(),
        cause: Cause::Orphan,
        change: Change::of(ChangeKind::Delete),
        error: None,
        run: Some(orphan.run.clone()),
        applied_at: run::begun_at(&orphan.run),
        trace: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use cc_agent::protocol::StepError;
    use serde_json::json;

    use super::*;

    fn step(name: &str, resource: &serde_json::Value) -> Step {
        let id = format!("web/{}:{name}", resource["type"].as_str().unwrap());
        serde_json::from_value(json!({"id": id, "service": "web", "stage": 0, "resource": resource})).unwrap()
    }

    fn file(name: &str) -> Step {
        step(name, &json!({"type": "file", "path": format!("/{name}"), "content": "x"}))
    }

    fn past(step: &Step, ended: bool, spec_moved: bool, host_moved: Option<bool>) -> Past {
        let run = "20261122T121530Z-aabbcc".to_owned();
        Past { id: step.id.clone(), applied: Some(Applied { run, ended, spec_moved, host_moved }), trace: None }
    }

    fn seen(step: &Step) -> StepView {
        let change = Change::of(ChangeKind::Update);
        StepView { id: step.id.clone(), service: "web".to_owned(), change, error: None }
    }

    fn compared(steps: &[Step], views: Vec<StepView>, pasts: &[Past], pending: &[String]) -> HostDrift {
        let plan = HostPlan {
            host: "web1".to_owned(),
            steps: steps.to_vec(),
            handlers: Vec::new(),
            checks: Vec::new(),
            needs: Vec::new(),
            offers: Vec::new(),
        };
        let orphans = vec![Orphan { id: "web/file:/old".into(), run: "r1".into(), removable: true }];
        let view = HostView { host: "web1".to_owned(), unreachable: None, hint: None, steps: views, orphans };
        host_drift(&plan, &view, pasts, pending)
    }

    #[test]
    fn it_is_told_which_of_the_three_moved_and_the_worst_comes_first() {
        let names = ["spec", "both", "host", "perhaps", "cut", "never", "same"];
        let steps = names.map(file);
        let pasts = [
            past(&steps[0], true, true, Some(false)),
            past(&steps[1], true, true, Some(true)),
            past(&steps[2], true, false, Some(true)),
            past(&steps[3], true, true, None),
            past(&steps[4], false, true, None),
        ];
        let mut views: Vec<StepView> = steps.iter().map(seen).collect();
        views[6].change = Change::none();
        let drift = compared(&steps, views, &pasts, &[]);
        let found: Vec<_> = drift.drifted.iter().map(|one| (one.step.as_str(), one.cause)).collect();
        assert_eq!(
            found,
            [
                ("web/file:both", Cause::Both),
                ("web/file:host", Cause::Host),
                ("web/file:perhaps", Cause::SpecAtLeast),
                ("web/file:cut", Cause::Unfinished),
                ("web/file:never", Cause::Never),
                ("web/file:spec", Cause::Spec),
                ("web/file:/old", Cause::Orphan),
            ]
        );
        assert_eq!(drift.in_step, 1);
        assert_eq!(drift.drifted[0].applied_at.unwrap().to_string(), "2026-11-22T12:15:30Z");
    }

    #[test]
    fn what_runs_in_every_deploy_is_no_drift_and_a_pending_handler_is() {
        let always = step("always", &json!({"type": "command", "name": "x", "shell": "true", "changes": "always"}));
        let guarded = step("guarded", &json!({"type": "command", "name": "y", "shell": "true", "creates": "/y"}));
        let mut failed = seen(&file("broken"));
        failed.error = Some(StepError::new("cannot be read"));
        let handler = |name: &str| StepView { id: format!("web/handler:{name}"), ..seen(&always) };
        let steps = [always.clone(), guarded.clone(), file("broken")];
        let views = vec![seen(&always), seen(&guarded), failed, handler("notified"), handler("pending")];
        let drift = compared(&steps, views, &[], &["web/handler:pending".to_owned()]);
        let found: Vec<_> = drift.drifted.iter().map(|one| (one.step.as_str(), one.cause)).collect();
        assert_eq!(
            found,
            [
                ("web/file:broken", Cause::Unobserved),
                ("web/handler:pending", Cause::Pending),
                ("web/command:guarded", Cause::Never),
                ("web/file:/old", Cause::Orphan)
            ]
        );
        assert_eq!(drift.in_step, 1);
    }
}
