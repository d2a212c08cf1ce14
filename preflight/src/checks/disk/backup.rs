//! `disk.backup`: backups have a place, and another one far away.

use cc_plan::spec::environment::Size;

use super::place::{Place, path_param, places};
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::df::{DF, FileSystem, FileSystems};

/// Backups have a place, and another one far away.
pub struct Backup;

static COPIES: Threshold = Threshold {
    id: "disk.backup.copies",
    doc: "room for fewer copies of the data warns",
    unit: Unit::Count,
    values: Values::Same(6.0),
    basis: Basis::Documented("backup guide: two days and two weeks are kept, and one more of each while it is written"),
};

static ABOUT: About = About {
    id: "disk.backup",
    title: "Backups have room on another disk, and a target off the host",
    // The predecessor knows its backup folders; here the inventory declares them, and `external` the target.
    measures: "`df` on the host param `backup_path`: whether it is another file system than that of the data, and whether it can hold \
               the copies that are kept; and whether `external: {backup: …}` of the environment names a target off the host.",
    why: "A backup on the disk of its data is lost with it; one on the same host is lost with the host.",
    thresholds: &[&COPIES],
    fix: "name a target off the host: `external: {backup: {address: …}}` in the environment",
    source: "transition guide 4.3; backup guide, part 4",
    vantage: Vantage::Host,
    applies: "hosts that keep data: roles postgresql and redis, and what `params: {data_path: /opt/data}` of a host declares; where \
              backups are written to the host first, `params: {backup_path: /opt/backups}` declares the folder. `demo` skips it",
    blocks: &[Phase::GoLive, Phase::Migration],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Backup {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match (scene.size(), scene.host(subject)) {
            (Size::Demo, _) => Ask::skip("a rehearsal (size demo) keeps nobody's data"),
            (_, Ok(host)) if places(host).is_ok_and(|places| places.is_empty()) => {
                Ask::skip("no data is kept on this host")
            }
            (_, Ok(host)) => Ask::of(host, [command(&DF)]),
            (_, Err(_)) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let all = FileSystems::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`df` printed something else than a table of file systems"))?;
        let (places, folder) = (places(host)?, path_param(host, "backup_path")?);
        let Some(target) = scene.spec.environment.external.get("backup") else {
            return Ok(Judgement::fail("no target off the host", "`external: {backup: …}` in the environment"));
        };
        let target = &target.address.value;
        let Some(folder) = folder else {
            return Ok(Judgement::pass(format!("straight to {target}"), "a target off the host"));
        };
        let fs = all.of(&folder).ok_or_else(|| Unmeasured::new(format!("`df` does not say what {folder} is on")))?;
        Ok(judged(scene, fs, &all, &places, target))
    }
}

#[expect(clippy::cast_precision_loss, reason = "disks are far below 2^53 bytes")]
fn judged(scene: &Scene<'_>, fs: &FileSystem, all: &FileSystems, places: &[Place], target: &str) -> Judgement {
    let data = all.of_all(places.iter().map(|place| place.path.as_str()));
    if data.contains(&fs) {
        let fix = "mount another disk at `backup_path`";
        return Judgement::warn(
            format!("{} holds the data too; then to {target}", fs.target),
            "another disk than that of the data",
        )
        .fix(fix);
    }
    // What a copy takes is not known before there is one. What the data's own volumes hold is more than that; the volume of the
    // system holds other things too, and says nothing.
    let used = data.iter().filter(|fs| fs.target != "/").map(|fs| fs.used as f64).sum::<f64>();
    let (room, needed) = (fs.size as f64, used * scene.limit(&COPIES));
    let show = |bytes: f64| Unit::Bytes.show(bytes);
    let observed = format!("{} of {}, then to {target}", fs.target, show(room));
    if room < needed {
        let expected = format!("{} for {} copies of {}", show(needed), scene.limit_text(&COPIES), show(used));
        Judgement::warn(observed, expected).fix("grow the disk of `backup_path`, or keep fewer copies")
    } else {
        Judgement::pass(observed, "another disk with room for the copies")
    }
}

#[cfg(test)]
mod tests {
    use crate::tool::df::DF;
    use crate::trial::Trial;
    use crate::{Finding, Phase, Verdict};

    fn finding(params: &str, external: &str) -> Finding {
        let environment = format!("environment: trial\n{external}\nservices:\n  database: {{on: a}}\n");
        let inventory = format!("provider: static\nhosts:\n  a: {{address: 10.0.0.1, params: {{{params}}}}}\n");
        let mut trial = Trial::of(&environment, &inventory);
        trial.phase = Phase::GoLive;
        trial.command("a", &DF, 0, include_str!("../../../tests/fixtures/df/data-volume.txt"), "");
        trial.finding("disk.backup", "a")
    }

    #[test]
    fn backups_leave_the_disk_and_the_host() {
        let (data, external) = ("data_path: /opt/data", "external: {backup: {address: s3.example.org}}");
        assert_eq!(finding(data, "").verdict, Verdict::Fail);
        assert_eq!(finding(data, external).verdict, Verdict::Pass);
        assert_eq!(finding("zone: a", external).verdict, Verdict::Skip);
        let same = finding("data_path: /opt/data, backup_path: /opt/data/backups", external);
        assert!(same.verdict == Verdict::Warn && same.observed.contains("/opt/data holds the data too"), "{same:?}");
        let small = finding("data_path: /opt/data, backup_path: /mnt/old backups", external);
        assert!(small.verdict == Verdict::Warn && small.expected.contains("6 copies of 180 GiB"), "{small:?}");
        assert_eq!(finding("data_path: /srv, backup_path: /mnt/old backups", external).verdict, Verdict::Pass);
        assert!(finding("data_path: /srv, backup_path: backups", external).unmeasured);
    }
}
