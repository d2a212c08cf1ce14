//! `os.time`: the clock is right.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::{Answered, Clock};
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::chrony::Tracking;
use crate::tool::timedatectl::Timedatectl;

/// The clock is right.
pub struct Time;

static WARN: Threshold = Threshold {
    id: "os.time.warn",
    doc: "A clock that is further off than this warns",
    unit: Unit::Duration,
    values: Values::Same(0.1),
    basis: Basis::Proposed("a clock that is kept right over the internet is within some ten milliseconds"),
};

static FAIL: Threshold = Threshold {
    id: "os.time.fail",
    doc: "A clock that is this far off fails",
    unit: Unit::Duration,
    values: Values::Same(1.0),
    basis: Basis::Proposed(
        "one second reorders the records of two hosts; no service that keeps clocks right leaves that much",
    ),
};

static ABOUT: About = About {
    id: "os.time",
    title: "The clock is kept right",
    measures: "Whether the clock is synchronised (`timedatectl show`, `chronyc -c tracking`), and how far it is from its time \
               source and from the clock of the operator's machine, less half the round trip.",
    why: "Certificates, sessions, tasks that are due and the order of records all depend on the clock; hosts whose clocks differ \
          lose or repeat work, and a change made then leaves records that cannot be put in order.",
    thresholds: &[&WARN, &FAIL],
    fix: "install chrony (`apt-get install chrony`), let the host reach a time server over UDP 123, and wait until \
          `timedatectl` shows `System clock synchronized: yes`",
    source: "the predecessor installs ntp or chrony on every host (role common_installs); the figures are proposed",
    vantage: Vantage::Host,
    applies: "every host of every size; not containers of a rehearsal (demo), whose clock is that of the machine",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration, Phase::Change],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Time {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) if scene.rehearses_in_container(host) => {
                Ask::skip("a container of a rehearsal (demo): its clock is that of the machine")
            }
            Ok(host) => Ask::of(host, [command(&["timedatectl", "show"]), command(&["chronyc", "-c", "tracking"])]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let expected = format!("synchronised, less than {} off", scene.limit_text(&WARN));
        // A chrony that is not there, or is installed and does not run, says nothing: then the kernel's word counts.
        let tracking = answers.ended(1).ok().filter(|(status, ..)| *status == 0);
        let tracking = tracking.and_then(|(_, stdout, _)| Tracking::parse(stdout));
        let synchronized = match &tracking {
            Some(tracking) => tracking.synchronized,
            None => {
                let told = Timedatectl::parse(answers.stdout(0)?).and_then(|told| told.synchronized);
                told.ok_or_else(|| {
                    Unmeasured::new("`timedatectl show` does not say whether the clock is synchronised")
                })?
            }
        };
        let by = match &tracking {
            Some(tracking) => {
                format!("chrony, stratum {}, {:.1} ms off", tracking.stratum, tracking.offset.abs() * 1e3)
            }
            None => "as the kernel says".to_owned(),
        };
        if !synchronized {
            return Ok(Judgement::fail(format!("not synchronised ({by})"), expected));
        }
        let clock = answers.clock(&host.name)?;
        let observed = format!("synchronised ({by}), {}", beside(clock));
        let off = surely(clock).max(tracking.map_or(0.0, |tracking| tracking.offset.abs()));
        Ok(if off >= scene.limit(&FAIL) {
            Judgement::fail(observed, expected).fix(
                "the host holds its clock to be right: look at the clock of the operator's machine first, then at the \
                 host's time source (`chronyc sources`, `timedatectl timesync-status`)",
            )
        } else if off >= scene.limit(&WARN) {
            Judgement::warn(observed, expected)
        } else {
            Judgement::pass(observed, expected)
        })
    }
}

/// How far two clocks are apart at least, in seconds. What could not be compared is as far as can be.
fn surely(clock: Clock) -> f64 {
    let off = clock.ahead.abs() - clock.uncertainty;
    if off.is_nan() { f64::INFINITY } else { off.max(0.0) }
}

fn beside(Clock { ahead, uncertainty }: Clock) -> String {
    let way = if ahead < 0.0 { "behind" } else { "ahead of" };
    format!("{:.0} ms {way} the operator's machine (± {:.0} ms)", ahead.abs() * 1e3, uncertainty * 1e3)
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use crate::Verdict;
    use crate::trial::Trial;

    const TIMEDATECTL: [&str; 2] = ["timedatectl", "show"];
    const CHRONYC: [&str; 3] = ["chronyc", "-c", "tracking"];
    const SYNCHRONIZED: &str = include_str!("../../../tests/fixtures/timedatectl/synchronized.txt");
    const UNSYNCHRONIZED: &str = include_str!("../../../tests/fixtures/timedatectl/unsynchronized.txt");
    const FOLLOWS: &str = include_str!("../../../tests/fixtures/chrony/synchronised.txt");
    const ALONE: &str = include_str!("../../../tests/fixtures/chrony/not_synchronised.txt");

    fn trial(timedatectl: &str, chrony: Option<&str>, ahead: f64, uncertainty: f64) -> Trial {
        let mut trial = Trial::new();
        trial.command("web1", &TIMEDATECTL, 0, timedatectl, "").clock("web1", ahead, uncertainty);
        match chrony {
            Some(line) => trial.command("web1", &CHRONYC, 0, line, ""),
            None => trial.whatever_limit("web1", &CHRONYC, Outcome::Absent),
        };
        trial
    }

    #[test]
    fn only_what_is_beyond_the_uncertainty_counts() {
        for (ahead, uncertainty, verdict) in [
            (0.09, 0.0, Verdict::Pass),
            (-0.3, 0.25, Verdict::Pass),
            (-0.3, 0.1, Verdict::Warn),
            (1.3, 0.2, Verdict::Fail),
            (-4000.0, 0.2, Verdict::Fail),
            (f64::NAN, 0.2, Verdict::Fail),
        ] {
            assert_eq!(trial(SYNCHRONIZED, None, ahead, uncertainty).verdict("os.time", "web1"), verdict, "{ahead}");
        }
    }

    #[test]
    fn a_clock_that_nobody_keeps_right_fails() {
        for (timedatectl, chrony) in
            [(UNSYNCHRONIZED, None), (SYNCHRONIZED, Some(ALONE)), (UNSYNCHRONIZED, Some(ALONE))]
        {
            let finding = trial(timedatectl, chrony, 0.0, 0.01).finding("os.time", "web1");
            assert!(finding.verdict == Verdict::Fail && !finding.unmeasured, "{finding:?}");
            assert!(finding.fix.contains("UDP 123"), "{finding:?}");
        }
        assert_eq!(trial(UNSYNCHRONIZED, Some(FOLLOWS), 0.0, 0.01).verdict("os.time", "web1"), Verdict::Pass);
    }

    #[test]
    fn a_source_that_is_far_away_counts_too() {
        let far = FOLLOWS.replace("0.000012418", "-2.5");
        assert_eq!(trial(SYNCHRONIZED, Some(&far), 0.0, 0.01).verdict("os.time", "web1"), Verdict::Fail);
    }

    #[test]
    fn no_clock_is_no_pass() {
        let mut trial = trial(SYNCHRONIZED, None, 0.0, 0.0);
        trial.answers.hosts.clear();
        assert!(trial.finding("os.time", "web1").unmeasured);
    }
}
