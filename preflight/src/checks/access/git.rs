//! `acc.git`: a git that can check code out.

use cc_plan::plan::HostPlan;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, Question, command};
use crate::scene::Scene;
use crate::subject::Subject;

/// The first git that takes settings from `GIT_CONFIG_COUNT`, as the `git` resource hands them over.
const LEAST: (u32, u32) = (2, 31);

/// A git that can check code out.
pub struct Git;

// The predecessor asserts 2.49 in a role of its own, which adds a package source for it; changelog 0097 gives no reason that
// would hold here. What is needed here is what the `git` resource uses, which the supported systems have.
static ABOUT: About = About {
    id: "acc.git",
    title: "git is new enough to check code out",
    measures: "`git --version` on hosts that check code out: at least 2.31, the first that takes its settings from the environment, \
               so that an address with a password in it stands in no file and no list of processes.",
    why: "An older git ignores those settings and finds no address to fetch from: the deploy stops there.",
    thresholds: &[],
    fix: "install git from the packages of a supported system; each has 2.34 or newer",
    source: "release notes of git 2.31; the predecessor's changelog 0097 asks for 2.49, for reasons of its own",
    vantage: Vantage::Host,
    applies: "hosts with a service that uses the resource `git`, of every size, demo too",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Git {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Subject::Host(host) = subject else { return Ask::skip("it is asked of hosts") };
        let name = &scene.hosts[host].name;
        match plan(scene, name).is_some_and(|plan| has(plan, "git", None)) {
            true => Ask::Measure(vec![Question::On { host: name.clone(), probe: command(&["git", "--version"]) }]),
            false => Ask::skip("no service on it checks code out"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let expected = format!("git {}.{} or newer", LEAST.0, LEAST.1);
        let Some(text) = answers.installed(0)? else {
            let host = subject.host().map(|host| scene.hosts[host].name.as_str()).unwrap_or_default();
            let comes = plan(scene, host).is_some_and(|plan| has(plan, "package", Some("git")));
            return Ok(match comes {
                true => Judgement::skip("git is not installed yet; the plan installs it"),
                false => Judgement::fail("git is not installed, and no service installs it", expected)
                    .fix("add `package: git` to the role that checks code out, before its `git`"),
            });
        };
        let version = version(text).ok_or_else(|| Unmeasured::new("`git --version` printed no version"))?;
        let observed = format!("git {}.{}", version.0, version.1);
        Ok(if version >= LEAST { Judgement::pass(observed, expected) } else { Judgement::fail(observed, expected) })
    }
}

fn plan<'s>(scene: &Scene<'s>, host: &str) -> Option<&'s HostPlan> {
    scene.plan.hosts.iter().find(|plan| plan.host == host)
}

fn has(plan: &HostPlan, kind: &str, identity: Option<&str>) -> bool {
    let is = |step: &cc_agent::step::Step| {
        step.resource.type_name() == kind && identity.is_none_or(|identity| step.resource.identity() == identity)
    };
    plan.steps.iter().any(is)
}

/// `git version 2.39.5 (Apple Git-154)`: the first two numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("git version ")?.split(['.', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;
    use proptest::prelude::*;

    use super::version;
    use crate::trial::Trial;
    use crate::{Verdict, command};

    const ROLE: &str = "role: code\ndescription: c\nresources:\n  - git: /opt/code\n    repository: https://git.example.org/x\n    revision: main\n";

    fn trial(role: &str) -> Trial {
        let environment = "environment: trial\nservices:\n  code: {on: web1}\n  database: {on: db1}\n";
        Trial::with_roles(
            environment,
            "hosts:\n  web1: {address: 10.0.0.1}\n  db1: {address: 10.0.0.2}\n",
            &[("code", role)],
        )
    }

    #[test]
    fn only_where_code_is_checked_out() {
        let mut trial = trial(ROLE);
        for (text, verdict) in [
            ("git version 2.39.5\n", Verdict::Pass),
            ("git version 2.31\n", Verdict::Pass),
            ("git version 3.0.0 (x)\n", Verdict::Pass),
            ("git version 2.30.9\n", Verdict::Fail),
            ("git version two\n", Verdict::Fail),
            ("", Verdict::Fail),
        ] {
            trial.command("web1", &["git", "--version"], 0, text, "");
            assert_eq!(trial.verdict("acc.git", "web1"), verdict, "{text}");
        }
        assert_eq!(trial.verdict("acc.git", "db1"), Verdict::Skip);
    }

    #[test]
    fn a_git_that_comes_with_the_plan_is_not_missed() {
        let mut bare = trial(ROLE);
        bare.answer("web1", command(&["git", "--version"]), Outcome::Absent);
        assert_eq!(bare.verdict("acc.git", "web1"), Verdict::Fail);
        let mut with = trial(&ROLE.replace("resources:\n", "resources:\n  - package: git\n"));
        with.answer("web1", command(&["git", "--version"]), Outcome::Absent);
        assert_eq!(with.verdict("acc.git", "web1"), Verdict::Skip);
    }

    proptest! {
        #[test]
        fn only_a_version_is_a_version(text in "\\PC{0,40}") {
            prop_assert!(version(&text).is_none() || text.trim().starts_with("git version "));
        }
    }
}
