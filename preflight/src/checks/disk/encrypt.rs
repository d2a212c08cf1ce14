//! `disk.encrypt`: data at rest is encrypted.

use cc_plan::spec::environment::Size;

use super::place::{path_param, places};
use super::ways::Ways;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::{Ask, command};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::tool::findmnt::FINDMNT;
use crate::tool::lsblk::LSBLK;

/// Data at rest is encrypted.
pub struct Encrypt;

static ABOUT: About = About {
    id: "disk.encrypt",
    title: "Data and backups are encrypted on disk",
    measures: "`findmnt` and `lsblk`: whether the folders of data and backups lie on a volume of dm-crypt (LUKS), or on eCryptfs.",
    why: "A disk that leaves the building, for repair or by theft, takes the data of its people along.",
    thresholds: &[],
    fix: "put data and backups on a LUKS volume; or, where the provider or the hypervisor encrypts the disks, say so by \
          `params: {encrypted_by: NAME}` of the host and attest it",
    source: "security guide, host 2",
    vantage: Vantage::Host,
    applies: "hosts that keep data or backups: roles postgresql and redis, and what `params: {data_path: …, backup_path: …}` of a host \
              declares. `demo` skips it",
    blocks: &[Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Encrypt {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        if scene.size() == Size::Demo {
            return Ask::skip("a rehearsal (size demo) keeps nobody's data");
        }
        if let Some(by) = host.param("encrypted_by") {
            return Ask::attest(format!(
                "the inventory says that the disks are encrypted below the host, by {}",
                by.describe()
            ));
        }
        match paths(host) {
            Ok(paths) if paths.is_empty() => Ask::skip("no data is kept on this host"),
            _ => Ask::of(host, [command(&FINDMNT), command(&LSBLK)]),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let ways = Ways::read(answers, 0, 1)?;
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for path in paths(scene.host(subject)?)? {
            let stacked = ways.mounts.of(&path).is_some_and(|mount| mount.fstype == "ecryptfs");
            // Where a volume is spread over several disks, each of them must be encrypted.
            let encrypted =
                stacked || ways.of(&path)?.iter().all(|way| way.iter().any(|device| device.kind == "crypt"));
            if encrypted { closed.push(path) } else { open.push(path) }
        }
        let expected = "data and backups on encrypted volumes";
        Ok(match open.as_slice() {
            [] => Judgement::pass(format!("encrypted: {}", closed.join(", ")), expected),
            _ => Judgement::fail(format!("not encrypted: {}", open.join(", ")), expected),
        })
    }
}

fn paths(host: &HostScene<'_>) -> Result<Vec<String>, crate::Unmeasured> {
    let data = places(host)?.into_iter().map(|place| place.path);
    Ok(data.chain(path_param(host, "backup_path")?).collect())
}

#[cfg(test)]
mod tests {
    use crate::tool::findmnt::FINDMNT;
    use crate::tool::lsblk::LSBLK;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    const MOUNTS: &str = include_str!("../../../tests/fixtures/findmnt/data-volume.txt");
    const DEVICES: &str = include_str!("../../../tests/fixtures/lsblk/server.txt");

    fn trial(params: &str, mounts: &str, devices: &str) -> Trial {
        let inventory = format!("provider: static\nhosts:\n  a: {{address: 10.0.0.1, params: {{{params}}}}}\n");
        let mut trial = Trial::of("environment: trial\nservices:\n  database: {on: a}\n", &inventory);
        trial.phase = Phase::GoLive;
        trial.command("a", &FINDMNT, 0, mounts, "");
        trial.command("a", &LSBLK, 0, devices, "");
        trial
    }

    #[test]
    fn every_disk_below_the_data_must_be_encrypted() {
        let verdict = |params: &str, devices: &str| trial(params, MOUNTS, devices).verdict("disk.encrypt", "a");
        assert_eq!(verdict("data_path: /opt/data", DEVICES), Verdict::Pass);
        assert_eq!(verdict("data_path: /opt/data", &DEVICES.replacen("\"crypt\"", "\"part\"", 1)), Verdict::Fail);
        assert_eq!(verdict("data_path: /opt/data, encrypted_by: provider", DEVICES), Verdict::Attest);
        let finding =
            trial("data_path: /opt/data, backup_path: /srv/backups", MOUNTS, DEVICES).finding("disk.encrypt", "a");
        assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Fail, "not encrypted: /srv/backups"));
        assert_eq!(verdict("zone: a", DEVICES), Verdict::Skip);
        let stacked = MOUNTS
            .replace("\"ext4\",\n         \"options\": \"rw,noatime\"", "\"ecryptfs\",\n         \"options\": \"rw\"");
        assert_eq!(
            trial("data_path: /opt/data", &stacked, "{\"blockdevices\": []}").verdict("disk.encrypt", "a"),
            Verdict::Pass
        );
        assert!(trial("data_path: /opt/data", MOUNTS, "").finding("disk.encrypt", "a").unmeasured);
    }
}
