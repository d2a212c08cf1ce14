//! `spec.size`: a size that carries the users.

use cc_plan::counted;
use cc_plan::spec::environment::Size as Declared;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};

/// A size that carries the users.
pub struct Size;

const SIZING: Basis = Basis::Documented("requirements guide, recommended server sizings; transition guide 1.2");

static SINGLE: Threshold = users("spec.size.single_users", "one server carries fewer mobile users than this", 1500.0);
static MICRO: Threshold = users("spec.size.micro_users", "two servers carry fewer mobile users than this", 3500.0);
static SMALL: Threshold = users("spec.size.small_users", "five servers carry fewer mobile users than this", 15_000.0);
static CASES: Threshold =
    users("spec.size.cases_per_user", "the sizes hold for at most so many cases for each user", 10_000.0);
static NEAR: Threshold = Threshold {
    id: "spec.size.near",
    doc: "a size that is used to this share of its users is warned of",
    unit: Unit::Percent,
    values: Values::Same(80.0),
    basis: Basis::Proposed("a move to the next size takes months, in which the users grow"),
};

const fn users(id: &'static str, doc: &'static str, figure: f64) -> Threshold {
    Threshold { id, doc, unit: Unit::Count, values: Values::Same(figure), basis: SIZING }
}

static ABOUT: About = About {
    id: "spec.size",
    title: "The declared size carries the planned users",
    measures: "`size`, and `users` and `cases_per_user` of `policy.preflight`; the number of hosts; and whether a service that others \
               use stands on several hosts.",
    why: "A site that is too small becomes slow in its second year, and moving it then takes a migration. Everything else is measured \
          against the size: where it is wrong, so is every threshold.",
    thresholds: &[&SINGLE, &MICRO, &SMALL, &CASES, &NEAR],
    fix: "declare the next size and the hosts for it, or plan for fewer users",
    source: "requirements guide, recommended server sizings; transition guide 1.2",
    vantage: Vantage::Spec,
    applies: "every size but demo, which says nothing about capacity",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Spec,
};

impl Check for Size {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        match scene.size() {
            Declared::Demo => Ask::skip("size demo says nothing about capacity"),
            _ => Ask::nothing(),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, _answers: &Answered<'_>) -> Judged {
        let found = [users_fit(scene), cases_fit(scene), hosts_fit(scene)];
        Ok(Judgement::worst(found).unwrap_or_else(|| Judgement::skip("nothing is declared")))
    }
}

/// The size's name, the users below which it carries them, and the hosts that it has.
fn bounds(scene: &Scene<'_>) -> (&'static str, Option<f64>, usize) {
    match scene.size() {
        Declared::Demo => ("demo", None, 0),
        Declared::Single => ("single", Some(scene.limit(&SINGLE)), 1),
        Declared::Micro => ("micro", Some(scene.limit(&MICRO)), 2),
        Declared::Small => ("small", Some(scene.limit(&SMALL)), 5),
        Declared::Large => ("large", None, 6),
    }
}

fn users_fit(scene: &Scene<'_>) -> Judgement {
    let (size, most, _) = bounds(scene);
    let expected = match most {
        Some(most) => format!("size {size}: fewer than {most} users"),
        None => format!("size {size}: a resource model of its own"),
    };
    let Some(users) = &scene.spec.environment.policy.preflight.users else {
        return Judgement::warn("the environment does not say how many users are planned for", expected)
            .fix("write the number of mobile users as `users` under `policy.preflight` of the environment");
    };
    let (observed, count) = (counted(users.value, "user"), f64::from(users.value));
    match most {
        Some(most) if count >= most => {
            let enough = [(&SINGLE, "single"), (&MICRO, "micro"), (&SMALL, "small")];
            let enough =
                enough.into_iter().find(|(limit, _)| count < scene.limit(limit)).map_or("large", |(_, name)| name);
            let fix = format!("declare `size: {enough}` with the hosts for it, or plan for fewer users");
            Judgement::fail(observed, expected).fix(fix).at(scene, users.span)
        }
        Some(most) if count >= most * scene.limit(&NEAR) / 100.0 => {
            let observed = format!("{observed}, {:.0}% of what the size carries", count / most * 100.0);
            Judgement::warn(observed, expected).fix("plan the move to the next size").at(scene, users.span)
        }
        _ => Judgement::pass(observed, expected).at(scene, users.span),
    }
}

fn cases_fit(scene: &Scene<'_>) -> Judgement {
    let expected = format!("at most {} cases for each user", scene.limit_text(&CASES));
    match &scene.spec.environment.policy.preflight.cases_per_user {
        Some(cases) if f64::from(cases.value) > scene.limit(&CASES) => {
            Judgement::fail(format!("{} for each user", counted(cases.value, "case")), expected)
                .fix("size the site with a resource model of its own, or have users sync fewer cases")
                .at(scene, cases.span)
        }
        Some(cases) => Judgement::pass(format!("{} for each user", counted(cases.value, "case")), expected),
        None => Judgement::pass("cases for each user are not named and taken to be within the limit", expected),
    }
}

/// Fewer hosts than the size has make its thresholds too lax; a service that others use on several hosts is more than `single`.
fn hosts_fit(scene: &Scene<'_>) -> Judgement {
    let (size, _, least) = bounds(scene);
    let (hosts, expected) = (scene.spec.inventory.hosts.len(), format!("size {size}: {least} hosts"));
    let offering = scene.plan.stages.iter().flat_map(|stage| &stage.services).find(|service| {
        let role = scene.spec.roles.get(&service.role);
        service.hosts.len() > 1 && role.is_some_and(|role| !role.offers.is_empty())
    });
    if let (Declared::Single, Some(service)) = (scene.size(), offering) {
        let observed = format!(
            "service {} stands on {}: a site that survives a host is more than single",
            service.name,
            service.hosts.join(", ")
        );
        let judgement = Judgement::fail(observed, "size single: one server")
            .fix("declare `size: micro` or larger, or place the service on one host");
        let written = scene.spec.environment.services.iter().find(|written| written.name.value == service.name);
        return written.into_iter().fold(judgement, |judgement, written| judgement.at(scene, written.name.span));
    }
    if hosts < least {
        let fix = "add the hosts, or declare the size that these hosts make";
        return Judgement::warn(counted(hosts, "host"), expected).fix(fix);
    }
    Judgement::pass(counted(hosts, "host"), expected)
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Finding, Verdict};

    const HOSTS: &str = "hosts:\n  web1: {address: 10.0.0.1}\n  db1: {address: 10.0.0.2}\n";

    fn found(size: &str, preflight: &str, database: &str) -> Finding {
        let environment = format!(
            "environment: trial\nsize: {size}\npolicy: {{preflight: {{{preflight}}}}}\nservices:\n  database: {{on: {database}}}\n  web: {{on: web1}}\n"
        );
        Trial::of(&environment, HOSTS).finding("spec.size", "")
    }

    #[test]
    fn users_decide() {
        for (size, users, verdict) in [
            ("single", 1199, Verdict::Pass),
            ("single", 1200, Verdict::Warn),
            ("single", 1500, Verdict::Fail),
            ("micro", 1500, Verdict::Pass),
            ("micro", 3500, Verdict::Fail),
            ("demo", 90_000, Verdict::Skip),
        ] {
            let finding = found(size, &format!("users: {users}"), "db1");
            assert_eq!(finding.verdict, verdict, "{size} {users}: {finding:?}");
        }
        let over = found("single", "users: 4000", "db1");
        assert!(over.fix.contains("`size: small`"), "{over:?}");
        let place = over.place.map(|place| place.to_string());
        assert_eq!(place.as_deref(), Some("environments/trial/environment.yml:3:29"));
        assert_eq!(
            found("single", "users: 4000, thresholds: {spec.size.single_users: 9000}", "db1").verdict,
            Verdict::Pass
        );
    }

    #[test]
    fn who_names_no_users_is_asked_for_them() {
        let finding = found("single", "", "db1");
        assert!(finding.verdict == Verdict::Warn && finding.fix.contains("`users`"), "{finding:?}");
    }

    #[test]
    fn many_cases_few_hosts_and_redundancy_are_found() {
        assert_eq!(found("single", "users: 10, cases_per_user: 10001", "db1").verdict, Verdict::Fail);
        assert_eq!(found("small", "users: 10", "db1").verdict, Verdict::Warn);
        let redundant = found("single", "users: 10", "[web1, db1]");
        assert!(redundant.stops() && redundant.observed.contains("database"), "{redundant:?}");
    }
}
