//! `net.ports`: what services use of each other gets through.

use cc_agent::probe::Outcome;

use super::way::Way;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// Connections to each port.
const TIMES: u16 = 3;

/// What services use of each other gets through.
pub struct Ports;

static ABOUT: About = About {
    id: "net.ports",
    title: "A host reaches the services that it uses",
    measures: "For every port that a service offers to a service on another host: the agent there listens on it, unless something \
               has the port already, and the agent here connects three times. The listeners are closed at the end.",
    why: "A firewall or security group between two hosts shows itself late: as a migration that hangs, or a site whose pages \
          work and whose background work does not.",
    thresholds: &[],
    fix: "allow the port from this host to that one, in the security group or firewall between them and in the firewall of the \
          host itself",
    source: "installation guide, step 2, networking; the ports of the environment's own services instead of the list in hq-ports",
    vantage: Vantage::Pair,
    applies: "every pair of hosts of which one uses a service of the other; every size",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Ports {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Some(way) = Way::of(scene, subject) else { return Ask::skip("it is asked of pairs") };
        let ports = way.offers().into_iter().map(|(_, port)| port);
        Ask::Measure(ports.flat_map(|port| [way.listen(port), way.connect(port, TIMES)]).collect())
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let way = Way::of(scene, subject).ok_or_else(|| Unmeasured::new("it is asked of pairs"))?;
        let (mut open, mut blocked) = (Vec::new(), Vec::new());
        for (index, (offer, port)) in way.offers().into_iter().enumerate() {
            let name = format!("{} {port}", offer.service);
            let (times, why) = answers.times(2 * index + 1)?;
            if !times.is_empty() && times.iter().all(Option::is_some) {
                open.push(name);
                continue;
            }
            let why = why.unwrap_or("no connection");
            match answers.outcome(2 * index) {
                Outcome::Listening { .. } => blocked.push(format!("{name}: {why}")),
                Outcome::Busy => blocked.push(format!("{name}: {why}, though something there has the port")),
                // Nobody listened: that nothing answered says nothing of the way.
                Outcome::Failed { why } => {
                    return Err(Unmeasured::new(format!("{} cannot listen on {port}: {why}", way.to.name)));
                }
                _ => return Err(Unmeasured::new(format!("{} was not asked to listen on {port}", way.to.name))),
            }
        }
        let expected = format!("{} reaches what it uses on {}", way.from.name, way.to.name);
        Ok(match blocked.as_slice() {
            [] if open.is_empty() => return Err(Unmeasured::new("no port was tried")),
            [] => Judgement::pass(format!("open: {}", open.join(", ")), expected),
            _ => Judgement::fail(blocked.join("; "), expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::{Outcome, Probe};

    use crate::Verdict;
    use crate::trial::Trial;

    fn trial(listening: Outcome, times: Outcome) -> Trial {
        let mut trial = Trial::new();
        trial.answer("db1", Probe::Listen { port: 5432 }, listening);
        trial.answer("web1", Probe::Connect { address: "10.0.0.2".to_owned(), port: 5432, times: 3 }, times);
        trial
    }

    fn times(micros: &[Option<u32>], why: Option<&str>) -> Outcome {
        Outcome::Times { micros: micros.to_vec(), why: why.map(str::to_owned) }
    }

    #[test]
    fn a_port_is_open_when_every_connection_gets_through() {
        for listening in [Outcome::Listening { port: 5432 }, Outcome::Busy] {
            let finding = trial(listening, times(&[Some(90); 3], None)).finding("net.ports", "web1");
            assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Pass, "open: database 5432"));
        }
    }

    #[test]
    fn a_blocked_port_fails_and_names_the_service() {
        for lost in [vec![None, None], vec![Some(90), None, Some(80)]] {
            let answer = times(&lost, Some("no answer within 5 s"));
            let finding = trial(Outcome::Listening { port: 5432 }, answer).finding("net.ports", "web1");
            assert!(finding.stops() && !finding.unmeasured, "{finding:?}");
            assert_eq!(finding.observed, "database 5432: no answer within 5 s");
        }
    }

    #[test]
    fn without_a_listener_nothing_is_known() {
        let failed = Outcome::Failed { why: "permission denied".to_owned() };
        let finding = trial(failed, times(&[None, None], Some("connection refused"))).finding("net.ports", "web1");
        assert!(finding.stops() && finding.unmeasured, "{finding:?}");
        assert!(Trial::new().finding("net.ports", "web1").unmeasured);
        let none = trial(Outcome::Listening { port: 5432 }, times(&[], None)).finding("net.ports", "web1");
        assert_eq!(none.verdict, Verdict::Fail);
    }
}
