//! `hw.raid`: mirrored disks are complete.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::mdstat::{Array, MDSTAT, State, arrays};

/// Mirrored disks are complete.
pub struct Raid;

static ABOUT: About = About {
    id: "hw.raid",
    title: "Mirrored disks are complete",
    measures: "/proc/mdstat: whether each software RAID has all its disks. A RAID controller is not seen from the system: there a \
               person attests.",
    why: "A mirror that has lost a disk works as before, until the other one fails and the data is gone.",
    thresholds: &[],
    fix: "replace the disk, add it with `mdadm --add`, and let somebody be told when it happens again",
    source: "hardware management guide, monitoring",
    vantage: Vantage::Host,
    applies: "machines without a hypervisor; virtual machines and containers do not see the disks of their machine",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Raid {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        super::metal(scene, subject, || vec![file(MDSTAT)])
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let unseen = "no software RAID is seen: whether a controller mirrors the disks, a person must say";
        let Some(text) = answers.file(0)? else { return Ok(Judgement::attest(unseen)) };
        let all = arrays(text).ok_or_else(|| Unmeasured::new("/proc/mdstat is not understood"))?;
        let judgements = all.iter().map(|Array { name, state }| {
            let expected = "all disks of each array";
            match state {
                State::Clean => Judgement::pass(format!("{name} is complete"), expected),
                State::Busy(what) => {
                    Judgement::warn(format!("{name}: {what}"), expected).fix("wait until it has ended")
                }
                State::Degraded(what) => Judgement::fail(format!("{name} is degraded: {what}"), expected),
                State::Inactive => Judgement::fail(format!("{name} is inactive"), expected),
            }
        });
        Ok(Judgement::worst(judgements).unwrap_or_else(|| Judgement::attest(unseen)))
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::mdstat::MDSTAT;
    use crate::trial::Trial;

    #[test]
    fn a_missing_disk_fails_and_a_rebuild_warns() {
        let mut trial = Trial::new();
        trial.facts.values_mut().for_each(|facts| "metal".clone_into(&mut facts.virtualization));
        let mut verdict = |text: &str| {
            trial.file("web1", MDSTAT, text);
            trial.verdict("hw.raid", "web1")
        };
        assert_eq!(verdict(include_str!("../../../tests/fixtures/mdstat/clean.txt")), Verdict::Pass);
        assert_eq!(verdict(include_str!("../../../tests/fixtures/mdstat/degraded.txt")), Verdict::Fail);
        assert_eq!(verdict(include_str!("../../../tests/fixtures/mdstat/rebuilding.txt")), Verdict::Warn);
        assert_eq!(verdict("Personalities : \nunused devices: <none>\n"), Verdict::Attest);
        assert_eq!(verdict("nonsense"), Verdict::Fail);
        assert_eq!(Trial::new().verdict("hw.raid", "web1"), Verdict::Skip, "a virtual machine");
    }
}
