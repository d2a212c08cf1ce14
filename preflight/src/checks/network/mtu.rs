//! `net.mtu`: full frames get through in one piece.

use cc_agent::probe::Outcome;

use super::round_trip::{DATAGRAMS, SMALL};
use super::way::Way;
use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Bytes of a datagram that fills an Ethernet frame of 1500 bytes: less 20 of IP and 8 of UDP.
const FULL: u16 = 1472;
/// How many are sent: one that is lost by chance does not count.
const TIMES: u16 = 10;

/// Full frames get through in one piece.
pub struct Mtu;

static ABOUT: About = About {
    id: "net.mtu",
    title: "Full frames get through in one piece",
    measures: "Ten UDP datagrams of 1472 bytes that must not be fragmented, to a listener on the used host and back. It sends what \
               `ping -M do -s 1472` sends, without needing ping or ICMP.",
    why: "Where a tunnel or switch takes smaller frames and drops full ones silently, small requests work and large answers hang.",
    thresholds: &[],
    fix: "set the same MTU on both hosts and on all links between them, or let ICMP messages of type 3, code 4 through",
    source: "proposed here: the fault is common with tunnels and is hard to find later",
    vantage: Vantage::Pair,
    applies: "every pair of hosts of which one uses a service of the other",
    blocks: &[],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Mtu {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Some(way) = Way::of(scene, subject) else { return Ask::skip("it is asked of pairs") };
        let Some(port) = way.first_port() else { return Ask::skip("nothing is used there") };
        // The small ones are those of `net.rtt`.
        Ask::Measure(vec![way.listen(port), way.echo(port, TIMES, FULL), way.echo(port, DATAGRAMS, SMALL)])
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        if *answers.outcome(0) == Outcome::Busy {
            return Ok(Judgement::skip("a service has the port already, so that nothing can send datagrams back"));
        }
        let ((full, why), (small, _)) = (answers.times(1)?, answers.times(2)?);
        let came_back = |times: &[Option<u32>]| times.iter().flatten().count();
        let expected = "datagrams of 1472 bytes come back whole";
        Ok(match (came_back(full), came_back(small)) {
            (0, 0) => {
                return Err(Unmeasured::new("no UDP datagram of any size came back")
                    .fix("allow UDP as well as TCP on the port between these hosts while they are measured"));
            }
            (0, _) => {
                let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
                Judgement::warn(format!("small datagrams come back, full ones do not{why}"), expected)
            }
            (count, _) => Judgement::pass(format!("{count} of {} came back", full.len()), expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::{Outcome, Probe};

    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    fn finding(listen: Outcome, full: &[Option<u32>], small: &[Option<u32>]) -> crate::Finding {
        let echo = |times, bytes| Probe::Echo { address: "10.0.0.2".to_owned(), port: 5432, times, bytes };
        let times = |micros: &[Option<u32>]| Outcome::Times { micros: micros.to_vec(), why: None };
        let mut trial = Trial::new();
        trial.answer("db1", Probe::Listen { port: 5432 }, listen);
        trial.answer("web1", echo(TIMES, FULL), times(full)).answer("web1", echo(DATAGRAMS, SMALL), times(small));
        trial.finding("net.mtu", "web1")
    }

    #[test]
    fn small_ones_alone_are_not_enough() {
        let listening = || Outcome::Listening { port: 5432 };
        assert_eq!(finding(listening(), &[Some(9), None], &[Some(9)]).verdict, Verdict::Pass);
        assert_eq!(finding(listening(), &[None, None], &[Some(9)]).verdict, Verdict::Warn);
        let silent = finding(listening(), &[None], &[None]);
        assert!(silent.verdict == Verdict::Warn && silent.unmeasured);
        assert_eq!(finding(Outcome::Busy, &[None], &[None]).verdict, Verdict::Skip);
    }
}
