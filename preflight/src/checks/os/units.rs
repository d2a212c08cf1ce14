//! `os.units`: no unit has failed.

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;

/// No unit has failed.
pub struct Units;

static ABOUT: About = About {
    id: "os.units",
    title: "systemd runs, and no unit has failed",
    measures: "`systemctl is-system-running`, and the names that `systemctl list-units --failed` gives.",
    why: "A unit that failed before the installation (a disk that is not mounted, a network that did not come up) fails again \
          after the next reboot, and then takes the site with it.",
    thresholds: &[],
    fix: "look at each with `systemctl status NAME` and mend it; `systemctl reset-failed NAME` where it is of no importance",
    source: "proposed",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Units {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) => Ask::of(
                host,
                [
                    command(&["systemctl", "is-system-running"]),
                    command(&["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"]),
                ],
            ),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        // It exits with 1 for everything but "running".
        let (_, state, _) = answers.ended(0)?;
        let failed: Vec<&str> = answers.stdout(1)?.lines().filter_map(|line| line.split_whitespace().next()).collect();
        let expected = "running, no unit has failed";
        match state.trim() {
            "running" if failed.is_empty() => Ok(Judgement::pass("running", expected)),
            state @ ("running" | "degraded" | "starting" | "initializing" | "maintenance" | "stopping" | "offline") => {
                let names = if failed.is_empty() { String::new() } else { format!("; failed: {}", failed.join(", ")) };
                Ok(Judgement::warn(format!("{state}{names}"), expected))
            }
            _ => Err(Unmeasured::new("`systemctl is-system-running` names no state that is known here")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    #[test]
    fn a_failed_unit_warns_and_is_named() {
        let list = ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"];
        for (state, failed, verdict, observed) in [
            ("running\n", "", Verdict::Pass, "running"),
            ("degraded\n", "data.mount loaded failed failed /data\n", Verdict::Warn, "degraded; failed: data.mount"),
            ("starting\n", "", Verdict::Warn, "starting"),
        ] {
            let mut trial = Trial::new();
            trial
                .command("web1", &["systemctl", "is-system-running"], 1, state, "")
                .command("web1", &list, 0, failed, "");
            let finding = trial.finding("os.units", "web1");
            assert_eq!((finding.verdict, finding.observed.as_str()), (verdict, observed));
        }
    }
}
