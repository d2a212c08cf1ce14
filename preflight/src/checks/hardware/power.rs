//! `hw.ups`: power that lasts for an orderly stop.

use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::ups::{APCACCESS, UPSC, Ups, apcupsd, nut};
use cc_agent::probe::Outcome;

/// Power that lasts for an orderly stop.
pub struct Power;

static RUNTIME: Threshold = Threshold {
    id: "hw.ups.runtime",
    doc: "a battery that lasts for less fails",
    unit: Unit::Duration,
    values: Values::Same(600.0),
    basis: Basis::Proposed(
        "twice the five minutes that an orderly stop of all services takes; measure yours and set it",
    ),
};

static ABOUT: About = About {
    id: "hw.ups",
    title: "Power lasts for an orderly stop",
    measures: "`upsc` of NUT or `apcaccess` of apcupsd: whether the power supply has mains, for how long its battery lasts, and whether \
               the service that stops the host in time is active.",
    why: "Databases that lose power in the middle of a write may not start again.",
    thresholds: &[&RUNTIME],
    fix: "fit an uninterruptible power supply, and let NUT (upsmon) or apcupsd stop the host in time",
    source: "transition guide 2.2, consideration 5, questions 7 and 8",
    vantage: Vantage::Host,
    applies: "machines without a hypervisor; of virtual machines a person attests what supplies the machine below. `demo` skips it",
    blocks: &[Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

const MONITOR: [&str; 3] = ["systemctl", "is-active", "nut-monitor.service"];

impl Check for Power {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        match host.virtualization() {
            _ if scene.size() == Size::Demo => Ask::skip("a rehearsal (size demo) may lose its power"),
            Some("vm") => Ask::attest("a virtual machine does not see what supplies the machine below it"),
            Some("container") => Ask::skip("a container does not see the hardware of its machine"),
            _ => Ask::of(host, [command(&UPSC), command(&MONITOR), command(&APCACCESS)]),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let expected = format!("mains, {} of battery, and an orderly stop", scene.limit_text(&RUNTIME));
        if answers.ended(0)?.0 != 127 {
            let all = nut(answers.stdout(0)?)
                .ok_or_else(|| Unmeasured::new("`upsc` does not tell the state and the time of each power supply"))?;
            let monitored = answers.ended(1)?.1.trim() == "active";
            let judgements = all.iter().map(|ups| judged(scene, ups, monitored, &expected));
            return Judgement::worst(judgements).ok_or_else(|| Unmeasured::new("NUT knows no power supply"));
        }
        if *answers.outcome(2) == Outcome::Absent {
            return Ok(Judgement::fail("neither NUT nor apcupsd is on this host", expected));
        }
        // apcupsd answers only while it runs, and then it stops the host in time.
        let ups = apcupsd(answers.stdout(2)?)
            .ok_or_else(|| Unmeasured::new("`apcaccess` does not tell the state and the time of the power supply"))?;
        Ok(judged(scene, &ups, true, &expected))
    }
}

fn judged(scene: &Scene<'_>, ups: &Ups, monitored: bool, expected: &str) -> Judgement {
    let state = if ups.online { "mains" } else { "on battery" };
    let observed = format!("{}: {state}, {} of battery", ups.name, Unit::Duration.show(ups.runtime));
    match () {
        () if !ups.online => Judgement::fail(observed, expected).fix("wait until mains is back"),
        () if ups.runtime < scene.limit(&RUNTIME) => {
            Judgement::fail(observed, expected).fix("replace the battery, or supply less by it")
        }
        () if !monitored => Judgement::fail(format!("{observed}; nobody stops the host"), expected)
            .fix("configure upsmon and start it: `systemctl enable --now nut-monitor`"),
        () => Judgement::pass(observed, expected),
    }
}

#[cfg(test)]
mod tests {
    use super::MONITOR;
    use crate::tool::ups::{APCACCESS, UPSC};
    use crate::trial::Trial;
    use crate::{Phase, Verdict};
    use cc_agent::probe::Outcome;

    fn trial(platform: &str, status: i32, upsc: &str, monitor: &str) -> Trial {
        let mut trial = Trial::new();
        trial.phase = Phase::GoLive;
        trial.facts.values_mut().for_each(|facts| platform.clone_into(&mut facts.virtualization));
        trial.command("web1", &UPSC, status, upsc, "");
        trial.command("web1", &MONITOR, i32::from(monitor != "active") * 3, monitor, "");
        trial.whatever_limit("web1", &APCACCESS, Outcome::Absent);
        trial
    }

    #[test]
    fn the_battery_must_last_and_somebody_must_stop_the_host() {
        let nut = include_str!("../../../tests/fixtures/upsc/on-line.txt");
        let verdict = |text: &str, monitor| trial("metal", 0, text, monitor).verdict("hw.ups", "web1");
        assert_eq!(verdict(nut, "active"), Verdict::Pass);
        assert_eq!(verdict(nut, "inactive"), Verdict::Fail);
        assert_eq!(verdict(&nut.replace("1830", "300"), "active"), Verdict::Fail);
        assert_eq!(verdict(&nut.replace("OL CHRG", "OB"), "active"), Verdict::Fail);
        for text in ["", "Error: Data stale", "[rack]\nups.status: OL\n"] {
            assert!(trial("metal", 0, text, "active").finding("hw.ups", "web1").unmeasured, "{text}");
        }
        assert_eq!(trial("vm", 0, "", "").verdict("hw.ups", "web1"), Verdict::Attest);
    }

    #[test]
    fn apcupsd_will_do_and_nothing_will_not() {
        let mut trial = trial("metal", 127, "", "inactive");
        assert!(trial.finding("hw.ups", "web1").observed.starts_with("neither"));
        trial.command("web1", &APCACCESS, 0, include_str!("../../../tests/fixtures/apcaccess/on-line.txt"), "");
        assert_eq!(trial.verdict("hw.ups", "web1"), Verdict::Pass);
        trial.command("web1", &APCACCESS, 1, "", "Error contacting apcupsd");
        assert!(trial.finding("hw.ups", "web1").unmeasured);
    }
}
