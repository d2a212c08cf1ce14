//! A plan that was written down, and what is different in another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::origin::Origin;
use crate::report::{HostView, Moved, PlanView, StepView};
use crate::run::Selection;

/// A plan that was written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// When, by whom and where it was made.
    pub origin: Origin,
    /// What was asked for.
    pub selection: Selection,
    /// Whether it removes orphans.
    pub prune: bool,
    /// What it rests on.
    pub basis: Basis,
    /// What every host had observed, and what every step would change.
    pub view: PlanView,
}

impl SavedPlan {
    /// Everything that is different in `now`: in what went into the plan, then in what it does, host by host.
    pub fn moved(&self, now: &Self) -> Vec<Moved> {
        let mut moved = self.basis_moved(now);
        let hosts = by_name(&now.view.hosts, |host| &host.host);
        for (host, then) in by_name(&self.view.hosts, |host| &host.host) {
            match hosts.get(host) {
                Some(now_there) => self.host_moved(now, then, now_there, &mut moved),
                None => moved.push(gone(host, "is not in the plan any more")),
            }
        }
        let known: BTreeSet<&str> = self.view.hosts.iter().map(|host| host.host.as_str()).collect();
        let new = now.view.hosts.iter().filter(|host| !known.contains(host.host.as_str()));
        moved.extend(new.map(|host| gone(&host.host, "is new in the plan")));
        let (then, now) = (&self.basis.compiled, &now.basis.compiled);
        let explained = |one: &Moved| matches!(one, Moved::Host { .. } | Moved::Step { desired: true, .. });
        if then != now && !moved.iter().any(explained) {
            moved.push(Moved::Order { then: then.clone(), now: now.clone() });
        }
        moved
    }

    fn basis_moved(&self, now: &Self) -> Vec<Moved> {
        let mut moved = Vec::new();
        let (then, new) = (&self.basis, &now.basis);
        if (&self.selection, self.prune) != (&now.selection, now.prune) {
            moved.push(Moved::Selection { then: self.asked(), now: now.asked() });
        }
        if then.cc_cloud != new.cc_cloud {
            moved.push(Moved::Program { then: then.cc_cloud.clone(), now: new.cc_cloud.clone() });
        }
        if then.agent != new.agent {
            moved.push(Moved::Agent { then: then.agent.clone(), now: new.agent.clone() });
        }
        for (path, then, now) in differing(&then.files, &new.files) {
            moved.push(Moved::File { path, then, now });
        }
        for (name, then, now) in differing(&then.secrets, &new.secrets) {
            moved.push(Moved::Secret { name, then, now });
        }
        for (host, then) in &then.facts {
            // A host that is gone, or does not answer, is told as such.
            let Some(now) = new.facts.get(host) else { continue };
            for (fact, then, now) in differing(then, now) {
                moved.push(Moved::Fact { host: host.clone(), fact, then, now });
            }
        }
        moved
    }

    fn host_moved(&self, now: &Self, then: &HostView, there: &HostView, moved: &mut Vec<Moved>) {
        if let Some(why) = &there.unreachable {
            moved.push(gone(&then.host, &format!("cannot be reached: {why}")));
            return;
        }
        let of = |plan: &Self| plan.basis.desired.get(&then.host).cloned().unwrap_or_default();
        let (asked, asks) = (of(self), of(now));
        let (old, new) = (by_name(&then.steps, |step| &step.id), by_name(&there.steps, |step| &step.id));
        let ids: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        for id in ids {
            let (before, after) = (old.get(id), new.get(id));
            let desired = asked.get(id) != asks.get(id);
            if desired || before != after {
                let service = before.or(after).map(|step| step.service.clone()).unwrap_or_default();
                let change = |step: Option<&&StepView>| step.map(|step| step.change.clone());
                moved.push(Moved::Step {
                    host: then.host.clone(),
                    service,
                    step: id.to_owned(),
                    desired,
                    then: change(before),
                    now: change(after),
                });
            }
        }
        let runs = |host: &HostView| -> BTreeMap<String, String> {
            host.orphans.iter().map(|orphan| (orphan.id.clone(), orphan.run.clone())).collect()
        };
        for (step, then_run, now_run) in differing(&runs(then), &runs(there)) {
            moved.push(Moved::Orphan { host: then.host.clone(), step, then: then_run, now: now_run });
        }
    }

    /// What was asked for, for a person.
    pub fn asked(&self) -> String {
        let prune = if self.prune { ", removing orphans" } else { "" };
        format!("{}{prune}", self.selection)
    }
}

fn gone(host: &str, reason: &str) -> Moved {
    Moved::Host { host: host.to_owned(), reason: reason.to_owned() }
}

fn by_name<T>(all: &[T], name: impl Fn(&T) -> &String) -> BTreeMap<&str, &T> {
    all.iter().map(|one| (name(one).as_str(), one)).collect()
}

/// Names whose values differ, or that only one side has.
fn differing(
    then: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> Vec<(String, Option<String>, Option<String>)> {
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let moved = names.into_iter().filter(|name| then.get(*name) != now.get(*name));
    moved.map(|name| (name.clone(), then.get(name).cloned(), now.get(name).cloned())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use cc_agent::change::{Change, ChangeKind};
    use cc_agent::protocol::Orphan;

    use super::*;
    use crate::history::Author;
    use crate::secrets::{KeyPlace, Recipient, RecipientKey, Store, Terminal, Unlocked};

    /// A secrets file of `prod` with a data key of its own.
    pub fn unlocked() -> Unlocked {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPlace::Variable(folder.path().join("keys")).keygen().unwrap();
        let recipient = Recipient::new("alice", key.parse::<RecipientKey>().unwrap()).unwrap();
        Store::create(&folder.path().join("prod.yml"), "prod", vec![recipient], Terminal::silent()).unwrap()
    }

    fn origin(who: &str) -> Origin {
        let author = Author { who: who.to_owned(), folder: "/srv/site".to_owned(), address: None };
        Origin { at: "2026-11-22T12:00:00Z".parse().unwrap(), author }
    }

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn host(name: &str) -> HostView {
        let step =
            |id: &str, change: Change| StepView { id: id.to_owned(), service: "web".to_owned(), change, error: None };
        HostView {
            host: name.to_owned(),
            unreachable: None,
            hint: None,
            steps: vec![
                step("web/file:/a", Change::none()),
                step(
                    "web/file:/b",
                    Change::of(ChangeKind::Update).value("mode", Some("0600".into()), Some("0640".into())),
                ),
            ],
            orphans: Vec::new(),
        }
    }

    pub fn plan() -> SavedPlan {
        let desired = map(&[("web/file:/a", "a1"), ("web/file:/b", "b1")]);
        SavedPlan {
            origin: origin("ana@laptop"),
            selection: Selection::default(),
            prune: false,
            basis: Basis {
                cc_cloud: "0.1.0".into(),
                agent: "aa".into(),
                compiled: "cc".into(),
                files: map(&[("environments/prod/environment.yml", "e1"), ("roles/web/role.yml", "r1")]),
                secrets: map(&[("redis_password", "s1")]),
                facts: [("web1".to_owned(), map(&[("memory", "1")])), ("web2".to_owned(), map(&[("memory", "1")]))]
                    .into(),
                desired: [("web1".to_owned(), desired.clone()), ("web2".to_owned(), desired)].into(),
            },
            view: PlanView {
                environment: "prod".into(),
                services: vec!["web".into()],
                hosts: vec![host("web1"), host("web2")],
            },
        }
    }

    fn moved(change: impl FnOnce(&mut SavedPlan)) -> serde_json::Value {
        let mut now = plan();
        now.origin = origin("bob@desktop");
        change(&mut now);
        serde_json::to_value(plan().moved(&now)).unwrap()
    }

    #[test]
    fn nothing_moved_when_only_the_origin_is_another() {
        assert_eq!(moved(|_| {}), serde_json::json!([]));
    }

    #[test]
    fn each_thing_that_moved_is_named_with_then_and_now() {
        use serde_json::json;
        let file = |basis: &mut Basis, path: &str, digest: &str| basis.files.insert(path.into(), digest.into());
        let cases = [
            (
                moved(|now| drop(file(&mut now.basis, "roles/web/role.yml", "r2"))),
                json!({"what": "file", "path": "roles/web/role.yml", "then": "r1", "now": "r2"}),
            ),
            (
                moved(|now| drop(file(&mut now.basis, "roles/web/files/x", "x1"))),
                json!({"what": "file", "path": "roles/web/files/x", "then": null, "now": "x1"}),
            ),
            (
                moved(|now| now.basis.secrets = map(&[("redis_password", "s2")])),
                json!({"what": "secret", "name": "redis_password", "then": "s1", "now": "s2"}),
            ),
            (
                moved(|now| drop(now.basis.facts.get_mut("web2").unwrap().insert("memory".into(), "2".into()))),
                json!({"what": "fact", "host": "web2", "fact": "memory", "then": "1", "now": "2"}),
            ),
            (moved(|now| now.basis.agent = "bb".into()), json!({"what": "agent", "then": "aa", "now": "bb"})),
            (moved(|now| now.basis.cc_cloud = "9".into()), json!({"what": "program", "then": "0.1.0", "now": "9"})),
            (moved(|now| now.basis.compiled = "dd".into()), json!({"what": "order", "then": "cc", "now": "dd"})),
            (
                moved(|now| now.selection.limit = vec!["web1".into()]),
                json!({"what": "selection", "then": "everything", "now": "hosts web1"}),
            ),
            (
                moved(|now| now.prune = true),
                json!({"what": "selection", "then": "everything", "now": "everything, removing orphans"}),
            ),
            (
                moved(|now| drop(now.view.hosts.pop())),
                json!({"what": "host", "host": "web2", "reason": "is not in the plan any more"}),
            ),
            (
                moved(|now| {
                    let orphan = Orphan { id: "web/file:/old".into(), run: "r1".into(), removable: true };
                    now.view.hosts[0].orphans.push(orphan);
                }),
                json!({"what": "orphan", "host": "web1", "step": "web/file:/old", "then": null, "now": "r1"}),
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, json!([expected]));
        }
    }

    #[test]
    fn a_host_that_does_not_answer_is_named_once_and_not_step_by_step() {
        let found = moved(|now| {
            now.basis.facts.remove("web2");
            now.basis.compiled = "dd".into();
            now.view.hosts[1] =
                HostView { unreachable: Some("web2: no route".into()), steps: Vec::new(), ..host("web2") };
        });
        let expected =
            serde_json::json!([{"what": "host", "host": "web2", "reason": "cannot be reached: web2: no route"}]);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_step_tells_whether_it_or_its_host_moved() {
        let found = moved(|now| {
            now.view.hosts[0].steps[1].change = Change::none();
            now.basis.desired.get_mut("web2").unwrap().insert("web/file:/a".into(), "a2".into());
            now.basis.compiled = "dd".into();
        });
        let told: Vec<_> =
            found.as_array().unwrap().iter().map(|one| (&one["host"], &one["step"], &one["desired"])).collect();
        let text = |text: &str| serde_json::Value::from(text);
        assert_eq!(
            told,
            [(&text("web1"), &text("web/file:/b"), &false.into()), (&text("web2"), &text("web/file:/a"), &true.into())]
        );
        assert_eq!((&found[0]["then"]["kind"], &found[0]["now"]["kind"]), (&text("update"), &text("none")));
    }
}
