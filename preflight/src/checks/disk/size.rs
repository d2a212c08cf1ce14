//! `disk.size`: room for what is kept, and free room to work in.

use std::collections::BTreeMap;

use super::place::{folder, places};
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::df::{DF, FileSystem, FileSystems};

/// Room for what is kept, and free room to work in.
pub struct Size;

static FREE: Threshold = Threshold {
    id: "disk.size.free",
    doc: "less free space than this on a file system fails: packages, releases and logs need it",
    unit: Unit::Bytes,
    values: Values::Same(2_147_483_648.0),
    basis: Basis::Proposed(
        "a release of the application with its Python packages takes about 1 GiB, and an upgrade as much again",
    ),
};
static FREE_FAIL: Threshold = Threshold {
    id: "disk.size.free_fail",
    doc: "a smaller free share of space or inodes fails",
    unit: Unit::Percent,
    values: Values::BySize { demo: 0.0, single: 10.0, micro: 10.0, small: 10.0, large: 10.0 },
    basis: Basis::Proposed(
        "Elasticsearch stops allocating at 85% and moves data away at 90%; a rehearsal shares its machine's disk",
    ),
};
static FREE_WARN: Threshold = Threshold {
    id: "disk.size.free_warn",
    doc: "a smaller free share of space or inodes warns",
    unit: Unit::Percent,
    values: Values::BySize { demo: 0.0, single: 20.0, micro: 20.0, small: 20.0, large: 20.0 },
    basis: Basis::Documented("firefighting guide: CouchDB compaction at 80%, Elasticsearch watermark at 85%"),
};
static LEAST: Threshold = Threshold {
    id: "disk.size.least",
    doc: "a host whose disks hold less fails",
    unit: Unit::Bytes,
    values: Values::BySize { demo: 0.0, single: 40e9, micro: 40e9, small: 30e9, large: 30e9 },
    basis: Basis::Documented("installation guide, step 2: 40 GB for one server, 30 GB for a host of a cluster"),
};
static ENOUGH: Threshold = Threshold {
    id: "disk.size.enough",
    doc: "a host whose disks hold less warns",
    unit: Unit::Bytes,
    values: Values::BySize { demo: 0.0, single: 2e12, micro: 1e12, small: 30e9, large: 30e9 },
    basis: Basis::Documented(
        "prerequisites 5: 2 TB SSD, 1 TB SSD each; installation guide, step 2: 30 GB for a host of a cluster",
    ),
};
static DATABASE: Threshold = Threshold {
    id: "disk.size.database",
    doc: "a host that keeps data and whose disks hold less warns",
    unit: Unit::Bytes,
    values: Values::BySize { demo: 0.0, single: 2e12, micro: 1e12, small: 90e9, large: 90e9 },
    basis: Basis::Documented("installation guide, step 2: 30 GB and 60 GB for databases"),
};
static SLACK: Threshold = Threshold {
    id: "disk.size.slack",
    doc: "by how much a file system may be smaller than the disk that is asked for",
    unit: Unit::Percent,
    values: Values::Same(5.0),
    basis: Basis::Proposed("partition tables, inode tables and the boot partition take up to this"),
};

static ABOUT: About = About {
    id: "disk.size",
    title: "Disks have room for the data, and free room to work in",
    measures: "`df` on the file systems that hold /, /var, /opt, /home, /srv and the host's data: what they hold together, what is \
               free of space and inodes, and whether the sum of what the configured services declare as their need fits.",
    why: "A full disk stops PostgreSQL and CouchDB at once and can damage what they were writing; an installation or a release \
          that runs out of room stops in the middle.",
    thresholds: &[&FREE, &FREE_FAIL, &FREE_WARN, &LEAST, &ENOUGH, &DATABASE, &SLACK],
    fix: "remove what is not needed, or grow the disk",
    source: "prerequisites 5; installation guide, step 2; firefighting guide",
    vantage: Vantage::Host,
    applies: "every host of every size; `demo` asks for 2 GiB of free space and for what the services declare, nothing else. \
              Further data than that of the services is declared by `params: {data_path: /opt/data}` of a host in the inventory. \
              A change is blocked by missing free space alone",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration, Phase::Change],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

/// What a disk that is too small blocks; on a live site it is no news.
const NEW: &[Phase] = &[Phase::Install, Phase::GoLive, Phase::Migration];

/// What changes write to, beside data.
const SYSTEM: [&str; 5] = ["/", "/var", "/opt", "/home", "/srv"];

impl Check for Size {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        Ask::of(host, [command(&DF)])
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let all = FileSystems::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`df` printed something else than a table of file systems"))?;
        let places = places(host)?;
        let paths = SYSTEM.into_iter().chain(places.iter().map(|place| place.path.as_str()));
        let mounted = all.of_all(paths);
        // Free space first: of equal verdicts the first is told, and this one blocks the most.
        let judgements = mounted.iter().map(|fs| free(scene, fs));
        let judgements = judgements.chain([needed(host, &all)?, capacity(scene, &mounted, !places.is_empty())]);
        Ok(told_together(judgements.collect()))
    }
}

/// One judgement of several: its verdict is the worst, its words those of all that are as bad.
fn told_together(judgements: Vec<Judgement>) -> Judgement {
    let worst = judgements.iter().map(|judgement| judgement.verdict).max();
    let bad: Vec<Judgement> = judgements.into_iter().filter(|judgement| Some(judgement.verdict) == worst).collect();
    let words = |part: fn(&Judgement) -> &str| {
        bad.iter().map(part).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
    };
    let (observed, expected) = (words(|judgement| &judgement.observed), words(|judgement| &judgement.expected));
    match bad.into_iter().next() {
        Some(first) => Judgement { observed, expected, ..first },
        None => Judgement::skip("there is no file system"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "file systems are far below 2^53 bytes")]
fn free(scene: &Scene<'_>, fs: &FileSystem) -> Judgement {
    let inodes = fs.inodes.map(|used| 100.0 - f64::from(used));
    let (available, share) = (fs.available as f64, fs.free_percent());
    let least = scene.limit(&FREE).min(fs.size as f64);
    let lowest = inodes.map_or(share, |inodes| inodes.min(share));
    let show = |bytes: f64| Unit::Bytes.show(bytes);
    let scarce = inodes.filter(|inodes| *inodes < share.min(scene.limit(&FREE_WARN)));
    let observed = match scarce {
        Some(inodes) => format!("{}: {} of inodes free", fs.target, Unit::Percent.show(inodes)),
        None => format!("{}: {} ({share:.0}%) of {} free", fs.target, show(available), show(fs.size as f64)),
    };
    let share_text = |threshold| match scene.limit(threshold) {
        0.0 => String::new(),
        _ => format!(" and {}", scene.limit_text(threshold)),
    };
    if available < least || lowest < scene.limit(&FREE_FAIL) {
        Judgement::fail(observed, format!("{}: at least {}{} free", fs.target, show(least), share_text(&FREE_FAIL)))
            .fix(format!("remove what is not needed below {}, or grow its disk", fs.target))
    } else if lowest < scene.limit(&FREE_WARN) {
        Judgement::warn(observed, format!("{}: at least{} free", fs.target, share_text(&FREE_WARN).replace(" and", "")))
    } else {
        Judgement::pass(observed, format!("at least {}{} free", show(least), share_text(&FREE_WARN)))
    }
}

/// Whether what services declare fits where they keep it. On an installed host a part of it is there already.
fn needed(host: &HostScene<'_>, all: &FileSystems) -> Result<Judgement, Unmeasured> {
    let mut sums: BTreeMap<&str, (&FileSystem, u64, Vec<String>)> = BTreeMap::new();
    for needs in host.needs {
        let Some(bytes) = needs.disk else { continue };
        let role = host.services.iter().find(|service| service.name.value == needs.service);
        let path = role.and_then(|service| folder(&service.role.value)).unwrap_or("/var");
        let fs = all.of(path).ok_or_else(|| Unmeasured::new(format!("`df` does not say what {path} is on")))?;
        let sum = sums.entry(&fs.target).or_insert((fs, 0, Vec::new()));
        sum.1 = sum.1.saturating_add(bytes);
        sum.2.push(format!("{} {}", needs.service, show(bytes)));
    }
    let judgements = sums.into_values().map(|(fs, sum, who)| {
        let (room, what) = if host.installed { (fs.size, "in all") } else { (fs.available, "free") };
        let observed = format!("{} on {} ({}), {} {what}", show(sum), fs.target, who.join(", "), show(room));
        if sum > room {
            let fix = format!("grow the disk of {}, or let the services take less", fs.target);
            Judgement::fail(format!("services need {observed}"), "room for what the services need")
                .blocking(NEW)
                .fix(fix)
        } else {
            Judgement::pass(format!("services need {observed}"), "")
        }
    });
    Ok(Judgement::worst(judgements).unwrap_or_else(|| Judgement::pass("", "")))
}

/// Whether the disks are as large as the size of the environment asks for.
#[expect(clippy::cast_precision_loss, reason = "file systems are far below 2^53 bytes")]
fn capacity(scene: &Scene<'_>, mounted: &[&FileSystem], keeps_data: bool) -> Judgement {
    let size = mounted.iter().map(|fs| fs.size as f64).sum::<f64>();
    let part = 1.0 - scene.limit(&SLACK) / 100.0;
    let enough = if keeps_data { &DATABASE } else { &ENOUGH };
    let observed = format!("{} in all", Unit::Bytes.show(size));
    if size < scene.limit(&LEAST) * part {
        let expected = format!("disks of at least {}", scene.limit_text(&LEAST));
        Judgement::fail(observed, expected).blocking(NEW).fix("use a host with a larger disk, or grow it")
    } else if size < scene.limit(enough) * part {
        Judgement::warn(observed, format!("disks of {}", scene.limit_text(enough)))
    } else {
        Judgement::pass(observed, "")
    }
}

#[expect(clippy::cast_precision_loss, reason = "disks are far below 2^53 bytes")]
fn show(bytes: u64) -> String {
    Unit::Bytes.show(bytes as f64)
}

#[cfg(test)]
mod tests {
    use crate::tool::df::DF;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    const DEMO: &str = "environment: trial\nsize: demo\nservices:\n  database: {on: db1}\n  web: {on: web1}\n";
    const HOSTS: &str = "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n  db1: {address: 10.0.0.2}\n";
    const CONTAINER: &str = include_str!("../../../tests/fixtures/df/debian-12-container.txt");

    fn root(size: u64, used: u64, available: u64, inodes: &str) -> String {
        format!("1B-blocks Used Avail IUse% Type Mounted on\n{size} {used} {available} {inodes} ext4 /\n")
    }

    #[test]
    fn a_rehearsal_asks_for_little_and_a_server_for_what_is_documented() {
        let mut demo = Trial::of(DEMO, HOSTS);
        demo.command("web1", &DF, 0, CONTAINER, "");
        assert_eq!(demo.verdict("disk.size", "web1"), Verdict::Pass);
        demo.command("web1", &DF, 0, &root(10 << 30, 9 << 30, 1 << 30, "4%"), "");
        let finding = demo.finding("disk.size", "web1");
        assert_eq!(finding.verdict, Verdict::Fail);
        assert!(finding.observed.contains("/: 1 GiB") && finding.expected.contains("2 GiB"), "{finding:?}");

        let mut single = Trial::new();
        let warned =
            |single: &Trial| (single.verdict("disk.size", "web1"), single.finding("disk.size", "web1").observed);
        single.command("web1", &DF, 0, &root(2_000_000_000_000, 1, 1_900_000_000_000, "1%"), "");
        assert_eq!(warned(&single).0, Verdict::Pass);
        single.command("web1", &DF, 0, &root(100_000_000_000, 1, 90_000_000_000, "1%"), "");
        assert_eq!(warned(&single), (Verdict::Warn, "93.1 GiB in all".to_owned()));
        single.command("web1", &DF, 0, &root(30_000_000_000, 1, 29_000_000_000, "1%"), "");
        assert_eq!(warned(&single).0, Verdict::Fail);
    }

    #[test]
    fn full_disks_block_a_change_and_small_ones_do_not() {
        let mut trial = Trial::new();
        trial.phase = Phase::Change;
        trial.command("web1", &DF, 0, &root(30_000_000_000, 1, 29_000_000_000, "1%"), "");
        let small = trial.finding("disk.size", "web1");
        assert_eq!(small.verdict, Verdict::Warn);
        assert!(small.blocks.contains(&Phase::Install) && !small.blocks.contains(&Phase::Change));
        for full in [root(2 << 40, 2 << 40, 1 << 35, "1%"), root(2 << 40, 1, 2 << 40, "95%")] {
            trial.command("web1", &DF, 0, &full, "");
            let finding = trial.finding("disk.size", "web1");
            assert!(finding.stops() && finding.blocks.contains(&Phase::Change), "{finding:?}");
        }
    }

    #[test]
    fn what_services_declare_must_fit() {
        let environment = "environment: trial\nsize: demo\nservices:\n  redis: {on: db1, gigabytes: 12}\n";
        let inventory = "provider: static\nhosts:\n  db1: {address: 10.0.0.2}\n";
        let mut trial = Trial::of(environment, inventory);
        let table = "1B-blocks Used Avail IUse% Type Mounted on\n\
                     99000000000 1 90000000000 1% ext4 /\n11000000000 1 10000000000 1% ext4 /var/lib/redis\n";
        trial.command("db1", &DF, 0, table, "");
        let finding = trial.finding("disk.size", "db1");
        assert_eq!(finding.verdict, Verdict::Fail);
        assert!(finding.observed.contains("12 GiB on /var/lib/redis (redis 12 GiB), 9.3 GiB free"), "{finding:?}");
        trial.command("db1", &DF, 0, &table.replace("11000000000 1 10000000000", "20000000000 1 19000000000"), "");
        assert_eq!(trial.verdict("disk.size", "db1"), Verdict::Pass);
    }

    #[test]
    fn a_data_path_is_measured_and_must_be_a_path() {
        let inventory = "provider: static\nhosts:\n  web1: {address: 10.0.0.1, params: {data_path: PATH}}\n  db1: {address: 10.0.0.2}\n";
        let table = include_str!("../../../tests/fixtures/df/data-volume.txt");
        let trial = |path| {
            let mut trial = Trial::of(DEMO, &inventory.replace("PATH", path));
            trial.command("web1", &DF, 0, table, "");
            trial.finding("disk.size", "web1")
        };
        assert!(trial("/opt/data").observed.contains("/opt/data: 1.5 TiB"));
        let wrong = trial("data");
        assert!(wrong.unmeasured && wrong.observed.contains("data_path"), "{wrong:?}");
    }

    #[test]
    fn no_garbage_passes() {
        let mut trial = Trial::of(DEMO, HOSTS);
        for (status, text) in [(0, ""), (0, "nonsense"), (1, CONTAINER), (0, "Dateisystem Größe\n/ 1\n")] {
            trial.command("web1", &DF, status, text, "");
            let finding = trial.finding("disk.size", "web1");
            assert!(finding.unmeasured && finding.verdict == Verdict::Fail, "{finding:?}");
        }
    }
}
