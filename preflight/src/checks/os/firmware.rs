//! `os.firmware`: the machine's firmware is up to date.

use cc_agent::probe::{Outcome, Probe};

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::mask::mask_values;
use crate::question::{Ask, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::fwupd::pending;

/// The machine's firmware is up to date.
pub struct Firmware;

static ABOUT: About = About {
    id: "os.firmware",
    title: "The machine's firmware is up to date",
    measures: "`fwupdmgr get-updates --json`, which says what the vendor has published; /sys/class/dmi/id/bios_version is kept as evidence.",
    why: "Holes in firmware outlive every update of the system, and faults in that of disks and controllers lose data.",
    thresholds: &[],
    fix: "apply it in a maintenance window (`fwupdmgr update`, or the vendor's tool); switches and firewalls are attested with it",
    source: "transition guide 3.1; prerequisites 5b, Networking",
    vantage: Vantage::Host,
    applies: "physical machines; that of virtual ones is their provider's",
    blocks: &[],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Firmware {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        if host.virtualization() != Some("metal") {
            return Ask::skip("not a physical machine: its firmware is the provider's");
        }
        let argv = ["fwupdmgr", "get-updates", "--json"].map(str::to_owned).to_vec();
        Ask::of(host, [Probe::Command { argv, seconds: 30 }, file("/sys/class/dmi/id/bios_version")])
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        if matches!(answers.outcome(0), Outcome::Absent) {
            return Ok(Judgement::attest(
                "fwupdmgr is not installed: say when this machine's firmware was last looked at",
            ));
        }
        let expected = "no newer firmware is published";
        let (status, stdout, stderr) = answers.ended(0)?;
        // 2: nothing to do; see fwupdmgr(1), "exit status".
        let newer = match status {
            2 => Vec::new(),
            0 => {
                pending(stdout).ok_or_else(|| Unmeasured::new("what `fwupdmgr get-updates` says is not understood"))?
            }
            _ => return Err(Unmeasured::new(format!("`fwupdmgr` exited with status {status}: {}", stderr.trim()))),
        };
        Ok(if newer.is_empty() {
            Judgement::pass("none is pending", expected)
        } else {
            Judgement::warn(format!("newer firmware for {}", newer.join(", ")), expected)
        })
    }

    fn mask(&self, evidence: &str) -> String {
        mask_values(evidence, &["serial", "deviceid", "instanceid"])
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use crate::Verdict;
    use crate::trial::Trial;

    const PENDING: &str = include_str!("../../../tests/fixtures/fwupd/pending.json");
    const FWUPDMGR: [&str; 3] = ["fwupdmgr", "get-updates", "--json"];

    #[test]
    fn only_physical_machines_are_asked() {
        let mut trial = Trial::new();
        assert_eq!(trial.verdict("os.firmware", "web1"), Verdict::Skip);
        trial.system("web1", "ubuntu-22.04", "metal");
        for (status, stdout, verdict) in [(2, "", Verdict::Pass), (0, PENDING, Verdict::Warn), (1, "", Verdict::Warn)] {
            trial.command("web1", &FWUPDMGR, status, stdout, "");
            assert_eq!(trial.verdict("os.firmware", "web1"), verdict, "{status}");
        }
        trial.command("web1", &FWUPDMGR, 0, PENDING, "");
        assert!(!trial.finding("os.firmware", "web1").evidence.text.contains("ABC123"));
        trial.whatever_limit("web1", &FWUPDMGR, Outcome::Absent);
        assert_eq!(trial.verdict("os.firmware", "web1"), Verdict::Attest);
    }
}
