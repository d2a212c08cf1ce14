//! `hw.ram`: enough memory.

use super::duty::Duty;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, file};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::meminfo::{MEMINFO, total};

/// Enough memory.
pub struct Memory;

const GIB: f64 = 1_073_741_824.0;

static ENOUGH: Threshold = Threshold {
    id: "hw.ram.enough",
    doc: "less memory warns, in the sizes single and micro and on application hosts of a cluster",
    unit: Unit::Bytes,
    values: Values::BySize { demo: GIB, single: 32.0 * GIB, micro: 16.0 * GIB, small: 8.0 * GIB, large: 8.0 * GIB },
    basis: Basis::Documented(
        "prerequisites 5: 32 GB for one server, 16 GB each of two; installation guide, step 2: 8 GB for a web host",
    ),
};
static DATABASE: Threshold = Threshold {
    id: "hw.ram.database",
    doc: "less memory warns on a database host",
    unit: Unit::Bytes,
    values: Values::BySize { demo: GIB, single: 32.0 * GIB, micro: 16.0 * GIB, small: 16.0 * GIB, large: 16.0 * GIB },
    basis: Basis::Documented("prerequisites 5; installation guide, step 2: 16 GB for a database host"),
};
static PROXY: Threshold = Threshold {
    id: "hw.ram.proxy",
    doc: "less memory warns on a host that only passes requests on",
    unit: Unit::Bytes,
    values: Values::BySize { demo: GIB, single: 32.0 * GIB, micro: 16.0 * GIB, small: 4.0 * GIB, large: 4.0 * GIB },
    basis: Basis::Documented("prerequisites 5; installation guide, step 2: 4 GB for a proxy or control host"),
};
static LEAST: Threshold = Threshold {
    id: "hw.ram.least",
    doc: "less memory fails",
    unit: Unit::Bytes,
    values: Values::BySize {
        demo: 0.5 * GIB,
        single: 16.0 * GIB,
        micro: 8.0 * GIB,
        small: 4.0 * GIB,
        large: 4.0 * GIB,
    },
    basis: Basis::Documented(
        "installation guide, step 2: 16 GB for one server, 4 GB for the smallest host of a cluster; the half of what is recommended for micro",
    ),
};
static SLACK: Threshold = Threshold {
    id: "hw.ram.slack",
    doc: "by how much the memory that the kernel has to give may be less than what is built in",
    unit: Unit::Percent,
    values: Values::Same(5.0),
    basis: Basis::Proposed("firmware, graphics and the kernel itself keep up to this"),
};

static ABOUT: About = About {
    id: "hw.ram",
    title: "The host has enough memory",
    measures: "MemTotal of /proc/meminfo, or the limit of the host's control group where that is lower.",
    why: "When memory runs out, the kernel kills the process that has most of it: the database or the search index.",
    thresholds: &[&ENOUGH, &DATABASE, &PROXY, &LEAST, &SLACK],
    fix: "give the host more memory, or place services on more hosts",
    source: "prerequisites 5; installation guide, step 2",
    vantage: Vantage::Host,
    applies: "every host; `demo` asks for 1 GiB, because a rehearsal shares its machine. In the sizes small and large it depends on \
              what the host does: 16 GiB for databases, 8 GiB for the application, 4 GiB for a proxy. Where one of two micro \
              servers must carry everything when the other fails, set `hw.ram.enough: 32GiB` and `hw.ram.database: 32GiB`",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Quarter,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Memory {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        Ask::of(host, [file(MEMINFO)])
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let memory = memory_of(host, answers, 0)?;
        let duty = Duty::of(host);
        let enough = match duty {
            Duty::Database => &DATABASE,
            Duty::Application => &ENOUGH,
            Duty::Proxy => &PROXY,
        };
        let part = 1.0 - scene.limit(&SLACK) / 100.0;
        let observed = Unit::Bytes.show(memory);
        let expected = |threshold| format!("at least {} for {}", scene.limit_text(threshold), duty.name());
        Ok(if memory < scene.limit(&LEAST) * part {
            Judgement::fail(observed, format!("at least {}", scene.limit_text(&LEAST)))
        } else if memory < scene.limit(enough) * part {
            Judgement::warn(observed, expected(enough))
        } else {
            Judgement::pass(observed, expected(enough))
        })
    }
}

/// The memory of a host in bytes, by its answer to [`MEMINFO`] and the limit of its control group.
///
/// # Errors
/// When the answer does not tell.
#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
pub(super) fn memory_of(host: &HostScene<'_>, answers: &Answered<'_>, index: usize) -> Result<f64, Unmeasured> {
    /// Facts are rounded down to this.
    const STEP: u64 = 256 << 20;
    let text = answers.file(index)?.ok_or_else(|| Unmeasured::new("there is no /proc/meminfo"))?;
    let total = total(text).ok_or_else(|| Unmeasured::new("/proc/meminfo has no MemTotal"))?;
    let limit = host.facts.as_ref().map(|facts| facts.memory).filter(|memory| memory.saturating_add(STEP) < total);
    Ok(limit.unwrap_or(total) as f64)
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::meminfo::MEMINFO;
    use crate::trial::Trial;

    const HOSTS: &str = "provider: static\nhosts:\n  a: {address: 10.0.0.1}\n";

    fn verdict(size: &str, services: &str, mebibytes: u64) -> Verdict {
        let mut trial = Trial::of(&format!("environment: trial\nsize: {size}\nservices:\n  {services}\n"), HOSTS);
        trial.facts.get_mut("a").into_iter().for_each(|facts| facts.memory = mebibytes << 20);
        trial.file("a", MEMINFO, &format!("MemTotal: {} kB\n", mebibytes << 10));
        trial.verdict("hw.ram", "a")
    }

    #[test]
    fn it_depends_on_the_size_and_on_what_the_host_does() {
        let (redis, web) = ("redis: {on: a}", "web: {on: a}\n  database: {on: a}");
        for (size, services, gibibytes, expected) in [
            ("single", web, 32, Verdict::Pass),
            ("single", web, 24, Verdict::Warn),
            ("single", web, 12, Verdict::Fail),
            ("micro", web, 16, Verdict::Pass),
            ("small", web, 8, Verdict::Pass),
            ("small", redis, 8, Verdict::Warn),
            ("small", redis, 16, Verdict::Pass),
            ("demo", redis, 1, Verdict::Pass),
        ] {
            assert_eq!(verdict(size, services, gibibytes * 1024), expected, "{size} {services} {gibibytes}");
        }
        assert_eq!(verdict("single", web, 31 * 1024), Verdict::Pass, "the kernel keeps a part");
    }

    #[test]
    fn the_limit_of_a_control_group_counts() {
        let mut trial = Trial::new();
        trial.file("web1", MEMINFO, &format!("MemTotal: {} kB\n", 64 << 20));
        let finding = trial.finding("hw.ram", "web1");
        assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Fail, "4 GiB"));
        trial.file("web1", MEMINFO, "MemFree: 12 kB\n");
        assert!(trial.finding("hw.ram", "web1").unmeasured);
    }
}
