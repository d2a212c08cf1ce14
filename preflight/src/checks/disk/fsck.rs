//! `disk.fsck`: file systems are clean.

use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::tune2fs::{Ext, TUNE2FS, file_systems};

/// File systems are clean.
pub struct Fsck;

static ABOUT: About = About {
    id: "disk.fsck",
    title: "File systems are clean",
    measures: "`tune2fs -l` of every mounted ext file system: its state, and the errors that the kernel has counted since the last check.",
    why: "A damaged file system loses data or becomes read-only at the next write to the damaged place.",
    thresholds: &[],
    fix: "check it at the next boot: `tune2fs -c 1 DEVICE`, reboot, then `tune2fs -c -1 DEVICE`; look for errors of the disk by `dmesg`",
    source: "firefighting guide, file system checks",
    vantage: Vantage::Host,
    applies: "every host with ext file systems; `demo` skips containers, which do not see their machine's disks",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Fsck {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        if scene.size() == Size::Demo && host.virtualization() == Some("container") {
            return Ask::skip("a container of a rehearsal (size demo) does not see its machine's disks");
        }
        Ask::of(host, [command(&TUNE2FS)])
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let all = file_systems(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`tune2fs` printed something else than file systems"))?;
        let expected = "clean file systems";
        let judgements = all.iter().map(|ext| match ext {
            Ext { device, state, journal: true, .. } if state.starts_with("not clean") => {
                Judgement::fail(format!("{device} is {state}"), expected)
            }
            Ext { device, state, errors, .. } if *errors > 0 || state.contains("errors") => {
                Judgement::warn(format!("{device} is {state}, {errors} errors since its last check"), expected)
            }
            // Without a journal it is not clean while it is mounted, whatever its state is.
            Ext { device, journal: false, .. } => Judgement::warn(format!("{device} has no journal"), "a journal")
                .fix(format!("give it one while it is not mounted: `tune2fs -j {device}`")),
            Ext { state, .. } if state == "clean" => Judgement::pass("", expected),
            Ext { device, state, .. } => Judgement::fail(format!("{device} is {state}"), expected),
        });
        Ok(match Judgement::worst(judgements) {
            None => Judgement::skip("no ext file system is mounted"),
            Some(Judgement { verdict: crate::Verdict::Pass, .. }) => {
                let devices: Vec<&str> = all.iter().map(|ext| ext.device.as_str()).collect();
                Judgement::pass(format!("clean: {}", devices.join(", ")), expected)
            }
            Some(worst) => worst,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::tune2fs::TUNE2FS;
    use crate::trial::Trial;

    const CLEAN: &str = include_str!("../../../tests/fixtures/tune2fs/clean.txt");
    const FAULTY: &str = include_str!("../../../tests/fixtures/tune2fs/faulty.txt");

    #[test]
    fn errors_warn_and_an_unclean_file_system_fails() {
        let mut trial = Trial::new();
        let mut verdict = |status, text: &str| {
            trial.command("web1", &TUNE2FS, status, text, "");
            trial.verdict("disk.fsck", "web1")
        };
        assert_eq!(verdict(0, CLEAN), Verdict::Pass);
        assert_eq!(verdict(0, &CLEAN.replace("has_journal ", "")), Verdict::Warn);
        assert_eq!(verdict(0, FAULTY.split("# /dev/sdc1").next().unwrap_or_default()), Verdict::Warn);
        assert_eq!(verdict(0, FAULTY), Verdict::Fail);
        assert_eq!(verdict(0, &CLEAN.replace("clean", "sauber")), Verdict::Fail);
        assert_eq!(verdict(1, CLEAN), Verdict::Fail, "not measured");
        assert_eq!(verdict(0, ""), Verdict::Skip);
    }
}
