//! `net.public`: the site's address leads to its hosts.

use super::front::{Front, WEB, is_public, public_address};
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::Scene;
use crate::subject::Subject;

/// Connections to each port.
const TIMES: u16 = 2;

/// The site's address leads to its hosts.
pub struct Public;

static ABOUT: About = About {
    id: "net.public",
    title: "The site can be reached at its public address",
    measures: "TCP connections from this machine to ports 80 and 443 of the public address of each host that people reach: the host \
               param `public_address`, else the address of the inventory. No service is asked what a host's outer address is: that \
               would be one more party to trust. Where only a private address is known, a person answers for the translation.",
    why: "Behind a router or load balancer the hosts cannot see under which address the world reaches them, and whether it does.",
    thresholds: &[],
    fix: "forward ports 80 and 443 of the public address to the hosts, open them in the security group, and write the address as \
          the host param `public_address`",
    source: "transition guide 3.1, question 5",
    vantage: Vantage::Outside,
    applies: "environments with a host that offers port 80 or 443 to people, once something is installed there",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Public {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        let front = Front::of(scene);
        let installed = front.hosts.iter().any(|host| host.installed);
        if front.hosts.is_empty() {
            return Ask::skip("no host offers port 80 or 443 to people");
        }
        if scene.size() == cc_plan::spec::environment::Size::Demo {
            return Ask::skip("demo: a rehearsal is reached by nobody else");
        }
        if let Some(host) = front.hosts.iter().find(|host| !is_public(host)) {
            return Ask::attest(format!(
                "{} has only a private address: which public one is translated to it?",
                host.name
            ));
        }
        if !installed {
            return Ask::skip("nothing is installed yet that could answer there");
        }
        let addresses = front.hosts.iter().filter_map(|host| public_address(host)).map(|address| address.to_string());
        let ask = |address: String| {
            WEB.map(|port| Question::Outside(Outside::Connect { address: address.clone(), port, times: TIMES }))
        };
        Ask::Measure(addresses.flat_map(ask).collect())
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let (mut open, mut blocked) = (Vec::new(), Vec::new());
        for (index, question) in answers.questions.iter().enumerate() {
            let Question::Outside(Outside::Connect { address, port, .. }) = question else { continue };
            match answers.times(index)? {
                (times, _) if times.iter().any(Option::is_some) => open.push(format!("{address}:{port}")),
                (_, why) => blocked.push(format!("{address}:{port}: {}", why.unwrap_or("no connection"))),
            }
        }
        let expected = "80 and 443 of every public address answer";
        Ok(match blocked.as_slice() {
            [] => Judgement::pass(open.join(", "), expected),
            _ => Judgement::fail(blocked.join("; "), expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;
    use cc_plan::plan::Offered;

    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    fn trial(address: &str) -> Trial {
        let inventory = format!("provider: static\nhosts:\n  web1: {{address: {address}}}\n");
        let environment = "environment: trial\nservices:\n  database: {on: web1}\n  web: {on: web1}\n";
        let mut trial = Trial::of(environment, &inventory);
        let offer = |port| Offered { service: "web".to_owned(), offer: "https".to_owned(), port, clients: vec![] };
        trial.plan.hosts[0].offers.push(offer(Some(443)));
        (trial.phase, trial.installed) = (Phase::GoLive, true);
        trial
    }

    #[test]
    fn the_public_address_answers_or_a_person_does() {
        assert_eq!(trial("10.0.0.1").verdict("net.public", ""), Verdict::Attest);
        let mut trial = trial("203.0.113.7");
        let connect = |port| Outside::Connect { address: "203.0.113.7".to_owned(), port, times: TIMES };
        for port in WEB {
            trial.outside(connect(port), Outcome::Times { micros: vec![Some(900); 2], why: None });
        }
        assert_eq!(trial.verdict("net.public", ""), Verdict::Pass);
        trial
            .outside(connect(80), Outcome::Times { micros: vec![None; 2], why: Some("connection refused".to_owned()) });
        let finding = trial.finding("net.public", "");
        assert!(finding.stops() && finding.observed == "203.0.113.7:80: connection refused", "{finding:?}");
    }
}
