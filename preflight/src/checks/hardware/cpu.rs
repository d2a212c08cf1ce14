//! `hw.cpu`: enough processors.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::lscpu::{LSCPU, Lscpu};

/// Enough processors.
pub struct Cpu;

static ENOUGH: Threshold = Threshold {
    id: "hw.cpu.enough",
    doc: "fewer processors warn",
    unit: Unit::Count,
    values: Values::BySize { demo: 1.0, single: 8.0, micro: 4.0, small: 4.0, large: 4.0 },
    basis: Basis::Documented(
        "prerequisites 5: t3.2xlarge has 8 for one server, t3.xlarge has 4 for a server of a cluster",
    ),
};
static LEAST: Threshold = Threshold {
    id: "hw.cpu.least",
    doc: "fewer processors fail",
    unit: Unit::Count,
    values: Values::BySize { demo: 1.0, single: 4.0, micro: 2.0, small: 2.0, large: 2.0 },
    basis: Basis::Documented("installation guide, step 2: 4 for one server, 2 for a host of the sample cluster"),
};

static ABOUT: About = About {
    id: "hw.cpu",
    title: "The host has enough processors",
    measures: "The processors that are on line by `lscpu`, or fewer where a quota of the host's control group allows fewer.",
    why: "With too few processors requests and background work wait for each other: submissions of forms time out.",
    thresholds: &[&ENOUGH, &LEAST],
    fix: "give the host more processors, or place services on more hosts",
    source: "prerequisites 5; installation guide, step 2",
    vantage: Vantage::Host,
    applies: "every host; `demo` asks for one processor, because a rehearsal shares its machine. Where one of two micro servers \
              must carry everything when the other fails, set `hw.cpu.enough: 8` in `policy.preflight.thresholds`",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Quarter,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Cpu {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        Ask::of(host, [command(&LSCPU)])
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let cpu = Lscpu::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`lscpu` does not say which processors are on line"))?;
        let quota = scene.host(subject)?.facts.as_ref().map_or(cpu.online, |facts| facts.cpus);
        let count = cpu.online.min(quota);
        let model = cpu.model.map(|model| format!(" ({model})")).unwrap_or_default();
        let observed = match count < cpu.online {
            true => format!("{count} of {}{model} by its control group", cpu.online),
            false => format!("{count}{model}"),
        };
        let count = f64::from(count);
        let at_least = |threshold| format!("at least {}", scene.limit_text(threshold));
        Ok(if count < scene.limit(&LEAST) {
            Judgement::fail(observed, at_least(&LEAST))
        } else if count < scene.limit(&ENOUGH) {
            Judgement::warn(observed, at_least(&ENOUGH))
        } else {
            Judgement::pass(observed, at_least(&ENOUGH))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::lscpu::LSCPU;
    use crate::trial::Trial;

    const TWELVE: &str = include_str!("../../../tests/fixtures/lscpu/nested.txt");

    fn with(cpus: u32) -> Trial {
        let mut trial = Trial::new();
        trial.facts.get_mut("web1").into_iter().for_each(|facts| facts.cpus = cpus);
        trial.command("web1", &LSCPU, 0, TWELVE, "");
        trial
    }

    #[test]
    fn one_server_wants_eight_and_needs_four() {
        for (cpus, verdict) in
            [(12, Verdict::Pass), (8, Verdict::Pass), (7, Verdict::Warn), (4, Verdict::Warn), (3, Verdict::Fail)]
        {
            assert_eq!(with(cpus).verdict("hw.cpu", "web1"), verdict, "{cpus}");
        }
        assert!(with(3).finding("hw.cpu", "web1").observed.starts_with("3 of 12"));
    }

    #[test]
    fn what_is_no_answer_is_no_pass() {
        let mut trial = with(64);
        for (status, text) in [(0, ""), (0, "{\"lscpu\": []}"), (1, TWELVE), (0, "Architektur: x86_64")] {
            trial.command("web1", &LSCPU, status, text, "");
            assert!(trial.finding("hw.cpu", "web1").unmeasured);
        }
    }
}
