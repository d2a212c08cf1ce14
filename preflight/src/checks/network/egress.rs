//! `net.egress`: hosts reach what they install from.

use cc_agent::probe::{Outcome, Probe};
use cc_agent::resource::{Presence, Resource};
use cc_agent::secret::contains_token;
use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;

/// Asks the clients of package sources; what it prints stands at its top.
const SCRIPT: &str = include_str!("egress.sh");
/// Seconds that a client waits for an answer.
const PATIENCE: &str = "8";
/// Seconds for all of them: they are asked side by side.
const SECONDS: u32 = 45;
/// Connections to an `address:port`.
const TIMES: u16 = 2;

/// Hosts reach what they install from.
pub struct Egress;

static ABOUT: About = About {
    id: "net.egress",
    title: "The host reaches what it installs from",
    measures: "One download from each server of apt's own sources by apt's own downloader, and pip and npm, where they are installed, \
               asked for an answer of their index or registry, all with the proxies that they are set to; then the sources and \
               archives of the plan and `policy.preflight.egress`, by HTTP requests that this machine makes over the host's SSH \
               session or connections of the host. Servers are never listed here: mirrors and proxies are what the clients say.",
    why: "A firewall that blocks one package source stops the installation in the middle, on some hosts earlier than on others.",
    thresholds: &[],
    fix: "let the host through to it, set apt, pip or npm to a mirror that it reaches, or name the proxy as \
          `policy.preflight.proxy` and in the settings of apt",
    source: "transition guide 2.2, question 6",
    vantage: Vantage::Host,
    applies: "every host; in `demo` a server that is not reached is a warning, because a rehearsal may have its packages at hand",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Egress {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let proxy = scene.policy.written.proxy.as_ref().map(|proxy| proxy.value.clone());
        let words = ["sh", "-c", SCRIPT, "egress", PATIENCE, proxy.as_deref().unwrap_or_default()];
        let argv = words.into_iter().map(str::to_owned).collect();
        let clients = Question::On { host: host.name.clone(), probe: Probe::Command { argv, seconds: SECONDS } };
        let written = scene.policy.written.egress.iter().map(|place| place.value.clone());
        let others = written.chain(planned(scene, host)).map(|place| question(host, &place, proxy.as_deref()));
        Ask::Measure([clients].into_iter().chain(others).collect())
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let mut tried = clients(answers.stdout(0)?)?;
        for (index, question) in answers.questions.iter().enumerate().skip(1) {
            tried.push((place(question), reached(answers.outcome(index))));
        }
        let failed = tried.iter().filter_map(|(place, why)| Some(format!("{place}: {}", why.as_ref()?)));
        let failed: Vec<String> = failed.collect();
        let expected = "everything that the host installs from is reached";
        Ok(match failed.as_slice() {
            [] => {
                let places: Vec<&str> = tried.iter().map(|(place, _)| place.as_str()).collect();
                Judgement::pass(format!("reached: {}", places.join(", ")), expected)
            }
            _ if scene.size() == Size::Demo => Judgement::warn(failed.join("; "), expected),
            _ => Judgement::fail(failed.join("; "), expected),
        })
    }
}

/// What the plan of a host downloads from by itself: its apt sources and archives.
fn planned(scene: &Scene<'_>, host: &HostScene<'_>) -> Vec<String> {
    let plan = scene.plan.hosts.iter().find(|plan| plan.host == host.name);
    let mut places: Vec<String> = plan
        .into_iter()
        .flat_map(|plan| &plan.steps)
        .flat_map(|step| match &step.resource {
            Resource::AptRepository(source) if source.state == Presence::Present => source.uris.clone(),
            Resource::Archive(archive) if archive.state == Presence::Present => archive.url.iter().cloned().collect(),
            Resource::Git(git) => vec![git.repository.clone()],
            _ => Vec::new(),
        })
        .filter(|place| place.starts_with("http") && place.contains("://") && !contains_token(place))
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// A URL is got over the host's session, an `address:port` connected to by the host.
fn question(host: &HostScene<'_>, place: &str, proxy: Option<&str>) -> Question {
    let port = place.rsplit_once(':').and_then(|(address, port)| Some((address, port.parse::<u16>().ok()?)));
    match port {
        Some((address, port)) if !place.contains("://") => {
            let address = address.trim_matches(['[', ']']).to_owned();
            Question::On { host: host.name.clone(), probe: Probe::Connect { address, port, times: TIMES } }
        }
        _ => Question::Outside(Outside::Http {
            from: Some(host.name.clone()),
            url: place.to_owned(),
            proxy: proxy.map(str::to_owned),
        }),
    }
}

fn place(question: &Question) -> String {
    match question {
        Question::Outside(Outside::Http { url, .. }) => url.clone(),
        Question::On { probe: Probe::Connect { address, port, .. }, .. } => format!("{address}:{port}"),
        _ => String::new(),
    }
}

/// What the clients reached, and why not; none where the script did not come to its end.
fn clients(text: &str) -> Result<Vec<(String, Option<String>)>, Unmeasured> {
    let odd = |line: &str| Unmeasured::new(format!("the clients of package sources said `{line}`"));
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.pop() != Some("end") {
        return Err(odd(text.lines().last().unwrap_or_default()));
    }
    let mut tried = Vec::new();
    for line in lines {
        let mut words = line.splitn(4, ' ');
        let (Some(client), Some(what), Some(result)) = (words.next(), words.next(), words.next()) else {
            return Err(odd(line));
        };
        let place = if client == "apt" { what.to_owned() } else { format!("the {what} of {client}") };
        let why = match result {
            "ok" => None,
            "failed" => Some(words.next().unwrap_or("no reason given").chars().take(300).collect()),
            _ => return Err(odd(line)),
        };
        tried.push((place, why));
    }
    if tried.is_empty() { Err(Unmeasured::new("apt has no sources on this host")) } else { Ok(tried) }
}

/// Why a place was not reached; none where it was.
fn reached(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Times { micros, .. } if micros.iter().any(Option::is_some) => None,
        Outcome::Times { why, .. } => Some(why.clone().unwrap_or_else(|| "no connection".to_owned())),
        Outcome::Text { text, .. } => {
            let status =
                serde_json::from_str::<serde_json::Value>(text).ok().and_then(|value| value["status"].as_u64());
            match status {
                // That there is no such page, or that it wants a password, is the server's own answer.
                Some(200..=399 | 401 | 403..=405 | 410) => None,
                Some(status) => Some(format!("it answers with status {status}")),
                None => Some("the answer makes no sense".to_owned()),
            }
        }
        Outcome::Failed { why } => Some(why.clone()),
        _ => Some("no answer".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    const MIRROR: &str = "http://mirror.example.test/dists/stable/InRelease";

    fn finding(said: &str, page: Outcome, connection: Option<u32>) -> crate::Finding {
        let environment = "environment: trial\npolicy: {preflight: {egress: ['https://api.example.test/v1', 'sms.example.test:2775']}}\nservices:\n  database: {on: db1}\n  web: {on: web1}\n";
        let inventory = "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n  db1: {address: 10.0.0.2}\n";
        let mut trial = Trial::of(environment, inventory);
        trial.command("web1", &["sh", "-c", SCRIPT, "egress", PATIENCE, ""], 0, said, "");
        let url = "https://api.example.test/v1".to_owned();
        trial.outside(Outside::Http { from: Some("web1".to_owned()), url, proxy: None }, page);
        let connect = Probe::Connect { address: "sms.example.test".to_owned(), port: 2775, times: TIMES };
        let why = connection.is_none().then(|| "no answer within 5 s".to_owned());
        trial.answer("web1", connect, Outcome::Times { micros: vec![connection], why });
        trial.finding("net.egress", "web1")
    }

    fn page(status: u16) -> Outcome {
        Outcome::Text { text: format!("{{\"status\": {status}, \"headers\": {{}}, \"body\": \"\"}}"), cut: false }
    }

    #[test]
    fn everything_must_be_reached() {
        let all = format!("apt {MIRROR} ok\npip index ok\nend\n");
        assert_eq!(finding(&all, page(404), Some(9)).verdict, Verdict::Pass);
        for (said, page, connection, told) in [
            (
                format!("apt {MIRROR} failed E: Could not connect\nend\n"),
                page(200),
                Some(9),
                "InRelease: E: Could not connect",
            ),
            (all.clone(), page(503), Some(9), "https://api.example.test/v1: it answers with status 503"),
            (all.clone(), Outcome::Failed { why: "refused".to_owned() }, Some(9), "refused"),
            (all.clone(), page(200), None, "sms.example.test:2775: no answer within 5 s"),
        ] {
            let finding = finding(&said, page, connection);
            assert!(finding.stops() && !finding.unmeasured && finding.observed.contains(told), "{finding:?}");
        }
    }

    #[test]
    fn what_was_cut_off_or_makes_no_sense_is_no_pass() {
        for said in ["", "end", "apt x ok", "apt x perhaps\nend\n", "garbage\nend\n"] {
            assert!(finding(said, page(200), Some(9)).unmeasured, "{said}");
        }
    }
}
