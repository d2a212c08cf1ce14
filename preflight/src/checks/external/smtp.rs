//! `ext.smtp`: mail can be sent.

use cc_agent::probe::Outcome;
use cc_plan::spec::environment::External;
use serde::Deserialize;

use super::sender::Sender;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::certificate::Shown;

/// Where the environment names no port: submission (RFC 6409).
const SUBMISSION: u16 = 587;
/// TLS from the start (RFC 8314).
const IMPLICIT_TLS: u16 = 465;

/// Mail can be sent.
pub struct Smtp;

static ABOUT: About = About {
    id: "ext.smtp",
    title: "The mail server takes mail from the hosts",
    measures: "From each host, over its SSH session, a connection to `external.smtp`: greeting, EHLO, STARTTLS on every port but 465 \
               and 25, whether this machine trusts the certificate, and whether a login is offered. No mail is sent and no password \
               used: the login itself is tried by the smoke test after installation. From the resolver of this machine: the SPF \
               record of the domain of `from`, the DKIM key under `dkim_selector` where `external.smtp` has one, and the PTR record \
               of the mail server where it is named by a public address.",
    why: "Without mail nobody gets an invitation, a password reset or a report. An application without a login writes mail to files \
          and says nothing; mail that others cannot tell to be ours goes to the folder for junk.",
    thresholds: &[],
    fix: "open the port from the hosts to the mail server, let their addresses in there, and write `user` and `password` under \
          `external.smtp` of the environment",
    source: "hq-ports; transition guide 3.1, question 6",
    vantage: Vantage::Outside,
    applies: "environments with `external.smtp`; others send no mail",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

#[derive(Deserialize)]
struct Greeting {
    extensions: Vec<String>,
    tls: Option<Shown>,
}

fn server<'s>(scene: &'s Scene<'_>) -> Option<(&'s External, u16)> {
    let external = scene.spec.environment.external.get("smtp")?;
    Some((external, external.port.unwrap_or(SUBMISSION)))
}

impl Check for Smtp {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        let Some((external, port)) = server(scene) else { return Ask::skip("the environment has no `external.smtp`") };
        let ask = |host: &crate::HostScene<'_>| {
            let (from, address) = (Some(host.name.clone()), external.address.value.clone());
            Question::Outside(Outside::Smtp { from, address, port, starttls: ![25, IMPLICIT_TLS].contains(&port) })
        };
        let sender = Sender::of(external).map(|sender| sender.questions());
        Ask::Measure(scene.hosts.iter().map(ask).chain(sender.unwrap_or_default()).collect())
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let (external, port) = server(scene).ok_or_else(|| Unmeasured::new("there is no `external.smtp`"))?;
        let has_user =
            external.params.iter().any(|(name, _)| ["user", "username", "login"].contains(&name.value.as_str()));
        let place = format!("{}:{port}", external.address.value);
        let expected = format!("{place} greets every host, over TLS, and offers a login");
        let mut judgements = Vec::new();
        for (index, question) in answers.questions.iter().enumerate() {
            let Question::Outside(Outside::Smtp { from: Some(host), .. }) = question else { continue };
            let text = match answers.outcome(index) {
                Outcome::Failed { why } => {
                    judgements.push(Judgement::fail(format!("{host} and {place}: {why}"), expected.clone()));
                    continue;
                }
                _ => answers.text(index)?,
            };
            let greeting: Greeting = serde_json::from_str(text)
                .map_err(|_| Unmeasured::new(format!("{host} and {place}: the answer makes no sense")))?;
            let login = greeting.extensions.iter().any(|extension| extension.to_uppercase().starts_with("AUTH"));
            judgements.push(match &greeting.tls {
                Some(shown) if !shown.trusted => {
                    let why = shown.why.clone().unwrap_or_default();
                    Judgement::fail(format!("the certificate of {place} is not trusted: {why}"), expected.clone())
                }
                None => Judgement::warn(format!("{place} is spoken to without TLS"), expected.clone()),
                Some(_) if !login => Judgement::warn(format!("{place} offers no login to {host}"), expected.clone()),
                Some(_) if !has_user => Judgement::warn(
                    "`external.smtp` has no `user`: mail may be written to files only",
                    expected.clone(),
                ),
                Some(_) => Judgement::pass(format!("{place} greets the hosts and offers a login"), expected.clone()),
            });
        }
        if judgements.is_empty() {
            return Err(Unmeasured::new("no host was asked"));
        }
        judgements.extend(Sender::of(external).map(|sender| sender.judge(answers)));
        Judgement::worst(judgements).ok_or_else(|| Unmeasured::new("no host was asked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    fn finding(user: &str, outcome: Outcome) -> crate::Finding {
        let environment = format!(
            "environment: trial\nservices:\n  database: {{on: web1}}\n  web: {{on: web1}}\nexternal:\n  smtp: {{address: mail.example.test, port: 587{user}}}\n"
        );
        let mut trial = Trial::of(&environment, "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n");
        trial.phase = Phase::GoLive;
        let (from, address) = (Some("web1".to_owned()), "mail.example.test".to_owned());
        trial.outside(Outside::Smtp { from, address, port: 587, starttls: true }, outcome);
        trial.finding("ext.smtp", "")
    }

    fn greeting(extensions: &str, tls: &str) -> Outcome {
        let text = format!(r#"{{"greeting": "220 mail", "extensions": [{extensions}], "tls": {tls}}}"#);
        Outcome::Text { text, cut: false }
    }

    fn sent_from(records: &[(&str, &str, &str)]) -> crate::Finding {
        let environment = "environment: trial\nservices:\n  database: {on: web1}\n  web: {on: web1}\nexternal:\n  smtp: {address: 203.0.113.7, \
                           port: 25, user: hq, from: HQ <hq@example.test>, dkim_selector: one}\n";
        let mut trial = Trial::of(environment, "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n");
        trial.phase = Phase::GoLive;
        let (from, address) = (Some("web1".to_owned()), "203.0.113.7".to_owned());
        let greeted = greeting(r#""AUTH PLAIN""#, r#"{"trusted": true, "why": null, "chain": []}"#);
        trial.outside(Outside::Smtp { from, address, port: 25, starttls: false }, greeted);
        for (name, kind, value) in records {
            let record = format!(r#"{{"name": "{name}", "type": "{kind}", "ttl": 60, "value": "{value}"}}"#);
            let record = if value.is_empty() { String::new() } else { record };
            let text = format!(r#"{{"server": "192.0.2.53:53", "rcode": "NOERROR", "records": [{record}]}}"#);
            let asked = Outside::Resolve { name: (*name).to_owned(), kind: (*kind).to_owned(), server: None };
            trial.outside(asked, Outcome::Text { text, cut: false });
        }
        trial.finding("ext.smtp", "")
    }

    #[test]
    fn others_must_be_able_to_tell_that_mail_is_ours() {
        let (domain, key, address) = ("example.test", "one._domainkey.example.test", "203.0.113.7");
        let spf = (domain, "TXT", "v=spf1 mx -all");
        let (dkim, ptr) = ((key, "TXT", "v=DKIM1; k=rsa; p=MIIB"), (address, "PTR", "mail.example.test"));
        assert_eq!(sent_from(&[spf, dkim, ptr]).verdict, Verdict::Pass);
        for (records, told) in [
            ([(domain, "TXT", "google-site-verification=1"), dkim, ptr], "no SPF record of example.test"),
            ([spf, (key, "TXT", "v=DKIM1; p="), ptr], "no DKIM key of one._domainkey.example.test"),
            ([spf, dkim, (address, "PTR", "")], "no PTR record of 203.0.113.7"),
        ] {
            let finding = sent_from(&records);
            assert!(finding.verdict == Verdict::Warn && finding.observed.contains(told), "{finding:?}");
        }
        let silent = sent_from(&[spf, ptr]);
        assert!(silent.verdict == Verdict::Warn && silent.observed.contains("no name server says"), "{silent:?}");
    }

    #[test]
    fn a_server_that_greets_is_not_enough() {
        let (user, trusted) = (", user: hq", r#"{"trusted": true, "why": null, "chain": []}"#);
        let login = r#""AUTH PLAIN LOGIN""#;
        assert_eq!(finding(user, greeting(login, trusted)).verdict, Verdict::Pass);
        assert_eq!(finding("", greeting(login, trusted)).verdict, Verdict::Warn);
        assert_eq!(finding(user, greeting("", trusted)).verdict, Verdict::Warn);
        assert_eq!(finding(user, greeting(login, "null")).verdict, Verdict::Warn);
        let untrusted = trusted.replace("true", "false").replace("null", "\"UnknownIssuer\"");
        assert!(finding(user, greeting(login, &untrusted)).stops());
        let refused = finding(user, Outcome::Failed { why: "it refuses: 554 no service".to_owned() });
        assert!(refused.stops() && refused.observed.contains("554 no service"), "{refused:?}");
        for odd in [Outcome::Text { text: "garbage".to_owned(), cut: false }, Outcome::Late { seconds: 20 }] {
            assert!(finding(user, odd).unmeasured);
        }
        assert_eq!(Trial::new().verdict("ext.smtp", ""), Verdict::Skip);
    }
}
