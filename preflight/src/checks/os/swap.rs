//! `os.swap`: swap is what the plan has, and is not needed.

use cc_agent::resource::{Presence, Resource};

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::Unit;
use crate::tool::swaps::Swap;

/// Swap is what the plan has, and is not needed.
pub struct SwapSpace;

static ABOUT: About = About {
    id: "os.swap",
    title: "Swap is what the plan has, and is not needed",
    measures: "/proc/swaps, against the `swap_file` steps of the plan.",
    why: "A database whose memory is on disk answers in seconds instead of milliseconds; swap that is used says that the memory does not suffice.",
    thresholds: &[],
    fix: "remove it (`swapoff -a`, and its line of /etc/fstab) or declare it as a `swap_file`; where it is used, give the host more memory \
          or its services less",
    source: "the predecessor's role swap; operations guide, monitoring: \"Swap memory\"",
    vantage: Vantage::Host,
    applies: "every host; not containers of a rehearsal (demo), which show the machine's",
    blocks: &[],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for SwapSpace {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) if scene.rehearses_in_container(host) => {
                Ask::skip("a container of a rehearsal (demo): it shows the swap of the machine")
            }
            Ok(host) => Ask::of(host, [file("/proc/swaps")]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let swaps =
            Swap::parse(answers.text(0)?).ok_or_else(|| Unmeasured::new("/proc/swaps has not its usual form"))?;
        let planned = |path: &str| {
            host.steps.iter().any(|step| match &step.resource {
                Resource::SwapFile(swap) => swap.state == Presence::Present && swap.path == path,
                _ => false,
            })
        };
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let show = |bytes: u64| Unit::Bytes.show(bytes as f64);
        let describe = |swap: &Swap| {
            let declared = if planned(&swap.path) { "" } else { ", not in the plan" };
            format!("{} of {}, {} used{declared}", swap.path, show(swap.size), show(swap.used))
        };
        let observed: Vec<String> = swaps.iter().map(describe).collect();
        let expected = "none, or as the plan has it, and unused";
        Ok(match observed.as_slice() {
            [] => Judgement::pass("none", expected),
            all if swaps.iter().all(|swap| swap.used == 0 && planned(&swap.path)) => {
                Judgement::pass(all.join("; "), expected)
            }
            all => Judgement::warn(all.join("; "), expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    const FILE: &str = include_str!("../../../tests/fixtures/swaps/file.txt");

    #[test]
    fn undeclared_or_used_swap_warns() {
        let role = "role: memory\ndescription: m\nresources:\n  - swap_file: /swapfile\n    size: 2GiB\n";
        let environment = "environment: trial\nservices: {memory: {on: db1}, web: {on: web1}, database: {on: web1}}\n";
        let inventory = "provider: static\nhosts: {db1: {address: 10.0.0.2}, web1: {address: 10.0.0.1}}\n";
        let mut trial = Trial::with_roles(environment, inventory, &[("memory", role)]);
        let unused = FILE.replace("524288", "0");
        for (text, db1, web1) in [
            (include_str!("../../../tests/fixtures/swaps/none.txt"), Verdict::Pass, Verdict::Pass),
            (&unused, Verdict::Pass, Verdict::Warn),
            (FILE, Verdict::Warn, Verdict::Warn),
        ] {
            trial.file("db1", "/proc/swaps", text).file("web1", "/proc/swaps", text);
            assert_eq!((trial.verdict("os.swap", "db1"), trial.verdict("os.swap", "web1")), (db1, web1), "{text}");
        }
    }
}
