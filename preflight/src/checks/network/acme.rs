//! `net.acme`: an authority can prove and certify the site's names.

use cc_agent::probe::Outcome;
use cc_plan::counted;

use super::front::Front;
use super::site_name::nonsense;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::name_server::Records;

/// Where an authority looks (RFC 8555, 8.3); no challenge has this name.
const PATH: &str = "/.well-known/acme-challenge/cc-cloud-preflight";

/// An authority can prove and certify the site's names.
pub struct Acme;

static ABOUT: About = About {
    id: "net.acme",
    title: "A certificate authority can prove the site's names",
    measures: "For each name of the site: an HTTP request on port 80 for a challenge that does not exist, which the site's web server \
               must answer itself, and the CAA records of the name, which must be absent or name `external.acme`.",
    why: "An authority asks on port 80 before it gives or renews a certificate: where that is closed the site works until the \
          certificate ends.",
    thresholds: &[],
    fix: "open port 80 of the site to everybody, and add the authority to the CAA records of the name",
    source: "letsencrypt_cert.yml of the predecessor; RFC 8555, 8.3; RFC 8659",
    vantage: Vantage::Outside,
    applies: "environments with `external.acme`, whose address is the authority's name in CAA records, and `policy.preflight.site`",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Acme {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        if !scene.spec.environment.external.contains_key("acme") {
            return Ask::skip("no authority is asked for certificates: the environment has no `external.acme`");
        }
        let front = Front::of(scene);
        if let Some(ask) = front.unnamed(scene) {
            return ask;
        }
        let ask = |name: &&str| {
            let page = Outside::Http { from: None, url: format!("http://{name}{PATH}"), proxy: None };
            let caa = Outside::Resolve { name: (*name).to_owned(), kind: "CAA".to_owned(), server: None };
            [page, caa].map(Question::Outside)
        };
        Ask::Measure(front.names.iter().flat_map(ask).collect())
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let front = Front::of(scene);
        front.named()?;
        let authority = scene.spec.environment.external.get("acme").map(|acme| acme.address.value.as_str());
        let authority = authority.unwrap_or_default();
        let mut bad = Vec::new();
        for (place, name) in front.names.iter().enumerate() {
            if let Outcome::Failed { why } = answers.outcome(2 * place) {
                bad.push(format!("{name} on port 80: {why}"));
            } else {
                let answer: Option<serde_json::Value> = serde_json::from_str(answers.text(2 * place)?).ok();
                // That there is no such challenge is right; a redirect is followed by authorities.
                match answer.and_then(|answer| answer["status"].as_u64()) {
                    Some(200 | 301 | 302 | 307 | 308 | 404) => {}
                    Some(status) => bad.push(format!("{name} on port 80: status {status}")),
                    None => bad.push(format!("{name} on port 80: the answer makes no sense")),
                }
            }
            let records =
                Records::parse(answers.text(2 * place + 1)?).filter(Records::is_answer).ok_or_else(nonsense)?;
            let mut issuers =
                records.records.iter().filter(|record| record.kind == "CAA" && record.value.contains("issue"));
            let any = issuers.clone().next().is_some();
            if any && !issuers.any(|record| record.value.contains(authority)) {
                bad.push(format!("the CAA records of {name} do not name {authority}"));
            }
        }
        let expected = format!("port 80 answers, and {authority} may give certificates");
        Ok(match bad.as_slice() {
            [] => Judgement::pass(format!("{} can be proved", counted(front.names.len(), "name")), expected),
            _ => Judgement::fail(bad.join("; "), expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    fn finding(page: Outcome, caa: &str) -> crate::Finding {
        let environment = "environment: trial\npolicy: {preflight: {site: hq.example.test}}\nservices:\n  database: {on: web1}\n  web: {on: web1}\nexternal:\n  acme: {address: ca.example.test}\n";
        let mut trial = Trial::of(environment, "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n");
        trial.phase = Phase::GoLive;
        let name = || "hq.example.test".to_owned();
        trial.outside(Outside::Http { from: None, url: format!("http://{}{PATH}", name()), proxy: None }, page);
        let text = format!(r#"{{"server": "s", "rcode": "NOERROR", "records": [{caa}]}}"#);
        let resolve = Outside::Resolve { name: name(), kind: "CAA".to_owned(), server: None };
        trial.outside(resolve, Outcome::Text { text, cut: false });
        trial.finding("net.acme", "")
    }

    #[test]
    fn port_80_and_caa_records_count() {
        let page = |status: u16| Outcome::Text { text: format!("{{\"status\": {status}}}"), cut: false };
        let caa = |who: &str| format!(r#"{{"name": "x", "type": "CAA", "ttl": 60, "value": "0 issue \"{who}\""}}"#);
        assert_eq!(Trial::new().verdict("net.acme", ""), Verdict::Skip);
        assert_eq!(finding(page(404), "").verdict, Verdict::Pass);
        assert_eq!(finding(page(404), &caa("ca.example.test")).verdict, Verdict::Pass);
        assert!(finding(page(404), &caa("other.example.test")).stops());
        assert!(finding(page(503), "").stops());
        let refused = finding(Outcome::Failed { why: "connection refused".to_owned() }, "");
        assert_eq!(refused.observed, "hq.example.test on port 80: connection refused");
    }
}
