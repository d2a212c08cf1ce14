//! `net.tls`: the site's certificate.

use cc_agent::probe::Outcome;
use cc_plan::spec::environment::Size;

use super::front::Front;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::certificate::{Certificate, Shown};

const HTTPS: u16 = 443;
const DAY: f64 = 86400.0;
const BASIS: Basis = Basis::Documented("the HTTP check of the monitoring: warning at 20 days, critical at 10");

/// The site's certificate.
pub struct Tls;

static SOON: Threshold = Threshold {
    id: "net.tls.soon",
    doc: "a certificate that expires earlier warns",
    unit: Unit::Duration,
    values: Values::Same(20.0 * DAY),
    basis: BASIS,
};
static TOO_SOON: Threshold = Threshold {
    id: "net.tls.too_soon",
    doc: "a certificate that expires earlier fails",
    unit: Unit::Duration,
    values: Values::Same(10.0 * DAY),
    basis: BASIS,
};

static ABOUT: About = About {
    id: "net.tls",
    title: "The site's certificate is trusted, for its names, and lasts",
    measures: "A TLS handshake for each name of the site on port 443 of each host that people reach, made by this machine over the \
               host's SSH session, and one from this machine to the name itself: whether this machine trusts the chain, the names \
               in it, and when it expires.",
    why: "Browsers and phones refuse a site whose certificate is expired, self-signed or for another name; phones in the field \
          then cannot submit.",
    thresholds: &[&SOON, &TOO_SOON],
    fix: "give the role that ends TLS a certificate of a trusted authority for all names of the site (`certificate` and \
          `certificate_key` of `nginx`), and renew it in time",
    source: "monitoring, http_check 20 and 10 days; go-live checklist",
    vantage: Vantage::Outside,
    applies: "environments with `policy.preflight.site`, once something answers there. `demo` accepts a self-signed certificate that \
              is not expired",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Tls {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        let front = Front::of(scene);
        if let Some(ask) = front.unnamed(scene) {
            return ask;
        }
        let shake = |from: Option<String>, address: String, name: &str| {
            Question::Outside(Outside::Tls { from, address, port: HTTPS, name: name.to_owned() })
        };
        let questions = front.names.iter().flat_map(|name| {
            let inside = front.hosts.iter().map(move |host| {
                let address = host.address.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
                shake(Some(host.name.clone()), address, name)
            });
            inside.chain([shake(None, (*name).to_owned(), name)])
        });
        Ask::Measure(questions.collect())
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        Front::of(scene).named()?;
        let (mut judgements, mut silent) = (Vec::new(), Vec::new());
        for (index, question) in answers.questions.iter().enumerate() {
            let Question::Outside(Outside::Tls { from, name, .. }) = question else { continue };
            let place = from.as_ref().map_or_else(|| name.clone(), |host| format!("{name} on {host}"));
            match answers.outcome(index) {
                Outcome::Text { text, cut: false } => judgements.push(judge_one(scene, &place, name, text)?),
                Outcome::Failed { why } => silent.push(format!("{place}: {why}")),
                _ => silent.push(format!("{place}: no answer")),
            }
        }
        let installed = scene.hosts.iter().any(|host| host.installed);
        match Judgement::worst(judgements) {
            Some(judgement) => Ok(judgement),
            None if !installed && scene.phase == Phase::Install => {
                Ok(Judgement::skip("nothing is installed yet that could show a certificate"))
            }
            None => Err(Unmeasured::new(silent.join("; "))),
        }
    }
}

fn judge_one(scene: &Scene<'_>, place: &str, name: &str, text: &str) -> Judged {
    let shown = Shown::parse(text).ok_or_else(|| Unmeasured::new(format!("{place}: the answer makes no sense")))?;
    let chain = shown.certificates();
    let chain = chain.ok_or_else(|| Unmeasured::new(format!("{place}: its certificates cannot be read")))?;
    let own = &chain[0];
    // Every certificate of the chain must last.
    let ends = chain.iter().map(|one| one.ends).min().unwrap_or(own.ends);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a few centuries are below 2^53")]
    let left = (ends - scene.now.as_second()) as f64;
    let (soon, too_soon) = (scene.limit(&SOON), scene.limit(&TOO_SOON));
    let expected = format!("trusted, for {name}, and valid for {} more", scene.limit_text(&SOON));
    let days = Unit::Duration.show(left.max(0.0));
    let demo_accepts = scene.size() == Size::Demo && own.is_self_signed();
    let (bad, poor) =
        (|why: String| Judgement::fail(why, expected.clone()), |why: String| Judgement::warn(why, expected.clone()));
    Ok(if left <= 0.0 {
        bad(format!("{place}: {} has expired", described(own)))
    } else if !own.is_for(name) {
        bad(format!("{place}: {} is for {}", described(own), listed(&own.names)))
    } else if !shown.trusted && !demo_accepts {
        let why = if own.is_self_signed() { "it is self-signed".to_owned() } else { shown.why.unwrap_or_default() };
        bad(format!("{place}: {} is not trusted: {why}", described(own)))
    } else if left < too_soon && !demo_accepts {
        bad(format!("{place}: it expires in {days}"))
    } else if left < soon {
        poor(format!("{place}: it expires in {days}"))
    } else if demo_accepts {
        Judgement::pass(format!("{place}: self-signed, which demo accepts; expires in {days}"), expected)
    } else {
        Judgement::pass(format!("{place}: trusted, expires in {days}"), expected)
    })
}

fn described(certificate: &Certificate) -> String {
    format!("the certificate of {}", certificate.subject)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no name".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    /// For hq.example.test, until the last second of 2025.
    const OWN: &str = include_str!("../../../tests/fixtures/certificate/self-signed.txt");

    fn finding(size: &str, site: &str, now: &str, trusted: bool) -> crate::Finding {
        let environment = format!(
            "environment: trial\nsize: {size}\npolicy: {{preflight: {{site: {site}}}}}\nservices:\n  web: {{on: web1}}\n  database: {{on: web1}}\n"
        );
        let mut trial = Trial::of(&environment, "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n");
        (trial.phase, trial.now) = (Phase::GoLive, now.parse().expect("a time"));
        let why = if trusted { "null" } else { "\"UnknownIssuer\"" };
        let text = format!("{{\"trusted\": {trusted}, \"why\": {why}, \"chain\": [\"{}\"]}}", OWN.trim());
        let outside = Outside::Tls { from: None, address: site.to_owned(), port: HTTPS, name: site.to_owned() };
        trial.outside(outside, Outcome::Text { text, cut: false });
        trial.finding("net.tls", "")
    }

    #[test]
    fn trust_name_and_end_count() {
        let site = "hq.example.test";
        for (size, name, now, trusted, verdict, told) in [
            ("single", site, "2025-11-01T00:00:00Z", true, Verdict::Pass, "expires in 61 d"),
            ("single", site, "2025-12-15T00:00:00Z", true, Verdict::Warn, "expires in 17 d"),
            ("single", site, "2025-12-25T00:00:00Z", true, Verdict::Fail, "expires in 7 d"),
            ("single", site, "2026-01-01T00:00:00Z", true, Verdict::Fail, "has expired"),
            ("single", site, "2025-11-01T00:00:00Z", false, Verdict::Fail, "self-signed"),
            ("single", "other.example.test", "2025-11-01T00:00:00Z", true, Verdict::Fail, "is for hq.example.test"),
            ("demo", site, "2025-11-01T00:00:00Z", false, Verdict::Pass, "demo accepts"),
            ("demo", site, "2026-01-01T00:00:00Z", false, Verdict::Fail, "has expired"),
        ] {
            let finding = finding(size, name, now, trusted);
            assert!(finding.verdict == verdict && finding.observed.contains(told), "{size} {now}: {finding:?}");
        }
    }

    #[test]
    fn a_site_without_a_name_is_told_so() {
        let mut trial = Trial::new();
        trial.phase = Phase::GoLive;
        let finding = trial.finding("net.tls", "");
        assert!(finding.unmeasured && finding.fix.contains("policy.preflight.site"), "{finding:?}");
    }
}
