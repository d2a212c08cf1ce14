//! A load of 64 MiB on a disk: by fio, or by dd where that is not installed.

use serde::Deserialize;

/// The script; its argument is a folder.
pub const DISK_LOAD: &str = include_str!("disk_load.sh");

/// What a disk did.
#[derive(Clone, Debug, PartialEq)]
pub enum DiskLoad {
    /// Measured by fio.
    Fio {
        /// Of a hundred writes of 8 KiB, 99 were on the disk after this many seconds.
        sync: f64,
        /// Reads and writes of 4 KiB at random places, each second.
        random: f64,
        /// Bytes a second, written one after the other in pieces of 1 MiB.
        sequential: f64,
    },
    /// Measured by dd, which knows averages alone and nothing of random places.
    Dd {
        /// A write of 8 KiB was on the disk after this many seconds, on average.
        sync: f64,
        /// Bytes a second, written one after the other in pieces of 1 MiB.
        sequential: f64,
    },
}

#[derive(Deserialize)]
struct Output {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    jobname: String,
    error: i64,
    read: Direction,
    write: Direction,
    sync: Sync,
}

#[derive(Deserialize)]
struct Direction {
    iops: f64,
    bw_bytes: f64,
}

#[derive(Deserialize)]
struct Sync {
    #[serde(default)]
    lat_ns: Latency,
}

#[derive(Default, Deserialize)]
struct Latency {
    #[serde(default)]
    percentile: std::collections::BTreeMap<String, f64>,
}

impl DiskLoad {
    /// Reads what the script printed; none where that is something else, or where a job failed.
    pub fn parse(text: &str) -> Option<Self> {
        match text.find('{') {
            Some(begin) => fio(&text[begin..]),
            None => dd(text),
        }
    }
}

fn fio(text: &str) -> Option<DiskLoad> {
    let output: Output = serde_json::from_str(text).ok()?;
    let job = |name: &str| output.jobs.iter().find(|job| job.jobname == name && job.error == 0);
    let (random, sync) = (job("random")?, job("sync")?.sync.lat_ns.percentile.get("99.000000")?);
    let random = random.read.iops + random.write.iops;
    let load = DiskLoad::Fio { sync: sync / 1e9, random, sequential: job("sequential")?.write.bw_bytes };
    matches!(load, DiskLoad::Fio { sync, random, sequential } if sync > 0.0 && random > 0.0 && sequential > 0.0)
        .then_some(load)
}

/// The first run of dd writes all, the second 400 pieces, each to the disk.
fn dd(text: &str) -> Option<DiskLoad> {
    let [all, pieces] = text.lines().filter_map(copied).collect::<Vec<_>>().try_into().ok()?;
    let written = |bytes: f64, expected: f64| (bytes - expected).abs() < 1.0;
    let sound = written(all.0, 64.0 * 1_048_576.0) && written(pieces.0, 400.0 * 8192.0);
    sound.then(|| DiskLoad::Dd { sync: pieces.1 / 400.0, sequential: all.0 / all.1 })
}

/// Bytes and seconds of `67108864 bytes (67 MB, 64 MiB) copied, 0.25 s, 262 MB/s`.
fn copied(line: &str) -> Option<(f64, f64)> {
    let (bytes, rest) = line.split_once(" bytes ")?;
    let seconds = rest.split_once(" copied, ")?.1.split_once(" s, ")?.0;
    let (bytes, seconds): (f64, f64) = (bytes.parse().ok()?, seconds.parse().ok()?);
    (bytes.is_finite() && seconds.is_finite() && seconds > 0.0).then_some((bytes, seconds))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    const FIO: &str = include_str!("../../tests/fixtures/fio/fio-3.33.txt");
    const DD: &str = include_str!("../../tests/fixtures/dd/coreutils-9.1.txt");

    #[test]
    fn fio_tells_all_and_dd_a_part() {
        let DiskLoad::Fio { sync, random, sequential } = DiskLoad::parse(FIO).unwrap() else { panic!("fio") };
        assert!(sync < 1.0 && random > 100.0 && sequential > 1e6, "{sync} {random} {sequential}");
        let DiskLoad::Dd { sync, sequential } = DiskLoad::parse(DD).unwrap() else { panic!("dd") };
        assert!(sync < 1.0 && sequential > 1e6, "{sync} {sequential}");
        let failed = FIO.replace("\"error\" : 0", "\"error\" : 5");
        assert_ne!(failed, FIO);
        for text in ["", "{}", DD.split("400+0").next().unwrap(), &failed] {
            assert_eq!(DiskLoad::parse(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_is_left_even_when_it_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", DISK_LOAD, "sh"]).arg(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // The first output comes from dd, which writes when the name is gone already.
        let mut byte = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut byte).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in crate::trial::noise(&[FIO, DD])) {
            prop_assert!(DiskLoad::parse(&text).is_none() || text.contains("jobs") || text.contains("copied"));
        }
    }
}
