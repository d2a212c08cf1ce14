//! `os.entropy`: the kernel has randomness.

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};

/// The kernel has randomness.
pub struct Entropy;

static WARN: Threshold = Threshold {
    id: "os.entropy.warn",
    doc: "Fewer bits of entropy than this warn",
    unit: Unit::Count,
    values: Values::Same(200.0),
    basis: Basis::Proposed("kernels since 5.18 always show 256; before that, programs begin to wait below some 200"),
};

static ABOUT: About = About {
    id: "os.entropy",
    title: "The kernel has randomness for keys",
    measures: "/proc/sys/kernel/random/entropy_avail, in bits; /sys/class/misc/hw_random/rng_current is kept as evidence.",
    why: "On old kernels programs that make keys wait for randomness: services start minutes late, or not within their limit.",
    thresholds: &[&WARN],
    fix: "give the virtual machine a virtio-rng device, or install rng-tools",
    source: "proposed",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Entropy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) => Ask::of(
                host,
                ["/proc/sys/kernel/random/entropy_avail", "/sys/class/misc/hw_random/rng_current"].map(file),
            ),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let bits = answers.text(0)?.trim().parse::<u32>().map_err(|_| Unmeasured::new("entropy_avail is no number"))?;
        let (observed, expected) = (format!("{bits} bits"), format!("at least {}", scene.limit_text(&WARN)));
        Ok(if f64::from(bits) < scene.limit(&WARN) {
            Judgement::warn(observed, expected)
        } else {
            Judgement::pass(observed, expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    #[test]
    fn little_of_it_warns() {
        let mut trial = Trial::new();
        for (text, verdict) in
            [("256\n", Verdict::Pass), ("200", Verdict::Pass), ("42\n", Verdict::Warn), ("?", Verdict::Warn)]
        {
            trial.file("web1", "/proc/sys/kernel/random/entropy_avail", text);
            assert_eq!(trial.verdict("os.entropy", "web1"), verdict, "{text}");
        }
    }
}
