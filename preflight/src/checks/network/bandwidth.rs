//! `net.bw`: how much goes through between hosts.

use cc_agent::probe::{Outcome, Probe, Run};

use super::way::Way;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};

/// A port that no service of an environment has: what is sent there must never reach a service. It is iperf3's.
const PORT: u16 = 5201;
/// How long is sent each time.
const SECONDS: u32 = 10;
/// How often: the median of them is what counts.
const TIMES: u16 = 3;

/// How much goes through between hosts.
pub struct Bandwidth;

static ENOUGH: Threshold = Threshold {
    id: "net.bw.enough",
    doc: "less throughput between hosts warns",
    unit: Unit::Mbps,
    values: Values::BySize { demo: 100.0, single: 880.0, micro: 880.0, small: 880.0, large: 880.0 },
    basis: Basis::Documented(
        "transition guide 2.2, consideration 4: at least 940 Mbps down and 880 Mbps up; one way is measured",
    ),
};
static LEAST: Threshold = Threshold {
    id: "net.bw.least",
    doc: "less throughput between hosts fails",
    unit: Unit::Mbps,
    values: Values::BySize { demo: 50.0, single: 792.0, micro: 792.0, small: 792.0, large: 792.0 },
    basis: Basis::Proposed("nine tenths of what the guide asks for: a measurement is never quite the rate of the link"),
};

static ABOUT: About = About {
    id: "net.bw",
    title: "Enough goes through between hosts",
    measures: "TCP for ten seconds from the client to a listener on port 5201 of the host that it uses, three times: the median. All \
               pairs are loaded at the same time, which is what a busy site does.",
    why: "Backups, migrations and reports move the whole data set: at a tenth of the rate a night's backup takes ten nights.",
    thresholds: &[&ENOUGH, &LEAST],
    fix: "use a faster link or a larger class of instance, and let TCP port 5201 through while it is measured",
    source: "transition guide 2.2, consideration 4",
    vantage: Vantage::Pair,
    applies: "every pair of hosts of which one uses a service of the other; `demo` asks for 100 Mbps",
    blocks: &[Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: Some("sends as much as goes through for ten seconds, three times, from each host to each host that it uses"),
    proof: Proof::RealHost,
};

impl Check for Bandwidth {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Some(way) = Way::of(scene, subject) else { return Ask::skip("it is asked of pairs") };
        let send = Probe::Throughput { address: way.address(), port: PORT, seconds: SECONDS, times: TIMES };
        Ask::Measure(vec![way.listen(PORT), way.ask(send)])
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let Outcome::Sent { runs } = answers.outcome(1) else {
            let why = match (answers.outcome(0), answers.outcome(1)) {
                (Outcome::Failed { why }, _) | (_, Outcome::Failed { why }) => why.clone(),
                _ => "it was not measured".to_owned(),
            };
            return Err(Unmeasured::new(format!("port {PORT}: {why}")));
        };
        let rate = median(runs).ok_or_else(|| Unmeasured::new("the sending took no time"))?;
        let (observed, expected) = (Unit::Mbps.show(rate.round()), format!("at least {}", scene.limit_text(&ENOUGH)));
        Ok(match rate {
            rate if rate < scene.limit(&LEAST) => Judgement::fail(observed, expected),
            rate if rate < scene.limit(&ENOUGH) => Judgement::warn(observed, expected),
            _ => Judgement::pass(observed, expected),
        })
    }
}

/// In megabits a second; none where a run took no time, or there is none.
fn median(runs: &[Run]) -> Option<f64> {
    // A bit in a microsecond is a megabit in a second.
    #[expect(clippy::cast_precision_loss, reason = "ten seconds of any link are below 2^53 bytes")]
    let rate = |run: &Run| (run.micros > 0).then(|| (run.bytes as f64) * 8.0 / (run.micros as f64));
    let mut rates = runs.iter().map(rate).collect::<Option<Vec<f64>>>()?;
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    #[test]
    fn the_rate_is_of_bits() {
        let mut trial = Trial::new();
        assert_eq!(trial.verdict("net.bw", "web1"), Verdict::Skip);
        (trial.deep, trial.phase) = (true, Phase::GoLive);
        trial.answer("db1", Probe::Listen { port: PORT }, Outcome::Listening { port: PORT });
        let send = || Probe::Throughput { address: "10.0.0.2".to_owned(), port: PORT, seconds: SECONDS, times: TIMES };
        let sent = |all: [u64; 3]| Outcome::Sent { runs: all.map(|bytes| Run { bytes, micros: 10_000_000 }).to_vec() };
        for (bytes, verdict) in
            [(1_200_000_000, Verdict::Pass), (1_000_000_000, Verdict::Warn), (125_000_000, Verdict::Fail)]
        {
            // One run that was disturbed, and one that was lucky, do not count.
            trial.answer("web1", send(), sent([1, bytes, 2_000_000_000]));
            assert_eq!(trial.verdict("net.bw", "web1"), verdict, "{bytes}");
        }
        assert_eq!(trial.finding("net.bw", "web1").observed, "100 Mbps");
        trial.answer("web1", send(), Outcome::Sent { runs: vec![] });
        assert!(trial.finding("net.bw", "web1").unmeasured);
        trial.answer("web1", send(), Outcome::Failed { why: "connection refused".to_owned() });
        assert!(trial.finding("net.bw", "web1").unmeasured);
    }
}
