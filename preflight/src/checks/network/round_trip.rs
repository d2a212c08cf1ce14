//! `net.rtt`: how far hosts are from each other.

use cc_agent::probe::Outcome;

use super::way::Way;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};

/// Datagrams, a millisecond apart: at 2% loss, all of 200 arrive once in sixty times.
pub(super) const DATAGRAMS: u16 = 200;
/// Bytes of each.
pub(super) const SMALL: u16 = 64;
/// Connections, for where no datagram comes back.
const CONNECTIONS: u16 = 20;
/// A connection that takes longer than this lost its first packet: the kernel sends it again after a second.
const SENT_AGAIN: u32 = 1_000_000;

/// How far hosts are from each other.
pub struct RoundTrip;

static SLOW: Threshold = Threshold {
    id: "net.rtt.slow",
    doc: "a longer round trip within the environment warns",
    unit: Unit::Duration,
    values: Values::BySize { demo: 0.02, single: 0.001, micro: 0.001, small: 0.001, large: 0.001 },
    basis: Basis::Proposed(
        "hosts of one data centre are less than a millisecond apart; those of a rehearsal share one busy machine",
    ),
};
static TOO_SLOW: Threshold = Threshold {
    id: "net.rtt.too_slow",
    doc: "a longer round trip within the environment fails",
    unit: Unit::Duration,
    values: Values::BySize { demo: 0.1, single: 0.005, micro: 0.005, small: 0.005, large: 0.005 },
    basis: Basis::Proposed(
        "a page makes some hundred queries one after the other: 5 ms each are half a second and more",
    ),
};
static LOSS: Threshold = Threshold {
    id: "net.rtt.loss",
    doc: "a greater share of lost packets fails; any lost one warns",
    unit: Unit::Percent,
    values: Values::Same(1.0),
    basis: Basis::Proposed(
        "a lost packet costs a connection 200 ms or more; one in a hundred makes every other page slow",
    ),
};

static ABOUT: About = About {
    id: "net.rtt",
    title: "Hosts are near each other and no packet is lost",
    measures: "200 UDP datagrams to a listener that the agent of the used host opens, and back: their median round trip and how many \
               are lost. Where none comes back (a service has the port, or only TCP is let through), 20 TCP connections.",
    why: "Requests wait for the database many times each. Hosts in different data centres, or a link that loses packets, make \
          every page slow, whatever the size of the hosts.",
    thresholds: &[&SLOW, &TOO_SLOW, &LOSS],
    fix: "place the hosts into one data centre or zone; where packets are lost, look at cables, switches and the load of the link",
    source: "transition guide 2.2, question 4; prerequisites 7: all hosts in the same data centre",
    vantage: Vantage::Pair,
    applies: "every pair of hosts of which one uses a service of the other; `demo` allows what hosts on one busy machine need",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for RoundTrip {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Some(way) = Way::of(scene, subject) else { return Ask::skip("it is asked of pairs") };
        let Some(port) = way.first_port() else { return Ask::skip("nothing is used there") };
        Ask::Measure(vec![way.listen(port), way.echo(port, DATAGRAMS, SMALL), way.connect(port, CONNECTIONS)])
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let sample = sample(answers)?;
        let (slow, too_slow, loss) = (scene.limit(&SLOW), scene.limit(&TOO_SLOW), scene.limit(&LOSS));
        let expected = format!("less than {}, nothing lost", scene.limit_text(&SLOW));
        let observed = sample.text();
        Ok(if sample.lost_percent() > loss || sample.median >= too_slow {
            Judgement::fail(observed, expected)
        } else if sample.lost > 0 || sample.median >= slow {
            Judgement::warn(observed, expected)
        } else {
            Judgement::pass(observed, expected)
        })
    }
}

/// What a row of attempts tells.
struct Sample {
    /// Of those that came back, in seconds.
    median: f64,
    lost: usize,
    sent: usize,
    what: &'static str,
}

impl Sample {
    /// None where nothing came back.
    fn of(times: &[Option<u32>], what: &'static str, most: u32) -> Option<Self> {
        let mut back: Vec<u32> = times.iter().flatten().copied().filter(|time| *time < most).collect();
        back.sort_unstable();
        let median = f64::from(*back.get(back.len() / 2)?) / 1e6;
        Some(Self { median, lost: times.len() - back.len(), sent: times.len(), what })
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 65535 packets")]
    fn lost_percent(&self) -> f64 {
        self.lost as f64 * 100.0 / self.sent as f64
    }

    fn text(&self) -> String {
        let (median, lost, sent) = (Unit::Duration.show(self.median), self.lost, self.sent);
        let median = if self.median < 0.001 { format!("{:.2} ms", self.median * 1000.0) } else { median };
        match lost {
            0 => format!("{median} by {}, none of {sent} lost", self.what),
            _ => format!("{median} by {}, {lost} of {sent} lost", self.what),
        }
    }
}

/// The datagrams where any came back, else the connections.
fn sample(answers: &Answered<'_>) -> Result<Sample, Unmeasured> {
    if let Outcome::Times { micros, .. } = answers.outcome(1)
        && let Some(sample) = Sample::of(micros, "UDP", u32::MAX)
    {
        return Ok(sample);
    }
    let (times, why) = answers.times(2)?;
    let sample = Sample::of(times, "TCP", SENT_AGAIN);
    sample.ok_or_else(|| Unmeasured::new(format!("nothing got through: {}", why.unwrap_or("every packet was lost"))))
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::{Outcome, Probe};

    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    fn verdict(udp: &[Option<u32>], tcp: &[Option<u32>]) -> (Verdict, String) {
        let address = || "10.0.0.2".to_owned();
        let times = |micros: &[Option<u32>]| Outcome::Times { micros: micros.to_vec(), why: None };
        let mut trial = Trial::new();
        trial.answer("db1", Probe::Listen { port: 5432 }, Outcome::Listening { port: 5432 });
        let echo = Probe::Echo { address: address(), port: 5432, times: DATAGRAMS, bytes: SMALL };
        trial.answer("web1", echo, times(udp));
        trial.answer("web1", Probe::Connect { address: address(), port: 5432, times: CONNECTIONS }, times(tcp));
        let finding = trial.finding("net.rtt", "web1");
        (finding.verdict, finding.observed)
    }

    #[test]
    fn distance_and_loss_are_told_apart() {
        let near = vec![Some(300); 200];
        assert_eq!(verdict(&near, &[]), (Verdict::Pass, "0.30 ms by UDP, none of 200 lost".to_owned()));
        assert_eq!(verdict(&[Some(2000); 200], &[]).0, Verdict::Warn);
        assert_eq!(verdict(&[Some(200_000); 200], &[]), (Verdict::Fail, "200 ms by UDP, none of 200 lost".to_owned()));
        let mut lossy = near;
        lossy[7] = None;
        assert_eq!(verdict(&lossy, &[]).0, Verdict::Warn);
        lossy[..4].fill(None);
        assert_eq!(verdict(&lossy, &[]), (Verdict::Fail, "0.30 ms by UDP, 5 of 200 lost".to_owned()));
    }

    #[test]
    fn connections_stand_in_where_no_datagram_comes_back() {
        let silence = vec![None; 200];
        assert_eq!(verdict(&silence, &[Some(400); 20]).0, Verdict::Pass);
        let mut again = vec![Some(400); 20];
        again[3] = Some(1_003_000);
        assert_eq!(verdict(&silence, &again), (Verdict::Fail, "0.40 ms by TCP, 1 of 20 lost".to_owned()));
        let (verdict, observed) = verdict(&silence, &[None, None]);
        assert!(verdict == Verdict::Fail && observed.contains("could not be measured"), "{observed}");
    }
}
