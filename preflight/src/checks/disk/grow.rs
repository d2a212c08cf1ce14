//! `disk.grow`: the data's volume can grow.

use cc_plan::spec::environment::Size;

use super::place::places;
use super::ways::Ways;
use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::Unit;
use crate::tool::findmnt::FINDMNT;
use crate::tool::lsblk::LSBLK;
use crate::tool::vgs::{VGS, groups};

/// The data's volume can grow.
pub struct Grow;

static ABOUT: About = About {
    id: "disk.grow",
    title: "The volume of the data can grow",
    measures: "`findmnt`, `lsblk` and `vgs`: whether the data lies on a logical volume, and how much of its groups is free. The disk \
               of a virtual machine can be grown by its hypervisor.",
    why: "Data grows by about a terabyte a year. A partition of a disk that is full can only be left by a move, with downtime.",
    thresholds: &[],
    fix: "put the data on a logical volume (LVM)",
    source: "transition guide 2.2, question 3",
    vantage: Vantage::Host,
    applies: "hosts that keep data: roles postgresql and redis, and what `params: {data_path: /opt/data}` of a host declares. `demo` \
              skips it. It blocks nothing",
    blocks: &[],
    keeps: Keeps::Quarter,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Grow {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match (scene.size(), scene.host(subject)) {
            (Size::Demo, _) => Ask::skip("a rehearsal (size demo) does not grow"),
            (_, Ok(host)) if places(host).is_ok_and(|places| places.is_empty()) => {
                Ask::skip("no data is kept on this host")
            }
            (_, Ok(host)) => Ask::of(host, [command(&FINDMNT), command(&LSBLK), command(&VGS)]),
            (_, Err(_)) => Ask::skip("it is asked of hosts"),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "disks are far below 2^53 bytes")]
    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let ways = Ways::read(answers, 0, 1)?;
        let (mut fixed, mut logical) = (Vec::new(), Vec::new());
        for place in places(host)? {
            let lvm = ways.of(&place.path)?.iter().flatten().any(|device| device.kind == "lvm");
            if lvm { logical.push(place.path) } else { fixed.push(place.path) }
        }
        let expected = "a volume that can grow";
        if host.virtualization() == Some("vm") {
            return Ok(Judgement::pass("a virtual machine: its hypervisor can grow the disk", expected));
        }
        if !fixed.is_empty() {
            return Ok(Judgement::warn(format!("on a partition or a whole disk: {}", fixed.join(", ")), expected));
        }
        let groups = groups(answers.stdout(2)?)
            .ok_or_else(|| Unmeasured::new("`vgs` printed something else than volume groups"))?;
        let free = groups.iter().map(|group| format!("{} free in {}", Unit::Bytes.show(group.free as f64), group.name));
        let observed = format!("{} on logical volumes; {}", logical.join(", "), free.collect::<Vec<_>>().join(", "));
        Ok(if groups.iter().any(|group| group.free > 0) {
            Judgement::pass(observed, expected)
        } else {
            Judgement::warn(observed, "free room in the volume group").fix("add a disk to the volume group: `vgextend`")
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::findmnt::FINDMNT;
    use crate::tool::lsblk::LSBLK;
    use crate::tool::vgs::VGS;
    use crate::trial::Trial;

    #[test]
    fn a_partition_cannot_grow_and_a_volume_group_can() {
        let verdict = |path: &str, platform: &str, groups: &str| {
            let inventory =
                format!("provider: static\nhosts:\n  a: {{address: 10.0.0.1, params: {{data_path: {path}}}}}\n");
            let mut trial = Trial::of("environment: trial\nservices:\n  database: {on: a}\n", &inventory);
            trial.facts.values_mut().for_each(|facts| platform.clone_into(&mut facts.virtualization));
            trial.command("a", &FINDMNT, 0, include_str!("../../../tests/fixtures/findmnt/data-volume.txt"), "");
            trial.command("a", &LSBLK, 0, include_str!("../../../tests/fixtures/lsblk/server.txt"), "");
            trial.command("a", &VGS, 0, groups, "");
            trial.verdict("disk.grow", "a")
        };
        let one = include_str!("../../../tests/fixtures/vgs/one-group.txt");
        assert_eq!(verdict("/opt/data", "metal", one), Verdict::Pass);
        assert_eq!(verdict("/opt/data", "metal", &one.replace("\"732823552\"", "\"0\"")), Verdict::Warn);
        assert_eq!(verdict("/opt/data", "metal", "nonsense"), Verdict::Warn);
        assert_eq!(verdict("/srv", "metal", one), Verdict::Warn);
        assert_eq!(verdict("/srv", "vm", one), Verdict::Pass);
    }
}
