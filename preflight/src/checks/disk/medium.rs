//! `disk.type`: data lies on solid-state disks.

use cc_plan::spec::environment::Size;

use super::place::places;
use super::ways::Ways;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::findmnt::FINDMNT;
use crate::tool::lsblk::{Device, LSBLK};

/// Data lies on solid-state disks.
pub struct Medium;

static ABOUT: About = About {
    id: "disk.type",
    title: "Data lies on solid-state disks",
    measures: "`findmnt` and `lsblk`: from the folders of the data down to their disks, and whether the kernel takes those for \
               rotating ones.",
    why: "Databases wait for each write to reach the disk: on a rotating disk a hundred times as long.",
    thresholds: &[],
    fix: "move the data to solid-state disks",
    source: "transition guide 2.2, consideration 2; prerequisites 5",
    vantage: Vantage::Host,
    applies: "hosts that keep data: roles postgresql and redis, and what `params: {data_path: /opt/data}` of a host declares. `demo` \
              skips it. The disk of a virtual machine is called rotating unless its hypervisor says otherwise: there it only warns, \
              and `disk.io` measures",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Quarter,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Medium {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match (scene.size(), scene.host(subject)) {
            (Size::Demo, _) => Ask::skip("a rehearsal (size demo) may be slow"),
            (_, Ok(host)) if places(host).is_ok_and(|places| places.is_empty()) => {
                Ask::skip("no data is kept on this host")
            }
            (_, Ok(host)) => Ask::of(host, [command(&FINDMNT), command(&LSBLK)]),
            (_, Err(_)) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let ways = Ways::read(answers, 0, 1)?;
        let mut judgements = Vec::new();
        for place in places(host)? {
            for way in ways.of(&place.path)? {
                let Some(disk) = way.first() else { continue };
                judgements.push(judged(&place.path, disk, host.virtualization() == Some("vm")));
            }
        }
        Ok(Judgement::worst(judgements).unwrap_or_else(|| Judgement::skip("no data is kept on this host")))
    }
}

fn judged(path: &str, disk: &Device, virtual_machine: bool) -> Judgement {
    let model = disk.model.as_deref().map(|model| format!(" ({})", model.trim())).unwrap_or_default();
    let on = format!("{path} is on {}{model}", disk.name);
    let expected = "solid-state disks for data";
    match (disk.rota, virtual_machine) {
        (false, true) => Judgement::pass(format!("{on}, solid-state as its hypervisor says"), expected),
        (false, false) => Judgement::pass(format!("{on}, solid-state"), expected),
        (true, true) => Judgement::warn(format!("{on}, a virtual disk that is not called solid-state"), expected)
            .fix("measure it: `cc-cloud <env> preflight --deep --only disk.io`"),
        (true, false) => Judgement::fail(format!("{on}, a rotating disk"), expected),
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::findmnt::FINDMNT;
    use crate::tool::lsblk::LSBLK;
    use crate::trial::Trial;

    const MOUNTS: &str = include_str!("../../../tests/fixtures/findmnt/data-volume.txt");
    const DEVICES: &str = include_str!("../../../tests/fixtures/lsblk/server.txt");

    fn trial(path: &str, platform: &str) -> Trial {
        let inventory =
            format!("provider: static\nhosts:\n  a: {{address: 10.0.0.1, params: {{data_path: {path}}}}}\n");
        let mut trial = Trial::of("environment: trial\nservices:\n  database: {on: a}\n", &inventory);
        trial.facts.values_mut().for_each(|facts| platform.clone_into(&mut facts.virtualization));
        trial.command("a", &FINDMNT, 0, MOUNTS, "");
        trial.command("a", &LSBLK, 0, DEVICES, "");
        trial
    }

    #[test]
    fn a_rotating_disk_fails_unless_it_may_be_none() {
        assert_eq!(trial("/opt/data", "metal").verdict("disk.type", "a"), Verdict::Pass);
        let rotating = trial("/srv", "metal").finding("disk.type", "a");
        assert!(
            rotating.verdict == Verdict::Fail && rotating.observed.contains("/dev/sda (ST500DM002-1BD14)"),
            "{rotating:?}"
        );
        assert_eq!(trial("/srv", "vm").verdict("disk.type", "a"), Verdict::Warn);
    }

    #[test]
    fn what_lies_on_no_disk_is_no_pass() {
        assert!(trial("/tmp/data", "metal").finding("disk.type", "a").unmeasured, "a tmpfs");
        let mut trial = trial("/opt/data", "metal");
        trial.command("a", &LSBLK, 0, "{\"blockdevices\": []}", "");
        assert!(trial.finding("disk.type", "a").unmeasured);
    }
}
