//! Something that others run for the environment, and that hosts must reach.

use cc_agent::probe::{Outcome, Probe};
use cc_plan::counted;
use cc_plan::spec::environment::External;

use crate::answers::Answered;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::Scene;

/// Connections of each host to a port that is not of the web.
const TIMES: u16 = 2;

/// Something that others run for the environment, by its name under `external`.
pub(super) struct Party {
    /// Its name there.
    pub name: &'static str,
    /// Statuses of HTTP with which it is there: without a key many refuse what they would answer.
    pub there: fn(u16) -> bool,
}

impl Party {
    fn of<'s>(&self, scene: &'s Scene<'_>) -> Option<&'s External> {
        scene.spec.environment.external.get(self.name)
    }

    /// Asks each host to reach it: over HTTPS, or by connecting where it has another port.
    pub fn ask(&self, scene: &Scene<'_>) -> Ask {
        let Some(external) = self.of(scene) else {
            return Ask::skip(format!("the environment has no `external.{}`", self.name));
        };
        let address = &external.address.value;
        let proxy = scene.policy.written.proxy.as_ref().map(|proxy| proxy.value.clone());
        let question = |host: &crate::HostScene<'_>| match external.port {
            None | Some(443) => {
                let (from, url) = (Some(host.name.clone()), format!("https://{address}/"));
                Question::Outside(Outside::Http { from, url, proxy: proxy.clone() })
            }
            Some(port) => {
                let probe = Probe::Connect { address: address.clone(), port, times: TIMES };
                Question::On { host: host.name.clone(), probe }
            }
        };
        Ask::Measure(scene.hosts.iter().map(question).collect())
    }

    /// Whether all hosts reach it.
    pub fn judge(&self, scene: &Scene<'_>, answers: &Answered<'_>) -> Judged {
        let external =
            self.of(scene).ok_or_else(|| Unmeasured::new(format!("there is no `external.{}`", self.name)))?;
        let place = &external.address.value;
        let mut lost = Vec::new();
        for (index, host) in scene.hosts.iter().enumerate() {
            match answers.outcome(index) {
                Outcome::Failed { why } => lost.push(format!("{}: {why}", host.name)),
                Outcome::Times { micros, .. } if micros.iter().any(Option::is_some) => {}
                Outcome::Times { why, .. } => {
                    lost.push(format!("{}: {}", host.name, why.as_deref().unwrap_or("no connection")));
                }
                _ => {
                    let answer: Option<serde_json::Value> = serde_json::from_str(answers.text(index)?).ok();
                    let status = answer.and_then(|answer| u16::try_from(answer["status"].as_u64()?).ok());
                    let status =
                        status.ok_or_else(|| Unmeasured::new(format!("the answer of {place} makes no sense")))?;
                    if !(self.there)(status) {
                        lost.push(format!("{}: status {status}", host.name));
                    }
                }
            }
        }
        let expected = format!("every host reaches {place}");
        Ok(match lost.as_slice() {
            [] if scene.hosts.is_empty() => return Err(Unmeasured::new("no host was asked")),
            [] => Judgement::pass(format!("{place} is reached from {}", counted(scene.hosts.len(), "host")), expected),
            _ => Judgement::fail(format!("{place} is not reached: {}", lost.join("; ")), expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    fn trial(external: &str) -> Trial {
        let environment = format!(
            "environment: trial\nservices:\n  database: {{on: web1}}\n  web: {{on: web1}}\nexternal:\n  {external}\n"
        );
        let mut trial = Trial::of(&environment, "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n");
        trial.phase = Phase::GoLive;
        trial
    }

    #[test]
    fn a_party_with_a_port_is_connected_to() {
        let mut trial = trial("sms: {address: sms.example.test, port: 2775}");
        let connect = || Probe::Connect { address: "sms.example.test".to_owned(), port: 2775, times: TIMES };
        trial.answer("web1", connect(), Outcome::Times { micros: vec![Some(9)], why: None });
        assert_eq!(trial.verdict("ext.sms", ""), Verdict::Pass);
        trial.answer(
            "web1",
            connect(),
            Outcome::Times { micros: vec![None], why: Some("no answer within 5 s".to_owned()) },
        );
        let finding = trial.finding("ext.sms", "");
        assert!(finding.stops() && finding.observed.contains("web1: no answer within 5 s"), "{finding:?}");
        assert_eq!(trial.verdict("ext.s3", ""), Verdict::Skip);
    }

    #[test]
    fn a_party_of_the_web_must_give_an_answer_of_its_own() {
        for (external, id, status, verdict) in [
            ("s3: {address: s3.example.test}", "ext.s3", 403, Verdict::Pass),
            ("s3: {address: s3.example.test}", "ext.s3", 503, Verdict::Fail),
            ("monitoring: {address: s3.example.test}", "ext.obs", 404, Verdict::Pass),
            ("upstream: {address: s3.example.test, port: 443}", "ext.upstream", 302, Verdict::Pass),
            ("upstream: {address: s3.example.test, port: 443}", "ext.upstream", 404, Verdict::Fail),
        ] {
            let mut trial = trial(external);
            let ask = || Outside::Http {
                from: Some("web1".to_owned()),
                url: "https://s3.example.test/".to_owned(),
                proxy: None,
            };
            trial.outside(ask(), Outcome::Text { text: format!("{{\"status\": {status}}}"), cut: false });
            // What blocks nothing now is a warning.
            let shown = trial.verdict(id, "");
            assert!(
                shown == verdict || (verdict == Verdict::Fail && shown == Verdict::Warn),
                "{id} {status}: {shown:?}"
            );
            trial.outside(ask(), Outcome::Text { text: "garbage".to_owned(), cut: false });
            assert!(trial.finding(id, "").unmeasured);
        }
    }
}
