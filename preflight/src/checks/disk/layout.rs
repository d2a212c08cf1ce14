//! `disk.layout`: data on a volume of its own, and nothing read-only.

use super::place::{Place, places};
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::findmnt::{FINDMNT, Mounts};

/// Data on a volume of its own, and nothing read-only.
pub struct Layout;

static ABOUT: About = About {
    id: "disk.layout",
    title: "Data lies on a volume of its own, and everything can be written",
    measures: "`findmnt`: the mounts of /, /etc, /usr, /var, /opt and of the host's data: whether they are read-only, and for \
               data whether it has a volume of its own with ext4 or XFS and the option noatime.",
    why: "The kernel mounts a file system read-only after an error of its disk: every change on it fails in the middle. Data \
          that shares the system's volume fills it up, and cannot be grown, encrypted or moved alone.",
    thresholds: &[],
    fix: "give the data a volume of its own: ext4, mounted with noatime",
    source: "commcare-cloud's after-reboot check and its roles for LVM and encryption",
    vantage: Vantage::Host,
    applies: "every host of every size. Where data lies is known from the roles postgresql and redis and declared for more by \
              `params: {data_path: /opt/data}` of a host in the inventory. `demo` only asks that nothing is read-only",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration, Phase::Change],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

/// What changes write to, beside data.
const SYSTEM: [&str; 5] = ["/", "/etc", "/usr", "/var", "/opt"];

/// File systems that data may be on.
const FOR_DATA: [&str; 2] = ["ext4", "xfs"];

impl Check for Layout {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        Ask::of(host, [command(&FINDMNT)])
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let mounts = Mounts::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`findmnt` printed something else than a table of mounts"))?;
        let places = places(scene.host(subject)?)?;
        let paths = SYSTEM.into_iter().chain(places.iter().map(|place| place.path.as_str()));
        let mut locked: Vec<&str> = paths
            .filter_map(|path| mounts.of(path))
            .filter(|mount| mount.has("ro"))
            .map(|mount| mount.target.as_str())
            .collect();
        locked.sort_unstable();
        locked.dedup();
        if !locked.is_empty() {
            let observed = format!("read-only: {}", locked.join(", "));
            let fix = format!(
                "look with `dmesg` for what the disk says; mend it, then `mount -o remount,rw {}`",
                locked.first().copied().unwrap_or("/")
            );
            return Ok(Judgement::fail(observed, "file systems that can be written").fix(fix));
        }
        if scene.size() == cc_plan::spec::environment::Size::Demo {
            return Ok(Judgement::pass("everything can be written", "for demo: nothing read-only"));
        }
        let wishes: Vec<String> = places.iter().filter_map(|place| wish(&mounts, place)).collect();
        let expected = "data on a volume of its own: ext4 or XFS, noatime";
        Ok(match (wishes.as_slice(), places.as_slice()) {
            ([], []) => Judgement::pass("everything can be written; no data is kept here", expected),
            ([], _) => Judgement::pass(observed(&mounts, &places), expected),
            _ => Judgement::warn(wishes.join("; "), expected),
        })
    }
}

/// What a folder of data lacks.
fn wish(mounts: &Mounts, place: &Place) -> Option<String> {
    let mount = mounts.of(&place.path)?;
    let Place { path, of } = place;
    let known = FOR_DATA.contains(&mount.fstype.as_str());
    match () {
        () if mount.target == "/" => Some(format!("{path} ({of}) shares the volume of /")),
        () if !known => Some(format!("{path} ({of}) is on {}", mount.fstype)),
        () if !mount.has("noatime") => Some(format!("{path} ({of}) is mounted without noatime")),
        () => None,
    }
}

fn observed(mounts: &Mounts, places: &[Place]) -> String {
    let lines = places.iter().filter_map(|place| {
        let mount = mounts.of(&place.path)?;
        Some(format!("{} on {} ({})", place.path, mount.target, mount.fstype))
    });
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use crate::tool::findmnt::FINDMNT;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    const SERVER: &str = include_str!("../../../tests/fixtures/findmnt/data-volume.txt");
    const ENVIRONMENT: &str =
        "environment: trial\nsize: single\nservices:\n  web: {on: web1}\n  database: {on: web1}\n";

    fn trial(path: &str, text: &str) -> Trial {
        let inventory =
            format!("provider: static\nhosts:\n  web1: {{address: 10.0.0.1, params: {{data_path: {path}}}}}\n");
        let mut trial = Trial::of(ENVIRONMENT, &inventory);
        trial.command("web1", &FINDMNT, 0, text, "");
        trial
    }

    #[test]
    fn a_read_only_file_system_blocks_even_a_change() {
        let locked = SERVER.replace("rw,relatime,errors=remount-ro", "ro,relatime,errors=remount-ro");
        let mut trial = trial("/opt/data", &locked);
        for phase in [Phase::Install, Phase::Change] {
            trial.phase = phase;
            let finding = trial.finding("disk.layout", "web1");
            assert!(finding.stops() && finding.observed == "read-only: /", "{finding:?}");
        }
    }

    #[test]
    fn data_wants_a_volume_of_its_own() {
        assert_eq!(trial("/opt/data", SERVER).verdict("disk.layout", "web1"), Verdict::Pass);
        let shared = trial("/srv/data", SERVER).finding("disk.layout", "web1");
        assert_eq!(
            (shared.verdict, shared.observed.as_str()),
            (Verdict::Warn, "/srv/data (data_path) shares the volume of /")
        );
        let slow = trial("/opt/data", &SERVER.replace("rw,noatime", "rw,relatime")).finding("disk.layout", "web1");
        assert!(slow.verdict == Verdict::Warn && slow.observed.contains("noatime"));
        assert_eq!(trial("/tmp/x", SERVER).verdict("disk.layout", "web1"), Verdict::Warn);
    }

    #[test]
    fn a_rehearsal_in_containers_passes_and_garbage_does_not() {
        let demo = ENVIRONMENT.replace("single", "demo");
        let mut trial = Trial::of(&demo, "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n");
        trial.command("web1", &FINDMNT, 0, include_str!("../../../tests/fixtures/findmnt/debian-12-container.txt"), "");
        assert_eq!(trial.verdict("disk.layout", "web1"), Verdict::Pass);
        for (status, text) in [(0, ""), (0, "{}"), (1, SERVER), (0, "TARGET SOURCE\n/ /dev/sda")] {
            trial.command("web1", &FINDMNT, status, text, "");
            assert!(trial.finding("disk.layout", "web1").unmeasured);
        }
    }
}
