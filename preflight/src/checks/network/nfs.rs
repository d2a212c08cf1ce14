//! `net.nfs`: shared folders can be mounted.

use cc_agent::probe::Outcome;

use super::way::Way;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;

/// The port mapper, and NFS itself.
const PORTS: [u16; 2] = [111, 2049];
/// Connections and datagrams to each.
const TIMES: u16 = 3;
/// Bytes of a datagram.
const BYTES: u16 = 64;

/// Shared folders can be mounted.
pub struct Nfs;

static ABOUT: About = About {
    id: "net.nfs",
    title: "Shared folders can be mounted",
    measures: "Ports 111 and 2049 of the host of an offer called `nfs`, from each host that uses it: TCP connections to both, and \
               UDP datagrams where a temporary listener can send them back.",
    why: "Where NFS is blocked, uploads and exports end on the host that took them, and other hosts do not find them.",
    thresholds: &[],
    fix: "allow TCP and UDP ports 111 and 2049 from this host to the one that shares the folder",
    source: "hq-ports: 111 and 2049 from the application to the host of the shared folder",
    vantage: Vantage::Pair,
    applies: "pairs of which one uses the other's offer `nfs`; other environments have none",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Nfs {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Some(way) = Way::of(scene, subject) else { return Ask::skip("it is asked of pairs") };
        let shares = way.to.offers.iter().any(|offer| offer.offer == "nfs" && offer.clients.contains(&way.from.name));
        if !shares {
            return Ask::skip(format!("{} shares no folder with {}", way.to.name, way.from.name));
        }
        let ask = |port| [way.listen(port), way.connect(port, TIMES), way.echo(port, TIMES, BYTES)];
        Ask::Measure(PORTS.into_iter().flat_map(ask).collect())
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let mut blocked = Vec::new();
        for (index, port) in PORTS.into_iter().enumerate() {
            let (tcp, why) = answers.times(3 * index + 1)?;
            if tcp.is_empty() || tcp.iter().any(Option::is_none) {
                blocked.push(format!("TCP {port}: {}", why.unwrap_or("no connection")));
            }
            match answers.outcome(3 * index) {
                // A real server sends no datagrams back.
                Outcome::Busy => {}
                Outcome::Listening { .. } if answers.times(3 * index + 2)?.0.iter().flatten().count() == 0 => {
                    blocked.push(format!("UDP {port}: no datagram came back"));
                }
                Outcome::Listening { .. } => {}
                _ => return Err(Unmeasured::new(format!("nothing could listen on port {port}"))),
            }
        }
        let expected = "TCP and UDP 111 and 2049 are open";
        Ok(match blocked.as_slice() {
            [] => Judgement::pass("open", expected),
            _ => Judgement::fail(blocked.join("; "), expected),
        })
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use cc_agent::probe::{Outcome, Probe};
    use cc_plan::plan::Offered;

    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    #[test]
    fn both_protocols_are_needed_where_a_folder_is_shared() {
        let mut trial = Trial::new();
        assert_eq!(trial.verdict("net.nfs", "web1"), Verdict::Skip);
        let host = trial.plan.hosts.iter_mut().find(|host| host.host == "db1").expect("db1 is there");
        let (service, offer, clients) = ("share".to_owned(), "nfs".to_owned(), vec!["web1".to_owned()]);
        host.offers.push(Offered { service, offer, port: Some(2049), clients });
        let times = |micros: Option<u32>| Outcome::Times { micros: vec![micros; 3], why: None };
        let address = || "10.0.0.2".to_owned();
        for port in PORTS {
            trial.answer("db1", Probe::Listen { port }, Outcome::Listening { port });
            trial.answer("web1", Probe::Connect { address: address(), port, times: TIMES }, times(Some(9)));
            let echo = Probe::Echo { address: address(), port, times: TIMES, bytes: BYTES };
            trial.answer("web1", echo, times(Some(9)));
        }
        assert_eq!(trial.verdict("net.nfs", "web1"), Verdict::Pass);
        let echo = Probe::Echo { address: address(), port: 111, times: TIMES, bytes: BYTES };
        trial.answer("web1", echo, times(None));
        let finding = trial.finding("net.nfs", "web1");
        assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Fail, "UDP 111: no datagram came back"));
        trial.answer("db1", Probe::Listen { port: 111 }, Outcome::Busy);
        assert_eq!(trial.verdict("net.nfs", "web1"), Verdict::Pass);
    }
}
