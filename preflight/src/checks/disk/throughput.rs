//! `disk.io`: the disk of the data is fast enough.

use cc_agent::probe::Probe;
use cc_plan::spec::environment::Size;

use super::place::places;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::disk_load::{DISK_LOAD, DiskLoad};

/// The disk of the data is fast enough.
pub struct Throughput;

const BASELINE: Basis =
    Basis::Proposed("the baseline of a general purpose cloud volume (gp3); the guide says only: high quality SSD");

static SYNC: Threshold = Threshold {
    id: "disk.io.sync",
    doc: "one in a hundred small writes may take longer than this to be on the disk",
    unit: Unit::Duration,
    values: Values::Same(0.010),
    basis: BASELINE,
};
static RANDOM: Threshold = Threshold {
    id: "disk.io.random",
    doc: "fewer small reads and writes at random places each second warn",
    unit: Unit::Count,
    values: Values::Same(3000.0),
    basis: BASELINE,
};
static SEQUENTIAL: Threshold = Threshold {
    id: "disk.io.sequential",
    doc: "fewer bytes written each second warn",
    unit: Unit::Bytes,
    values: Values::Same(125e6),
    basis: BASELINE,
};
static HALF: Threshold = Threshold {
    id: "disk.io.fail",
    doc: "a smaller share of any of these figures fails",
    unit: Unit::Percent,
    values: Values::Same(50.0),
    basis: Basis::Proposed("half of the baseline: a rotating disk has less"),
};

static ABOUT: About = About {
    id: "disk.io",
    title: "The disk of the data is fast enough",
    measures: "`fio` on the volume of the data: 8 KiB writes with fdatasync, 4 KiB reads and writes at random places, 1 MiB writes one \
               after the other. Where fio is not installed, `dd` measures the average of synchronous writes and the writes one after \
               the other; that can fail, and never passes.",
    why: "Databases wait for each write to reach the disk; a slow one makes everything slow, and no tuning helps.",
    thresholds: &[&SYNC, &RANDOM, &SEQUENTIAL, &HALF],
    fix: "use a faster volume for the data",
    source: "transition guide 2.2, consideration 2",
    vantage: Vantage::Host,
    applies: "hosts that keep data: the host param `data_path`, else the folder of the first service of role postgresql or redis. `demo` \
              skips it",
    blocks: &[Phase::GoLive, Phase::Migration],
    keeps: Keeps::Quarter,
    deep: Some(
        "writes a file of 64 MiB without a name to the volume of the data, reads and writes in it for about 10 s, at most 40 s, and \
         leaves nothing, even when it is killed",
    ),
    proof: Proof::RealHost,
};

/// Seconds after which the load is killed.
const LIMIT: u32 = 40;

impl Check for Throughput {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        if scene.size() == Size::Demo {
            return Ask::skip("a rehearsal (size demo) may be slow");
        }
        match places(host).map(|places| places.into_iter().next()) {
            Ok(None) => Ask::skip("no data is kept on this host"),
            Ok(Some(place)) => {
                let argv = ["sh", "-c", DISK_LOAD, "fio or dd", place.path.as_str()].map(str::to_owned).to_vec();
                Ask::of(host, [Probe::Command { argv, seconds: LIMIT }])
            }
            // Answered by nobody: the judgement says what is wrong with it.
            Err(_) => Ask::nothing(),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        places(scene.host(subject)?)?;
        let load = DiskLoad::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("neither `fio` nor `dd` printed what it measured"))?;
        Ok(match load {
            DiskLoad::Fio { sync, random, sequential } => by_fio(scene, sync, random, sequential),
            DiskLoad::Dd { sync, sequential } => by_dd(scene, sync, sequential),
        })
    }
}

fn by_fio(scene: &Scene<'_>, sync: f64, random: f64, sequential: f64) -> Judgement {
    let observed = format!(
        "99% of synchronous writes within {}, {random:.0} random operations a second, {} a second",
        Unit::Duration.show(sync),
        Unit::Bytes.show(sequential)
    );
    let expected =
        format!("{}, {}, {}", scene.limit_text(&SYNC), scene.limit_text(&RANDOM), scene.limit_text(&SEQUENTIAL));
    let shares = [scene.limit(&SYNC) / sync, random / scene.limit(&RANDOM), sequential / scene.limit(&SEQUENTIAL)];
    let lowest = shares.into_iter().fold(f64::INFINITY, f64::min);
    if lowest * 100.0 < scene.limit(&HALF) {
        Judgement::fail(observed, expected)
    } else if lowest < 1.0 {
        Judgement::warn(observed, expected)
    } else {
        Judgement::pass(observed, expected)
    }
}

fn by_dd(scene: &Scene<'_>, sync: f64, sequential: f64) -> Judgement {
    let observed = format!(
        "by dd: a synchronous write takes {} on average, {} a second; random places were not measured",
        Unit::Duration.show(sync),
        Unit::Bytes.show(sequential)
    );
    let expected = format!("{} for 99%, {}", scene.limit_text(&SYNC), scene.limit_text(&SEQUENTIAL));
    let lowest = (scene.limit(&SYNC) / sync).min(sequential / scene.limit(&SEQUENTIAL));
    if lowest * 100.0 < scene.limit(&HALF) {
        Judgement::fail(observed, expected)
    } else {
        Judgement::warn(observed, expected).fix("install fio on the host and measure again: `apt install fio`")
    }
}

#[cfg(test)]
mod tests {
    use crate::tool::disk_load::DISK_LOAD;
    use crate::trial::Trial;
    use crate::{Finding, Phase, Verdict};

    const DD: &str = include_str!("../../../tests/fixtures/dd/coreutils-9.1.txt");

    fn finding(text: &str) -> Finding {
        let inventory = "provider: static\nhosts:\n  a: {address: 10.0.0.1, params: {data_path: /opt/data}}\n";
        let mut trial = Trial::of("environment: trial\nservices:\n  database: {on: a}\n", inventory);
        (trial.deep, trial.phase) = (true, Phase::GoLive);
        trial.command("a", &["sh", "-c", DISK_LOAD, "fio or dd", "/opt/data"], 0, text, "");
        trial.finding("disk.io", "a")
    }

    fn fio(sync_ns: u64, iops: u64, bytes: u64) -> String {
        let job = |name: &str, iops: u64, bytes: u64| {
            format!(
                r#"{{"jobname": "{name}", "error": 0, "read": {{"iops": {iops}, "bw_bytes": 0}}, "write": {{"iops": 0, "bw_bytes": {bytes}}},
                   "sync": {{"lat_ns": {{"percentile": {{"99.000000": {sync_ns}}}}}}}}}"#
            )
        };
        format!("{{\"jobs\": [{}, {}, {}]}}", job("sync", 1, 1), job("random", iops, 1), job("sequential", 1, bytes))
    }

    #[test]
    fn the_slowest_figure_counts() {
        let verdict = |sync, iops, bytes| finding(&fio(sync, iops, bytes)).verdict;
        assert_eq!(verdict(9_000_000, 3000, 125_000_000), Verdict::Pass);
        assert_eq!(verdict(12_000_000, 3000, 125_000_000), Verdict::Warn);
        assert_eq!(verdict(9_000_000, 1400, 125_000_000), Verdict::Fail);
        assert_eq!(verdict(9_000_000, 3000, 20_000_000), Verdict::Fail);
    }

    #[test]
    fn dd_can_fail_and_never_passes() {
        let fast = finding(DD);
        assert!(fast.verdict == Verdict::Warn && fast.observed.starts_with("by dd"), "{fast:?}");
        let slow = DD.lines().map(|line| match line.split_once(" copied, ") {
            Some((before, _)) if before.starts_with("3276800") => format!("{before} copied, 40 s, 82 kB/s\n"),
            _ => format!("{line}\n"),
        });
        assert_eq!(finding(&slow.collect::<String>()).verdict, Verdict::Fail);
        for text in ["", "nonsense", "{\"jobs\": []}"] {
            assert!(finding(text).unmeasured, "{text}");
        }
        assert_eq!(Trial::new().verdict("disk.io", "db1"), Verdict::Skip, "not without --deep");
    }
}
