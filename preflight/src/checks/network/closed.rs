//! `net.closed`: nothing but the site answers to the internet.

use cc_plan::counted;

use super::front::{Front, WEB, is_public, public_address};
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::Scene;
use crate::subject::Subject;

/// Ports of what an installation has, beside those that the environment's own services offer: databases, caches, queues, their
/// consoles.
const INNER: [u16; 22] = [
    111, 2049, 2181, 2812, 4369, 5432, 5555, 5672, 5984, 6379, 6432, 8125, 8181, 9010, 9092, 9200, 9300, 9999, 15672,
    15984, 25984, 35984,
];

/// Nothing but the site answers to the internet.
pub struct Closed;

static ABOUT: About = About {
    id: "net.closed",
    title: "Nothing but the site answers to the internet",
    measures: "One TCP connection from this machine to each port that a service of the environment offers or that databases, caches and \
               consoles usually have, on each host with a public address. While `net.ports` listens there, a firewall that lets \
               this machine through shows too.",
    why: "Caches, search indexes and consoles ask for no password in many installations: whoever reaches them has the data.",
    thresholds: &[],
    fix: "close the port to the internet in the firewall of the host and in its security group; keep 80 and 443 of the site open, \
          and SSH for those who need it",
    source: "hq-ports; guide on firewalls: 80 and 443, and 22 from known addresses",
    vantage: Vantage::Outside,
    applies: "hosts with a public address (the inventory's, or the host param `public_address`), measured from a machine outside of \
              the site; environments with private addresses alone have none",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Closed {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        let front = Front::of(scene);
        let mut offered: Vec<u16> =
            scene.hosts.iter().flat_map(|host| host.offers).filter_map(|offer| offer.port).collect();
        offered.extend(INNER);
        offered.sort_unstable();
        offered.dedup();
        let mut questions = Vec::new();
        for host in scene.hosts.iter().filter(|host| is_public(host)) {
            let Some(address) = public_address(host).map(|address| address.to_string()) else { continue };
            let site = front.hosts.iter().any(|front| front.name == host.name);
            let inner = offered.iter().filter(|port| !(site && WEB.contains(port)));
            questions.extend(
                inner.map(|port| {
                    Question::Outside(Outside::Connect { address: address.clone(), port: *port, times: 1 })
                }),
            );
        }
        match questions.as_slice() {
            [] => Ask::skip("no host has a public address"),
            _ => Ask::Measure(questions),
        }
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let mut open = Vec::new();
        for (index, question) in answers.questions.iter().enumerate() {
            let (times, _) = answers.times(index)?;
            if let Question::Outside(Outside::Connect { address, port, .. }) = question
                && times.iter().any(Option::is_some)
            {
                open.push(format!("{address}:{port}"));
            }
        }
        let expected = "only 80 and 443 of the site, and SSH";
        Ok(match open.as_slice() {
            [] => Judgement::pass(format!("{} closed", counted(answers.questions.len(), "port")), expected),
            _ => Judgement::fail(format!("open: {}", open.join(", ")), expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use super::*;
    use crate::trial::Trial;
    use crate::{Selection, Verdict, questions};

    #[test]
    fn one_open_port_is_too_many() {
        assert_eq!(Trial::new().verdict("net.closed", ""), Verdict::Skip);
        let mut trial = Trial::of(
            "environment: trial\nservices:\n  database: {on: db1}\n  web: {on: web1}\n",
            "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n  db1: {address: 203.0.113.7}\n",
        );
        trial.phase = Phase::GoLive;
        assert!(trial.finding("net.closed", "").unmeasured);
        let selection = Selection { only: vec!["net.closed".to_owned()], ..Selection::default() };
        let asked = questions(&trial.scene(), &selection);
        assert_eq!(asked.len(), INNER.len(), "5432 is one of them");
        let closed = || Outcome::Times { micros: vec![None], why: Some("connection refused".to_owned()) };
        for question in asked {
            let Question::Outside(outside) = question else { continue };
            trial.outside(outside, closed());
        }
        assert_eq!(trial.verdict("net.closed", ""), Verdict::Pass);
        let redis = Outside::Connect { address: "203.0.113.7".to_owned(), port: 6379, times: 1 };
        trial.outside(redis, Outcome::Times { micros: vec![Some(900)], why: None });
        let finding = trial.finding("net.closed", "");
        assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Fail, "open: 203.0.113.7:6379"));
    }
}
