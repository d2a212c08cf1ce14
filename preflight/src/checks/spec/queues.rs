//! `spec.queues`: everything that an application runs has a host.

use std::collections::BTreeMap;

use cc_plan::node::Node;
use cc_plan::source::Span;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Everything that an application runs has a host.
pub struct Queues;

/// The param under which a role names what it runs; its default is everything.
const PARAM: &str = "processes";

// The predecessor lists queues and pillows in app-processes.yml. Here a role lists what it runs as the default of its param
// `processes`, and each service of that role may run a part of it.
static ABOUT: About = About {
    id: "spec.queues",
    title: "Everything that an application runs is placed on a host",
    measures: "The param `processes` of all services of a role, against the list that the role has as its default.",
    why: "A queue that no worker takes from grows without anybody seeing an error: messages, exports and reports never come.",
    thresholds: &[],
    fix: "add what is missing to `processes` of a service of that role, or place another service of the role",
    source: "installation guide, configuration; the predecessor's app-processes.yml",
    vantage: Vantage::Spec,
    applies: "environments with a role that has the param `processes`, of every size, demo too",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Spec,
};

/// What the services of a role run.
#[derive(Default)]
struct Running<'s> {
    all: Vec<&'s str>,
    placed: Vec<(&'s str, Span)>,
    place: Option<Span>,
    /// A service whose list is a template, which only a host's facts decide.
    open: Option<&'s str>,
}

impl Check for Queues {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        match running(scene).is_empty() {
            true => Ask::skip("no role here names what it runs in a param `processes`"),
            false => Ask::nothing(),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        let expected = "every process of each role on a host, none that the role does not know";
        let mut found = Vec::new();
        for (role, running) in running(scene) {
            let is_placed = |name: &&str| running.placed.iter().any(|(placed, _)| placed == name);
            if let Some((name, span)) = running.placed.iter().find(|(name, _)| !running.all.contains(name)) {
                let known = format!("role {role} runs: {}", running.all.join(", "));
                found.push(
                    Judgement::fail(format!("role {role} runs no `{name}`"), expected).fix(known).at(scene, *span),
                );
            }
            let missing: Vec<&str> = running.all.iter().copied().filter(|name| !is_placed(name)).collect();
            found.push(match (missing.is_empty(), running.open) {
                (true, _) => Judgement::pass(format!("role {role}: {}", running.all.join(", ")), expected),
                (false, Some(service)) => {
                    let observed = format!(
                        "role {role}: whether {} runs depends on a template of service {service}",
                        missing.join(", ")
                    );
                    Judgement::warn(observed, expected).fix("write the list of processes out")
                }
                (false, None) => {
                    let failure =
                        Judgement::fail(format!("role {role}: no host runs {}", missing.join(", ")), expected);
                    running.place.into_iter().fold(failure, |failure, span| failure.at(scene, span))
                }
            });
        }
        Ok(Judgement::worst(found).unwrap_or_else(|| Judgement::skip("nothing is placed")))
    }
}

/// Roles that name what they run.
fn running<'s>(scene: &Scene<'s>) -> BTreeMap<&'s str, Running<'s>> {
    let mut roles: BTreeMap<&str, Running<'_>> = BTreeMap::new();
    for service in scene.spec.environment.services.iter().filter(|service| !service.on.is_empty()) {
        let role = scene.spec.roles.get(&service.role.value);
        let param = role.and_then(|role| role.params.iter().find(|param| param.name.value == PARAM));
        let Some(default) = param.and_then(|param| param.default.as_ref()).filter(|node| node.as_list().is_some())
        else {
            continue;
        };
        let running = roles.entry(&service.role.value).or_default();
        running.all = names(default).map(|(name, _)| name).collect();
        let written = service.params.iter().find(|(name, _)| name.value == PARAM).map(|(_, node)| node);
        running.place = running.place.or(written.map(|node| node.span)).or(Some(service.name.span));
        let list = written.unwrap_or(default);
        if list.as_list().is_none() || names(list).any(|(name, _)| name.contains("{{")) {
            running.open = Some(&service.name.value);
        }
        running.placed.extend(names(list).filter(|(name, _)| !name.contains("{{")));
    }
    roles
}

fn names(list: &Node) -> impl Iterator<Item = (&str, Span)> {
    list.as_list().unwrap_or_default().iter().filter_map(|item| Some((item.as_str()?, item.span)))
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Finding, Verdict};

    const ROLE: &str = "role: app\ndescription: a\nparams:\n  processes: {type: list, default: [web, sms_queue], doc: d}\nresources:\n  - package: x\n";

    fn found(services: &str) -> Finding {
        let environment = format!("environment: trial\nservices:\n{services}");
        Trial::with_roles(&environment, "hosts:\n  web1: {address: 10.0.0.1}\n", &[("app", ROLE)])
            .finding("spec.queues", "")
    }

    #[test]
    fn a_queue_on_no_host_fails_with_its_place() {
        let finding = found("  app: {on: web1, processes: [web]}\n");
        assert!(finding.stops() && finding.observed.contains("sms_queue"), "{finding:?}");
        assert_eq!(finding.place.map(|place| (place.line, place.column)), Some((3, 30)));
    }

    #[test]
    fn services_of_a_role_share_its_processes() {
        let both = "  app: {on: web1, processes: [web]}\n  more: {role: app, on: web1, processes: [sms_queue]}\n";
        assert_eq!(found(both).verdict, Verdict::Pass);
        assert_eq!(found("  app: {on: web1}\n").verdict, Verdict::Pass);
        assert_eq!(found("  app: {on: web1, processes: [web, sms_queue, flower]}\n").verdict, Verdict::Fail);
        let template = "  app: {on: web1, processes: [web, \"{{ host.name }}\"]}\n";
        assert_eq!(found(template).verdict, Verdict::Warn);
        assert_eq!(Trial::new().verdict("spec.queues", ""), Verdict::Skip);
    }
}
