//! `spec.hosts_allowed`: the application answers to the names of the site.

use cc_plan::node::Node;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// The application answers to the names of the site.
pub struct HostsAllowed;

/// The param under which a role lists the names that it answers to: Django's ALLOWED_HOSTS.
const PARAM: &str = "allowed_hosts";

static ABOUT: About = About {
    id: "spec.hosts_allowed",
    title: "The application answers to every name of the site",
    measures: "The param `allowed_hosts` of services against `site` and `alternate_sites` of `policy.preflight` and the param `site` of \
               services. `*` stands for every name, `.example.org` for all names below.",
    why: "Django answers 400 to every request for a name that is not in the list: the site is up and nobody can use it.",
    thresholds: &[],
    fix: "add the missing name to `allowed_hosts` of the service",
    source: "installation guide, step 2, 8: the sample lacks its own site",
    vantage: Vantage::Spec,
    applies: "environments that name their site and have a role with the param `allowed_hosts`, of every size, demo too",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Spec,
};

impl Check for HostsAllowed {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        if allowing(scene).next().is_none() {
            return Ask::skip("no role here lists the names that it answers to");
        }
        match sites(scene).is_empty() {
            true => Ask::skip("the environment names no site: neither `policy.preflight.site` nor a param `site`"),
            false => Ask::nothing(),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        let sites = sites(scene);
        let expected = format!("allowed: {}", sites.join(", "));
        let found = allowing(scene).map(|(service, list)| {
            let names: Vec<&str> =
                list.as_list().unwrap_or(std::slice::from_ref(list)).iter().filter_map(Node::as_str).collect();
            let missing: Vec<&str> =
                sites.iter().copied().filter(|site| !names.iter().any(|name| allows(name, site))).collect();
            if missing.is_empty() {
                Judgement::pass(format!("service {service}: {}", names.join(", ")), &expected)
            } else if names.iter().any(|name| name.contains("{{")) {
                let observed =
                    format!("service {service}: whether {} is allowed depends on a template", missing.join(", "));
                Judgement::warn(observed, &expected).at(scene, list.span)
            } else {
                let observed = format!("service {service} does not answer to {}", missing.join(", "));
                Judgement::fail(observed, &expected).at(scene, list.span)
            }
        });
        Ok(Judgement::worst(found).unwrap_or_else(|| Judgement::skip("no role lists names")))
    }
}

/// Services with the names that they answer to: their own, else their role's.
fn allowing<'s>(scene: &Scene<'s>) -> impl Iterator<Item = (&'s str, &'s Node)> {
    let spec = scene.spec;
    spec.environment.services.iter().filter_map(|service| {
        let param = spec.roles.get(&service.role.value)?.params.iter().find(|param| param.name.value == PARAM)?;
        let written = service.params.iter().find(|(name, _)| name.value == PARAM).map(|(_, node)| node);
        Some((service.name.value.as_str(), written.or(param.default.as_ref())?))
    })
}

/// The names of the site; those that a template makes are not known here.
fn sites<'s>(scene: &Scene<'s>) -> Vec<&'s str> {
    let environment = &scene.spec.environment;
    let policy = &environment.policy.preflight;
    let params = environment.services.iter().flat_map(|service| &service.params);
    let params = params.filter(|(name, _)| name.value == "site").filter_map(|(_, node)| node.as_str());
    let named = policy.site.iter().chain(&policy.alternate_sites).map(|site| site.value.as_str());
    let mut sites: Vec<&str> = named.chain(params).filter(|site| !site.contains("{{")).collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

/// As Django's ALLOWED_HOSTS does: whole names without case, or everything below a name with a dot before it.
fn allows(name: &str, site: &str) -> bool {
    let (name, site) = (name.to_lowercase(), site.to_lowercase());
    match name.strip_prefix('.') {
        Some(domain) => site == domain || site.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => name == "*" || name == site,
    }
}

#[cfg(test)]
mod tests {
    use super::allows;
    use crate::trial::Trial;
    use crate::{Finding, Verdict};

    const ROLE: &str = "role: app\ndescription: a\nparams:\n  allowed_hosts: {type: list, default: [\"*\"], doc: d}\n  site: {type: string, optional: true, doc: d}\nresources:\n  - package: x\n";

    fn found(policy: &str, params: &str) -> Finding {
        let environment = format!(
            "environment: trial\npolicy: {{preflight: {{{policy}}}}}\nservices:\n  app: {{on: web1{params}}}\n"
        );
        Trial::with_roles(&environment, "hosts:\n  web1: {address: 10.0.0.1}\n", &[("app", ROLE)])
            .finding("spec.hosts_allowed", "")
    }

    #[test]
    fn a_name_that_is_not_allowed_fails_with_its_place() {
        let finding = found("site: hq.gov.xx, alternate_sites: [www.gov.xx]", ", allowed_hosts: [hq.gov.xx]");
        assert!(finding.stops() && finding.observed.ends_with("www.gov.xx"), "{finding:?}");
        assert_eq!(finding.place.map(|place| place.line), Some(4));
        assert_eq!(found("", ", site: a.gov.xx, allowed_hosts: [hq.gov.xx]").verdict, Verdict::Fail);
        assert_eq!(found("site: hq.gov.xx", ", allowed_hosts: [\"{{ host.name }}\"]").verdict, Verdict::Warn);
    }

    #[test]
    fn the_rest_passes_or_does_not_apply() {
        assert_eq!(found("site: hq.gov.xx", "").verdict, Verdict::Pass);
        assert_eq!(found("site: hq.gov.xx", ", allowed_hosts: [.gov.xx]").verdict, Verdict::Pass);
        assert_eq!(found("", ", allowed_hosts: [x]").verdict, Verdict::Skip);
        assert_eq!(Trial::new().verdict("spec.hosts_allowed", ""), Verdict::Skip);
    }

    #[test]
    fn names_are_compared_as_django_does() {
        assert!(allows("*", "a") && allows("A.b", "a.B") && allows(".b.c", "a.b.c") && allows(".b.c", "b.c"));
        assert!(!allows(".b.c", "ab.c") && !allows("b.c", "a.b.c") && !allows("", "a"));
    }
}
