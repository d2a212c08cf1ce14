//! `disk.device`: a declared disk is there and blank.

use super::place::{path_param, places};
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::tool::lsblk::{Device, Devices, LSBLK};
use crate::tool::wipefs::signatures;

/// A declared disk is there and blank.
pub struct DataDevice;

static ABOUT: About = About {
    id: "disk.device",
    title: "The disk that is declared for data is there, and blank or in use for it",
    measures: "`lsblk` and `wipefs --no-act` of the host param `data_device`: whether it exists, what is written on it and where it is \
               mounted.",
    why: "Who formats the wrong disk loses what is on it; a disk with another name stops the installation.",
    thresholds: &[],
    fix: "correct `data_device` in the inventory; disks are listed by `lsblk -f`",
    source: "commcare-cloud's role for encryption, which formats the device",
    vantage: Vantage::Host,
    applies: "hosts that declare `params: {data_device: /dev/sdb}` in the inventory; one with `data_adopt: true` beside it may hold data \
              that is to be kept",
    blocks: &[Phase::Install, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Parser,
};

impl Check for DataDevice {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        match path_param(host, "data_device") {
            Ok(None) => Ask::skip("this host declares no `data_device`"),
            Ok(Some(device)) => {
                let of = |words: &[&str]| command(&[words, &[device.as_str()]].concat());
                Ask::of(host, [of(&LSBLK), of(&["wipefs", "-nJ"])])
            }
            // Answered by nobody: the judgement says what is wrong with it.
            Err(_) => Ask::nothing(),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let name = path_param(host, "data_device")?.unwrap_or_default();
        let expected = "a blank disk, or the mounted volume of the data";
        let text = match answers.ended(0)? {
            (0, stdout, _) => stdout,
            (_, _, stderr) if stderr.contains("not a block device") => {
                return Ok(Judgement::fail(format!("there is no disk {name}"), expected));
            }
            _ => answers.stdout(0)?,
        };
        let devices =
            Devices::parse(text).ok_or_else(|| Unmeasured::new("`lsblk` printed something else than a tree"))?;
        let [device] = devices.top() else {
            return Err(Unmeasured::new(format!("`lsblk` shows not one device for {name}")));
        };
        let mounted = device.all_mountpoints();
        if !mounted.is_empty() {
            let ours = mounted.iter().all(|target| is_data(host, target));
            let observed = format!("{name} is mounted at {}", mounted.join(", "));
            return Ok(if ours { Judgement::pass(observed, expected) } else { Judgement::fail(observed, expected) });
        }
        let written = signatures(answers.stdout(1)?)
            .ok_or_else(|| Unmeasured::new("`wipefs` printed something else than what is written on the disk"))?;
        Ok(judged(host, &name, &written_on(device, written), expected))
    }
}

/// What is written on a device, by the words of lsblk and wipefs.
fn written_on(device: &Device, mut written: Vec<String>) -> Vec<String> {
    written.extend(device.fstype.clone());
    written.extend(device.children.iter().map(|child| format!("{} {}", child.kind, child.name)));
    written.sort();
    written.dedup();
    written
}

fn judged(host: &HostScene<'_>, name: &str, written: &[String], expected: &str) -> Judgement {
    let adopt = host.param("data_adopt").is_some_and(|node| node.kind == cc_plan::node::Kind::Bool(true));
    match (written, adopt) {
        ([], _) => Judgement::pass(format!("{name} is blank"), expected),
        (_, true) => Judgement::warn(format!("{name} holds {}, to be kept (data_adopt)", written.join(", ")), expected)
            .fix("nothing, if that is what is to be kept"),
        (_, false) => Judgement::fail(format!("{name} holds {}", written.join(", ")), expected)
            .fix("declare another disk; or `data_adopt: true` if its data is to be kept; or wipe it by hand if nobody needs it"),
    }
}

fn is_data(host: &HostScene<'_>, target: &str) -> bool {
    places(host).is_ok_and(|places| places.iter().any(|place| place.path == target))
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::lsblk::LSBLK;
    use crate::trial::Trial;

    const BLANK: &str = include_str!("../../../tests/fixtures/wipefs/blank.txt");
    const EXT4: &str = include_str!("../../../tests/fixtures/wipefs/ext4.txt");

    fn disk(mounted: &str) -> String {
        format!(
            r#"{{"blockdevices": [{{"name": "/dev/sdb", "type": "disk", "rota": false, "size": 5, "fstype": null, "mountpoints": [{mounted}]}}]}}"#
        )
    }

    fn trial(params: &str, lsblk: (i32, &str, &str), wipefs: &str) -> Trial {
        let inventory = format!("provider: static\nhosts:\n  a: {{address: 10.0.0.1, params: {{{params}}}}}\n");
        let mut trial = Trial::of("environment: trial\nservices:\n  database: {on: a}\n", &inventory);
        let argv = [&LSBLK[..], &["/dev/sdb"]].concat();
        trial.command("a", &argv, lsblk.0, lsblk.1, lsblk.2);
        trial.command("a", &["wipefs", "-nJ", "/dev/sdb"], 0, wipefs, "");
        trial
    }

    #[test]
    fn only_a_blank_disk_may_be_formatted() {
        let verdict = |params: &str, mounted: &str, wipefs: &str| {
            trial(params, (0, &disk(mounted), ""), wipefs).verdict("disk.device", "a")
        };
        assert_eq!(verdict("data_device: /dev/sdb", "null", BLANK), Verdict::Pass);
        assert_eq!(verdict("data_device: /dev/sdb", "null", EXT4), Verdict::Fail);
        assert_eq!(verdict("data_device: /dev/sdb, data_adopt: true", "null", EXT4), Verdict::Warn);
        assert_eq!(verdict("data_device: /dev/sdb, data_path: /opt/data", "\"/opt/data\"", EXT4), Verdict::Pass);
        assert_eq!(verdict("data_device: /dev/sdb, data_path: /opt/data", "\"/home\"", EXT4), Verdict::Fail);
        assert_eq!(verdict("zone: a", "null", BLANK), Verdict::Skip);
    }

    #[test]
    fn a_missing_disk_fails_and_garbage_is_no_pass() {
        let missing = trial("data_device: /dev/sdb", (32, "", "lsblk: /dev/sdb: not a block device\n"), "")
            .finding("disk.device", "a");
        assert_eq!((missing.verdict, missing.observed.as_str()), (Verdict::Fail, "there is no disk /dev/sdb"));
        for lsblk in [(0, ""), (1, "x"), (0, "{\"blockdevices\": []}")] {
            assert!(
                trial("data_device: /dev/sdb", (lsblk.0, lsblk.1, ""), BLANK).finding("disk.device", "a").unmeasured
            );
        }
        assert!(
            trial("data_device: /dev/sdb", (0, &disk("null"), ""), "nonsense").finding("disk.device", "a").unmeasured
        );
        assert!(trial("data_device: sdb", (0, &disk("null"), ""), BLANK).finding("disk.device", "a").unmeasured);
    }
}
