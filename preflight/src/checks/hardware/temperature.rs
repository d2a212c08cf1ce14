//! `hw.temp`: machines are not too warm.

use cc_plan::counted;

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::sensors::{SENSORS, temperatures};

/// Machines are not too warm.
pub struct Temperature;

static ABOUT: About = About {
    id: "hw.temp",
    title: "The machine is not too warm",
    measures: "`sensors -j`: each thermometer against the limits that its chip has for high and critical.",
    why: "A machine that is too warm slows down, then switches itself off; its disks age in months.",
    thresholds: &[],
    fix: "clean fans and filters, and cool the room",
    source: "prerequisites 1, temperature",
    vantage: Vantage::Host,
    applies: "machines without a hypervisor; virtual machines and containers have no thermometers. It needs the package lm-sensors on \
              the host. It blocks nothing: what is too warm now may be cool in an hour",
    blocks: &[],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Temperature {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        super::metal(scene, subject, || vec![command(&SENSORS)])
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let text = answers.installed(0)?.ok_or_else(|| {
            Unmeasured::new("`sensors` is not on this host")
                .fix("install lm-sensors on the host: `apt install lm-sensors`")
        })?;
        let all = temperatures(text).ok_or_else(|| Unmeasured::new("`sensors` printed something else than JSON"))?;
        let expected = "below the limits of each chip";
        let judgements = all.iter().map(|one| {
            let above = |limit: Option<f64>| limit.is_some_and(|limit| limit > 0.0 && one.now >= limit);
            let observed = format!("{}: {:.0} °C", one.name, one.now);
            match () {
                () if above(one.critical) => Judgement::fail(format!("{observed}, critical"), expected),
                () if above(one.high) => Judgement::warn(format!("{observed}, high"), expected),
                () => Judgement::pass(observed, expected),
            }
        });
        let worst = Judgement::worst(judgements).ok_or_else(|| Unmeasured::new("no thermometer is seen"))?;
        // Without limits nothing can be too warm: that is no answer.
        match all.iter().any(|one| one.high.is_some() || one.critical.is_some()) {
            true if worst.verdict == crate::Verdict::Pass => {
                Ok(Judgement::pass(format!("{} below the limit", counted(all.len(), "thermometer")), expected))
            }
            true => Ok(worst),
            false => Err(Unmeasured::new("no thermometer has a limit")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::sensors::SENSORS;
    use crate::trial::Trial;

    #[test]
    fn limits_are_those_of_the_chips() {
        let server = include_str!("../../../tests/fixtures/sensors/server.txt");
        let mut trial = Trial::new();
        trial.facts.values_mut().for_each(|facts| "metal".clone_into(&mut facts.virtualization));
        let mut finding = |text: &str| {
            trial.command("web1", &SENSORS, 0, text, "");
            trial.finding("hw.temp", "web1")
        };
        assert_eq!(finding(server).verdict, Verdict::Pass);
        assert!(finding(&server.replace("46.0", "85.0")).observed.ends_with("Core 0: 85 °C, high"));
        let critical = finding(&server.replace("46.0", "100.0"));
        assert!(critical.verdict == Verdict::Warn && critical.observed.ends_with("critical"), "it blocks nothing");
        for text in ["", "{}", "coretemp: 46", "{\"acpitz\": {\"temp1\": {\"temp1_input\": 27.8}}}"] {
            assert!(finding(text).unmeasured, "{text}");
        }
    }
}
