//! `net.dns`: the site's names lead to the site.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::front::Front;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::name_server::Records;

/// Types of records with addresses.
pub(super) const KINDS: [&str; 2] = ["A", "AAAA"];

/// The site's names lead to the site.
pub struct SiteName;

static ABOUT: About = About {
    id: "net.dns",
    title: "The site's names lead to the site",
    measures: "The A and AAAA records of each name of the site, as the resolver of this machine and each name server of the zone give \
               them, against the addresses of the hosts that people reach: the host param `public_address`, else the address of the \
               inventory.",
    why: "People and phones find the site by its name, and an authority gives a certificate only for a name that leads to it.",
    thresholds: &[],
    fix: "make an A record of the name for the public address of the hosts that people reach; where a load balancer stands before \
          them, write its address as their host param `public_address`",
    source: "transition guide 3.1, question 4; go-live checklist 8",
    vantage: Vantage::Outside,
    applies: "environments with `policy.preflight.site`; `demo` needs no name",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for SiteName {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        let front = Front::of(scene);
        if let Some(ask) = front.unnamed(scene) {
            return ask;
        }
        let questions = front.names.iter().flat_map(|name| {
            let own =
                KINDS.map(|kind| Outside::Resolve { name: (*name).to_owned(), kind: kind.to_owned(), server: None });
            let zone = KINDS.map(|kind| Outside::Authoritative { name: (*name).to_owned(), kind: kind.to_owned() });
            own.into_iter().chain(zone).map(Question::Outside)
        });
        Ask::Measure(questions.collect())
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let front = Front::of(scene);
        front.named()?;
        let wanted: BTreeSet<IpAddr> = front.addresses().into_iter().collect();
        if wanted.is_empty() {
            return Err(Unmeasured::new("no host that people reach has a known address")
                .fix("write the address under which people reach it as the host param `public_address`"));
        }
        let expected = format!("{} for each of {}", listed(&wanted), front.names.join(", "));
        let (mut wrong, mut right) = (Vec::new(), Vec::new());
        for (place, name) in front.names.iter().enumerate() {
            // Four questions a name: two types of this machine's resolver, two of the zone's servers.
            let mut views: Vec<Records> = Vec::new();
            for index in 4 * place..4 * place + 2 {
                views.push(Records::parse(answers.text(index)?).ok_or_else(nonsense)?);
            }
            for index in 4 * place + 2..4 * place + 4 {
                views.extend(Records::parse_all(answers.text(index)?).ok_or_else(nonsense)?);
            }
            if let Some(silent) = views.iter().find(|view| !view.is_answer()) {
                let why = silent.error.as_deref().or(silent.rcode.as_deref()).unwrap_or("no answer");
                return Err(Unmeasured::new(format!("{} does not say where {name} is: {why}", silent.server)));
            }
            let found: BTreeSet<IpAddr> = views.iter().flat_map(Records::addresses).collect();
            if found.is_empty() {
                wrong.push(format!("{name} has no address"));
            } else if let Some(other) = found.iter().find(|address| !wanted.contains(address)) {
                wrong.push(format!("{name} leads to {other}"));
            } else {
                right.push(format!("{name} leads to {}", listed(&found)));
            }
        }
        Ok(match wrong.as_slice() {
            [] => Judgement::pass(right.join("; "), expected),
            _ => Judgement::fail(wrong.join("; "), expected),
        })
    }
}

pub(super) fn nonsense() -> Unmeasured {
    Unmeasured::new("the answer of a name server makes no sense")
}

fn listed(addresses: &BTreeSet<IpAddr>) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use super::*;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    fn finding(own: &str, zone: &str) -> crate::Finding {
        let environment = "environment: trial\npolicy: {preflight: {site: hq.example.test}}\nservices:\n  database: {on: db1}\n  web: {on: web1}\n";
        let inventory = "provider: static\nhosts:\n  web1: {address: 203.0.113.7}\n  db1: {address: 10.0.0.2}\n";
        let mut trial = Trial::of(environment, inventory);
        trial.phase = Phase::GoLive;
        let host = trial.plan.hosts.iter_mut().find(|host| host.host == "web1");
        let offer = cc_plan::plan::Offered {
            service: "web".to_owned(),
            offer: "https".to_owned(),
            port: Some(443),
            clients: vec![],
        };
        host.into_iter().for_each(|host| host.offers.push(offer.clone()));
        for kind in KINDS {
            let (name, kind) = ("hq.example.test".to_owned(), kind.to_owned());
            let answer = |text: &str| if kind == "A" { text.to_owned() } else { none().to_owned() };
            let text = |text| Outcome::Text { text, cut: false };
            trial.outside(
                Outside::Authoritative { name: name.clone(), kind: kind.clone() },
                text(format!("[{}]", answer(zone))),
            );
            let own = text(answer(own));
            trial.outside(Outside::Resolve { name, kind: kind.clone(), server: None }, own);
        }
        trial.finding("net.dns", "")
    }

    fn leads_to(address: &str) -> String {
        format!(
            r#"{{"server": "192.0.2.53:53", "rcode": "NOERROR", "records": [{{"name": "x", "type": "A", "ttl": 60, "value": "{address}"}}]}}"#
        )
    }

    fn none() -> &'static str {
        r#"{"server": "192.0.2.53:53", "rcode": "NXDOMAIN", "records": []}"#
    }

    #[test]
    fn every_server_must_give_the_address_of_the_site() {
        let (right, wrong) = (leads_to("203.0.113.7"), leads_to("198.51.100.9"));
        assert_eq!(finding(&right, &right).verdict, Verdict::Pass);
        for (own, zone, told) in [
            (&right, &wrong, "leads to 198.51.100.9"),
            (&wrong, &right, "leads to 198.51.100.9"),
            (&none().to_owned(), &none().to_owned(), "has no address"),
        ] {
            let finding = finding(own, zone);
            assert!(finding.stops() && !finding.unmeasured && finding.observed.contains(told), "{finding:?}");
        }
    }

    #[test]
    fn a_server_that_fails_says_nothing_of_the_name() {
        let failing = r#"{"server": "192.0.2.53:53", "rcode": "SERVFAIL", "records": []}"#;
        let silent = r#"{"server": "192.0.2.53:53", "error": "no answer within 2 s", "records": []}"#;
        for other in [failing, silent, "garbage"] {
            assert!(finding(&leads_to("203.0.113.7"), other).unmeasured, "{other}");
        }
    }
}
