//! `hw.smart`: disks say that they are well.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::smartctl::{Health, SMARTCTL, healths};
use cc_agent::probe::Probe;

/// Disks say that they are well.
pub struct Smart;

static ABOUT: About = About {
    id: "hw.smart",
    title: "Disks say that they are well",
    measures: "`smartctl -H -A` of every disk: its own verdict, and the attributes that rise before a disk fails: reallocated, pending \
               and uncorrectable sectors, media errors, wear.",
    why: "Most disks announce their end days before: time enough to replace them without a loss.",
    thresholds: &[],
    fix: "replace the disk",
    source: "hardware management guide, storage",
    vantage: Vantage::Host,
    applies: "machines without a hypervisor; virtual machines and containers do not see the disks of their machine. It needs the \
              package smartmontools on the host",
    blocks: &[Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Smart {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        // Each disk may take a second or two to wake up.
        let probe = || vec![Probe::Command { argv: SMARTCTL.map(str::to_owned).to_vec(), seconds: 30 }];
        super::metal(scene, subject, probe)
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        if answers.ended(0)?.0 == 127 {
            let absent = Unmeasured::new("`smartctl` is not on this host");
            return Err(absent.fix("install smartmontools on the host: `apt install smartmontools`"));
        }
        let all = healths(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`smartctl` printed something else than JSON"))?;
        let expected = "disks that pass";
        let judgements = all.iter().map(|Health { disk, passed, signs }| match (passed, signs.as_slice()) {
            (Some(true), []) => Judgement::pass(format!("{disk} passes"), expected),
            (Some(true), signs) => Judgement::warn(format!("{disk} passes with {}", signs.join(", ")), expected)
                .fix(format!("look at {disk} again in a week; replace it if the figures rise")),
            (Some(false), _) => Judgement::fail(format!("{disk} fails its own test"), expected),
            // Behind a RAID controller a disk is seen, its health is not.
            (None, _) => Judgement::attest(format!("{disk} does not tell its health")),
        });
        Judgement::worst(judgements).ok_or_else(|| Unmeasured::new("no disk is seen"))
    }
}

#[cfg(test)]
mod tests {
    use crate::tool::smartctl::SMARTCTL;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    #[test]
    fn the_worst_disk_counts() {
        let disks = include_str!("../../../tests/fixtures/smartctl/disks.txt");
        let mut trial = Trial::new();
        trial.phase = Phase::GoLive;
        trial.facts.values_mut().for_each(|facts| "metal".clone_into(&mut facts.virtualization));
        let mut finding = |status, text: &str| {
            trial.command("web1", &SMARTCTL, status, text, "");
            trial.finding("hw.smart", "web1")
        };
        let failed = finding(0, disks);
        assert_eq!((failed.verdict, failed.observed.as_str()), (Verdict::Fail, "/dev/nvme0n1 fails its own test"));
        assert_eq!(finding(0, &disks.replace("\"passed\": false", "\"passed\": true")).verdict, Verdict::Warn);
        assert_eq!(finding(0, include_str!("../../../tests/fixtures/smartctl/virtual.txt")).verdict, Verdict::Attest);
        for (status, text) in [(127, ""), (0, ""), (0, "{}"), (1, disks)] {
            let unmeasured = finding(status, text);
            assert!(unmeasured.unmeasured && unmeasured.verdict == Verdict::Fail, "{unmeasured:?}");
        }
    }
}
