//! `net.dns.alias`: names that move with a migration can be switched quickly.

use std::collections::BTreeSet;

use super::front::Front;
use super::site_name::nonsense;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::name_server::Records;

/// Names that move with a migration can be switched quickly.
pub struct Alias;

static TTL: Threshold = Threshold {
    id: "net.dns.alias.ttl",
    doc: "a name that may be kept longer than this warns",
    unit: Unit::Duration,
    values: Values::Same(300.0),
    basis: Basis::Proposed("for that long after the switch some phones still submit to the old site"),
};

static ABOUT: About = About {
    id: "net.dns.alias",
    title: "The names that move can be switched quickly",
    measures: "The A record of each name of `policy.preflight.alternate_sites` as each name server of its zone gives it: that there is \
               one, that all servers say the same, and for how long it may be kept. Whether it leads to the old site or to this \
               one is told, and judged by `net.dns` before the site goes live.",
    why: "Phones keep the name that an application was built with: a migration switches where it leads to. While the old answer is \
          kept somewhere, submissions go to the old site.",
    thresholds: &[&TTL],
    fix: "make the record if there is none, and set its TTL to five minutes some days before the switch",
    source: "migration guide 1; go-live checklist 1",
    vantage: Vantage::Outside,
    applies: "environments with `policy.preflight.alternate_sites`",
    blocks: &[Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Alias {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        let names = &scene.policy.written.alternate_sites;
        if names.is_empty() {
            return Ask::skip("no name moves: the environment has no `policy.preflight.alternate_sites`");
        }
        let ask = |name: &String| Outside::Authoritative { name: name.clone(), kind: "A".to_owned() };
        Ask::Measure(names.iter().map(|name| Question::Outside(ask(&name.value))).collect())
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let here = Front::of(scene).addresses();
        let expected = format!("one answer of all servers, kept for at most {}", scene.limit_text(&TTL));
        let mut judgements = Vec::new();
        for (index, name) in scene.policy.written.alternate_sites.iter().enumerate() {
            let name = &name.value;
            let servers =
                Records::parse_all(answers.text(index)?).filter(|all| !all.is_empty()).ok_or_else(nonsense)?;
            if let Some(silent) = servers.iter().find(|server| !server.is_answer()) {
                return Err(Unmeasured::new(format!("{} does not say where {name} is", silent.server)));
            }
            let sets: BTreeSet<Vec<String>> = servers.iter().map(values).collect();
            let kept = servers.iter().flat_map(|server| &server.records).map(|record| record.ttl).max().unwrap_or(0);
            let leads_here = servers.iter().flat_map(Records::addresses).any(|address| here.contains(&address));
            let target = sets.iter().next().map(|values| values.join(", ")).unwrap_or_default();
            let side = if leads_here { "this site" } else { "not this site" };
            let observed =
                format!("{name} leads to {target} ({side}), kept for {}", Unit::Duration.show(f64::from(kept)));
            judgements.push(if target.is_empty() {
                Judgement::fail(format!("{name} has no record"), expected.clone())
            } else if sets.len() > 1 {
                Judgement::fail(format!("the servers of the zone differ about {name}"), expected.clone())
            } else if f64::from(kept) > scene.limit(&TTL) {
                Judgement::warn(observed, expected.clone())
            } else {
                Judgement::pass(observed, expected.clone())
            });
        }
        Judgement::worst(judgements).ok_or_else(|| Unmeasured::new("no name was asked about"))
    }
}

fn values(server: &Records) -> Vec<String> {
    let mut values: Vec<String> = server.records.iter().map(|record| record.value.clone()).collect();
    values.sort_unstable();
    values
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    fn finding(servers: &[(&str, u32)]) -> crate::Finding {
        let environment = "environment: trial\npolicy: {preflight: {alternate_sites: [old.example.test]}}\nservices:\n  database: {on: web1}\n  web: {on: web1}\n";
        let mut trial = Trial::of(environment, "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n");
        trial.phase = Phase::Migration;
        let server = |(address, ttl): &(&str, u32)| {
            let record = format!(r#"{{"name": "x", "type": "A", "ttl": {ttl}, "value": "{address}"}}"#);
            let records = if address.is_empty() { String::new() } else { record };
            format!(r#"{{"server": "s", "rcode": "NOERROR", "records": [{records}]}}"#)
        };
        let text = format!("[{}]", servers.iter().map(server).collect::<Vec<_>>().join(","));
        let outside = Outside::Authoritative { name: "old.example.test".to_owned(), kind: "A".to_owned() };
        trial.outside(outside, Outcome::Text { text, cut: false });
        trial.finding("net.dns.alias", "")
    }

    #[test]
    fn one_answer_that_is_not_kept_long() {
        let old = ("198.51.100.9", 300);
        assert_eq!(finding(&[old, old]).verdict, Verdict::Pass);
        assert_eq!(finding(&[(old.0, 86400)]).verdict, Verdict::Warn);
        assert!(finding(&[old, ("203.0.113.7", 300)]).stops());
        assert!(finding(&[("", 0)]).stops());
        assert!(finding(&[]).unmeasured);
    }
}
