//! `hw.ramplan`: what the configured services will take fits into the memory.

use cc_plan::plan::Needs;

use super::memory::memory_of;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, file};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::meminfo::MEMINFO;

/// What the configured services will take fits into the memory.
pub struct MemoryPlan;

static PASS: Threshold = Threshold {
    id: "hw.ramplan.pass",
    doc: "services that take a larger share of the memory warn",
    unit: Unit::Percent,
    values: Values::Same(85.0),
    basis: Basis::Proposed("the system, its file cache and people who log in need the rest"),
};
static FAIL: Threshold = Threshold {
    id: "hw.ramplan.fail",
    doc: "services that take a larger share of the memory fail",
    unit: Unit::Percent,
    values: Values::Same(95.0),
    basis: Basis::Proposed("the kernel and the system's own services take about this much of a small host"),
};

static ABOUT: About = About {
    id: "hw.ramplan",
    title: "What the configured services will take fits into the memory",
    measures: "The sum of the memory that the roles of the services on the host declare as their `needs`, with the parameters of \
               the environment, against the memory of the host.",
    why: "Each service is tuned as if it were alone; together their defaults can exceed the memory. They start all the same, and \
          the kernel kills one of them under load, weeks later.",
    thresholds: &[&PASS, &FAIL],
    fix: "set the memory of the services explicitly, or place some on another host",
    source: "role defaults of commcare-cloud, which together exceed one host's memory",
    vantage: Vantage::Host,
    applies: "every host of every size that has services. Services whose role declares no need are named and count as nothing",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for MemoryPlan {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) if host.services.is_empty() => Ask::skip("no service is on this host"),
            Ok(host) => Ask::of(host, [file(MEMINFO)]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let memory = memory_of(host, answers, 0)?;
        known(scene, host)?;
        let mut takers: Vec<(&Needs, u64)> =
            host.needs.iter().filter_map(|needs| Some((needs, needs.memory?))).collect();
        takers.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        // An empty sum of floats is -0.
        let sum = takers.iter().map(|(_, bytes)| *bytes as f64).sum::<f64>() + 0.0;
        let share = sum * 100.0 / memory;
        let who = takers.iter().map(|(needs, bytes)| format!("{} {}", needs.service, Unit::Bytes.show(*bytes as f64)));
        let who: Vec<String> = who.collect();
        let who = if who.is_empty() { "nobody declares any".to_owned() } else { who.join(", ") };
        let observed =
            format!("{} of {} ({share:.0}%): {who}{}", Unit::Bytes.show(sum), Unit::Bytes.show(memory), silent(host));
        let at_most = |threshold| format!("at most {} of the memory", scene.limit_text(threshold));
        Ok(if share > scene.limit(&FAIL) {
            Judgement::fail(observed, at_most(&FAIL))
        } else if share > scene.limit(&PASS) {
            Judgement::warn(observed, at_most(&PASS))
        } else {
            Judgement::pass(observed, at_most(&PASS))
        })
    }
}

/// Whether the need of each service is known whose role declares one.
fn known(scene: &Scene<'_>, host: &HostScene<'_>) -> Result<(), Unmeasured> {
    let unknown = host.services.iter().find(|service| {
        let role = scene.spec.roles.get(&service.role.value);
        let declared = role.is_some_and(|role| role.needs.iter().any(|(what, _)| what.value == "memory"));
        let needs = host.needs.iter().find(|needs| needs.service == service.name.value);
        declared && needs.is_none_or(|needs| needs.memory.is_none())
    });
    match unknown {
        None => Ok(()),
        Some(service) => {
            Err(Unmeasured::new(format!("what {} needs depends on facts that are not known", service.name.value))
                .fix("make sure that every host of the environment answers"))
        }
    }
}

/// Services without a figure.
fn silent(host: &HostScene<'_>) -> String {
    let counted = |name: &str| host.needs.iter().any(|needs| needs.service == name && needs.memory.is_some());
    let silent = host.services.iter().map(|service| service.name.value.as_str()).filter(|name| !counted(name));
    match silent.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        names => format!("; without a figure: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::meminfo::MEMINFO;
    use crate::trial::Trial;

    /// The host has 4 GiB; a database takes 1 GiB, the application declares nothing.
    fn trial(redis: u64) -> Trial {
        let environment = format!(
            "environment: trial\nsize: single\nservices:\n  database: {{on: a}}\n  web: {{on: a}}\n  redis: {{on: a, gigabytes: {redis}}}\n"
        );
        let mut trial =
            Trial::of(&environment, "provider: static\nhosts:\n  a: {address: 10.0.0.1}\n  b: {address: 10.0.0.2}\n");
        for host in ["a", "b"] {
            trial.file(host, MEMINFO, &format!("MemTotal: {} kB\n", 4 << 20));
        }
        trial
    }

    #[test]
    fn an_overcommitted_host_is_refused_and_says_who_takes_what() {
        let finding = trial(3).finding("hw.ramplan", "a");
        assert!(finding.stops());
        assert_eq!(finding.observed, "4 GiB of 4 GiB (100%): redis 3 GiB, database 1 GiB; without a figure: web");
        assert_eq!(trial(2).verdict("hw.ramplan", "a"), Verdict::Pass);
        assert_eq!(trial(2).verdict("hw.ramplan", "b"), Verdict::Skip);
    }

    #[test]
    fn a_need_that_is_not_known_is_no_pass() {
        let mut trial = trial(2);
        trial.plan.hosts[0].needs.retain(|needs| needs.service != "redis");
        let finding = trial.finding("hw.ramplan", "a");
        assert!(finding.unmeasured && finding.observed.contains("redis"), "{finding:?}");
        trial.file("a", MEMINFO, "");
        assert!(trial.finding("hw.ramplan", "a").unmeasured);
    }
}
