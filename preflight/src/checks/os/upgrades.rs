//! `os.upgrades`: no security update is pending.

use cc_plan::counted;
use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command, folder};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::apt::Upgrades;

/// No security update is pending.
pub struct PendingUpgrades;

static LISTS: Threshold = Threshold {
    id: "os.upgrades.lists",
    doc: "Package lists that are older than this say nothing",
    unit: Unit::Duration,
    values: Values::Same(7.0 * 86400.0),
    basis: Basis::Proposed(
        "security updates are published nearly every day; a week is what a host without a daily timer may miss",
    ),
};

static ABOUT: About = About {
    id: "os.upgrades",
    title: "No security update is pending",
    measures: "`apt-get --simulate dist-upgrade`: what would be upgraded, and what of it comes from a security archive; and the age of \
               the package lists that this rests on.",
    why: "A site that opens with known holes is attacked through them; after the opening each update needs a maintenance window.",
    thresholds: &[&LISTS],
    fix: "run `apt-get update && apt-get dist-upgrade` and put a schedule to it",
    // `apt-check` of update-notifier counts the same, on Ubuntu alone, and names nothing.
    source: "transition guide 3.1, last question; security checklist, Host 5",
    vantage: Vantage::Host,
    applies: "every host of every size but demo: a rehearsal is as old as its image",
    blocks: &[Phase::Install, Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

/// How to ask. A simulation would still write what it has read of the lists to /var/cache/apt; without names for these files it
/// keeps it in memory.
const SIMULATE: [&str; 7] =
    ["apt-get", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "--simulate", "dist-upgrade"];

/// What changes its time when lists are fetched: some of them, whatever the system.
const FETCHED: [&str; 3] =
    ["/var/lib/apt/lists/partial", "/var/lib/apt/periodic/update-success-stamp", "/var/cache/apt/pkgcache.bin"];

impl Check for PendingUpgrades {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        if scene.size() == Size::Demo {
            return Ask::skip("a rehearsal (demo) is as old as its image");
        }
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let mut simulate = command(&SIMULATE);
        if let cc_agent::probe::Probe::Command { seconds, .. } = &mut simulate {
            *seconds = 30;
        }
        let fetched: Vec<&str> = ["stat", "-c", "%Y"].into_iter().chain(FETCHED).collect();
        Ask::of(host, [simulate, folder("/var/lib/apt/lists"), command(&fetched)])
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let fix = "run `apt-get update`, then look again";
        let upgrades = Upgrades::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`apt-get --simulate dist-upgrade` ends without a summary"))?;
        let lists = answers.names(1)?.unwrap_or_default();
        if !lists.iter().any(|name| name.contains("_Packages")) {
            return Err(Unmeasured::new("apt has no package lists, so that it knows of no updates").fix(fix));
        }
        let (_, times, _) = answers.ended(2)?;
        let newest = times.lines().filter_map(|line| line.trim().parse::<i64>().ok()).max();
        let newest = newest.ok_or_else(|| Unmeasured::new("the age of apt's package lists is not known").fix(fix))?;
        let age = f64::from(i32::try_from(scene.now.as_second().saturating_sub(newest)).unwrap_or(i32::MAX));
        let expected = format!("none, by package lists of the last {}", scene.limit_text(&LISTS));
        let (all, security) = (upgrades.all.len(), upgrades.security.len());
        let observed = match upgrades.security.as_slice() {
            [] => format!("{}, none of them for security", counted(all, "update")),
            names => format!("{}, {security} of them for security: {}", counted(all, "update"), few(names)),
        };
        Ok(if security > 0 {
            Judgement::fail(observed, expected)
        } else if age > scene.limit(&LISTS) {
            let days = age / 86400.0;
            return Err(Unmeasured::new(format!("apt's package lists are {days:.0} days old")).fix(fix));
        } else if all > 0 {
            Judgement::warn(observed, expected)
        } else {
            Judgement::pass("none", expected)
        })
    }
}

/// The first names, and how many more there are.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = names.len().saturating_sub(SHOWN);
    let first = names[..names.len() - more].join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use crate::trial::Trial;
    use crate::{Finding, Verdict, folder};

    const NONE: &str = include_str!("../../../tests/fixtures/apt/none.txt");
    const JAMMY: &str = include_str!("../../../tests/fixtures/apt/jammy.txt");

    fn finding(simulation: &str, list: &str, age: i64) -> Finding {
        let mut trial = Trial::new();
        let names = vec![list.to_owned()];
        let fetched: Vec<&str> = ["stat", "-c", "%Y"].into_iter().chain(super::FETCHED).collect();
        let time = trial.now.as_second() - age;
        trial
            .command("web1", &super::SIMULATE, 0, simulation, "")
            .answer("web1", folder("/var/lib/apt/lists"), Outcome::Names { names })
            .command("web1", &fetched, 1, &format!("1000\n{time}\n"), "stat: cannot statx");
        trial.finding("os.upgrades", "web1")
    }

    #[test]
    fn security_updates_fail_others_warn() {
        let found = finding(JAMMY, "jammy_main_binary-amd64_Packages", 60);
        assert_eq!(found.verdict, Verdict::Fail);
        assert_eq!(found.observed, "3 updates, 2 of them for security: libssl3, linux-image-5.15.0-161-generic");
        let others = JAMMY.replace("-security", "-updates");
        assert_eq!(finding(&others, "main_Packages.lz4", 60).verdict, Verdict::Warn);
        assert_eq!(finding(NONE, "main_Packages", 60).verdict, Verdict::Pass);
    }

    #[test]
    fn without_fresh_lists_no_update_is_no_pass() {
        for (list, age) in [("lock", 60), ("main_Packages", 8 * 86400)] {
            let found = finding(NONE, list, age);
            assert!(found.unmeasured && found.fix.contains("apt-get update"), "{found:?}");
        }
    }
}
