//! From a scene to questions, and from answers to findings.

use std::collections::BTreeSet;

use cc_agent::probe::Reading;
use cc_plan::suggest::closest;
use jiff::tz::TimeZone;

use crate::about::{About, Keeps, Vantage};
use crate::answers::{Answered, Answers};
use crate::attestation::{Attestation, Attestations};
use crate::catalogue::CATALOGUE;
use crate::check::Check;
use crate::evidence::{Evidence, transcript};
use crate::finding::{Finding, Verdict};
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, Question};
use crate::scene::{Reach, Scene};
use crate::subject::Subject;
use crate::waiver::Waivers;

/// Which checks are wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Ids, or `net.*`; all when empty.
    pub only: Vec<String>,
    /// Only what blocks the scene's phase.
    pub blocking: bool,
    /// What is known already and not looked at again.
    pub known: Known,
}

/// Findings by check, host and the other host of a pair.
pub type Known = BTreeSet<(String, Option<String>, Option<String>)>;

impl Selection {
    /// Refuses patterns that no check has.
    ///
    /// # Errors
    /// A sentence that names the pattern and what is like it.
    pub fn check(&self) -> Result<(), String> {
        let ids = || CATALOGUE.iter().map(|check| check.about().id);
        match self.only.iter().find(|pattern| !ids().any(|id| matches(pattern, id))) {
            None => Ok(()),
            Some(pattern) => Err(match closest(pattern, ids()) {
                Some(near) => format!("there is no check `{pattern}`: did you mean `{near}`?"),
                None => format!("there is no check `{pattern}`: `cc-cloud explain` lists them"),
            }),
        }
    }

    /// The wanted checks, in the order of the catalogue.
    pub fn checks<'c>(&'c self, scene: &'c Scene<'_>) -> impl Iterator<Item = &'static dyn Check> + 'c {
        CATALOGUE.iter().copied().filter(|check| {
            let about = check.about();
            let named = self.only.is_empty() || self.only.iter().any(|pattern| matches(pattern, about.id));
            named && (!self.blocking || about.blocks.contains(&scene.phase))
        })
    }
}

fn matches(pattern: &str, id: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => id.starts_with(beginning),
        None => id == pattern || id.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('.')),
    }
}

/// Everything that the wanted checks ask, each question once.
pub fn questions(scene: &Scene<'_>, selection: &Selection) -> BTreeSet<Question> {
    let mut all = BTreeSet::new();
    for check in selection.checks(scene) {
        for subject in subjects(scene, check, selection) {
            if let Ok(Ask::Measure(questions)) = asked(scene, check, subject) {
                all.extend(questions);
            }
        }
    }
    all
}

/// The wanted checks that will sample or load something for seconds, so that it can be said before.
pub fn loads<'c>(scene: &'c Scene<'_>, selection: &'c Selection) -> impl Iterator<Item = &'static About> + 'c {
    let measures = |check: &&dyn Check| {
        let asks =
            |subject| matches!(asked(scene, *check, subject), Ok(Ask::Measure(questions)) if !questions.is_empty());
        check.about().deep.is_some() && subjects(scene, *check, selection).into_iter().any(asks)
    };
    selection.checks(scene).filter(measures).map(Check::about)
}

/// What the answers mean: one finding for each wanted check and each of its subjects, in the order of the catalogue.
pub fn findings(
    scene: &Scene<'_>,
    selection: &Selection,
    answers: &Answers,
    waivers: &Waivers,
    attestations: &Attestations,
) -> Vec<Finding> {
    let mut all = Vec::new();
    for check in selection.checks(scene) {
        for subject in subjects(scene, check, selection) {
            let (judged, evidence) = judge(scene, check, subject, answers);
            all.push(finding(scene, check, subject, judged, evidence, waivers, attestations));
        }
    }
    all
}

/// What a check is asked about, but for what is known.
fn subjects(scene: &Scene<'_>, check: &dyn Check, selection: &Selection) -> Vec<Subject> {
    let about = check.about();
    let mut subjects = match about.vantage {
        Vantage::Spec | Vantage::Outside => vec![Subject::Environment],
        Vantage::Host => (0..scene.hosts.len()).map(Subject::Host).collect(),
        Vantage::Pair => pairs(scene),
    };
    if !selection.known.is_empty() {
        subjects.retain(|subject| {
            let (host, to) = names(scene, *subject);
            !selection.known.contains(&(about.id.to_owned(), host, to))
        });
    }
    subjects
}

/// The names of the host that a subject is measured on or from, and of the other of a pair.
fn names(scene: &Scene<'_>, subject: Subject) -> (Option<String>, Option<String>) {
    let name = |host: usize| Some(scene.hosts[host].name.clone());
    match subject {
        Subject::Environment => (None, None),
        Subject::Host(host) => (name(host), None),
        Subject::Pair { from, to } => (name(from), name(to)),
    }
}

/// Hosts that use something of each other, each way once.
fn pairs(scene: &Scene<'_>) -> Vec<Subject> {
    let index = |name: &String| scene.hosts.iter().position(|host| host.name == *name);
    let used = scene.hosts.iter().enumerate().flat_map(|(to, host)| {
        let clients = host.offers.iter().filter(|offer| offer.port.is_some()).flat_map(|offer| &offer.clients);
        clients.filter_map(index).filter(move |from| *from != to).map(move |from| Subject::Pair { from, to })
    });
    used.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What a check asks about a subject, unless something else decides.
fn asked(scene: &Scene<'_>, check: &dyn Check, subject: Subject) -> Result<Ask, Unmeasured> {
    let about = check.about();
    if let Some(reason) = scene.policy.off.get(about.id) {
        return Ok(Ask::skip(format!("switched off by the environment's policy: {reason}")));
    }
    if let (Some(will), false) = (about.deep, scene.deep) {
        return Ok(Ask::skip(format!("only with --deep: it {will}")));
    }
    if about.vantage == Vantage::Outside && scene.hosts.iter().all(|host| host.reach == Reach::Untried) {
        return Ok(Ask::skip("only files were checked"));
    }
    // How the way to a host was is what these two judge; every other check needs the host.
    if ![crate::checks::access::SSH, crate::checks::access::SUDO].contains(&about.id) {
        for host in subject.hosts().map(|host| &scene.hosts[host]) {
            match &host.reach {
                Reach::Connected { .. } => {}
                Reach::Untried => return Ok(Ask::skip("no host was asked")),
                Reach::Lost { message, .. } => {
                    return Err(Unmeasured::unreached(&host.name, message));
                }
            }
        }
    }
    Ok(check.ask(scene, subject))
}

fn judge(scene: &Scene<'_>, check: &dyn Check, subject: Subject, answers: &Answers) -> (Judged, Evidence) {
    let questions = match asked(scene, check, subject) {
        Err(unmeasured) => return (Err(unmeasured), Evidence::default()),
        Ok(Ask::Skip(reason)) => return (Ok(Judgement::skip(reason)), Evidence::default()),
        Ok(Ask::Attest(reason)) => return (Ok(Judgement::attest(reason)), Evidence::default()),
        Ok(Ask::Measure(questions)) => questions,
    };
    let asked: Vec<(&Question, &Reading)> =
        questions.iter().filter_map(|question| Some((question, answers.readings.get(question)?))).collect();
    let text: Vec<String> = asked.iter().map(|(question, reading)| transcript(question, reading)).collect();
    let evidence = if text.is_empty() { Evidence::default() } else { Evidence::new(check.mask(&text.join("\n"))) };
    // A host that was lost in the middle has not answered everything. What was known of it beforehand is no pass any more.
    let on = questions.iter().filter_map(|question| match question {
        Question::On { host, .. } => Some(host),
        Question::Outside(_) => None,
    });
    let mut hosts = on.chain(subject.hosts().map(|host| &scene.hosts[host].name));
    let lost = hosts.find_map(|host| answers.hosts.get(host)?.lost.as_ref().map(|why| (host, why)));
    if let (Some((host, why)), true) = (lost, questions.is_empty() || asked.len() < questions.len()) {
        return (Err(Unmeasured::lost(host, why)), evidence);
    }
    (check.judge(scene, subject, &Answered { questions: &questions, answers }), evidence)
}

fn finding(
    scene: &Scene<'_>,
    check: &dyn Check,
    subject: Subject,
    judged: Judged,
    evidence: Evidence,
    waivers: &Waivers,
    attestations: &Attestations,
) -> Finding {
    let about = check.about();
    let unmeasured = judged.is_err();
    let judgement = judged.unwrap_or_else(|unmeasured| {
        let observed = format!("could not be measured: {}", unmeasured.why);
        // Not to know is as bad as what it could be.
        let judgement = match about.blocks {
            [] => Judgement::warn(observed, about.title),
            _ => Judgement::fail(observed, about.title),
        };
        Judgement { fix: unmeasured.fix, ..judgement }
    });
    let (host, to) = names(scene, subject);
    let failed = judgement.verdict == Verdict::Fail;
    let today = scene.now.to_zoned(TimeZone::UTC).date();
    let blocks = judgement.blocks.unwrap_or(about.blocks);
    let blocking = blocks.contains(&scene.phase);
    let attested = attestations.of(about.id, host.as_deref()).filter(|_| judgement.verdict == Verdict::Attest);
    let attestation = attested.filter(|attestation| attestation.holds(Keeps::Quarter, today));
    let verdict = match judgement.verdict {
        Verdict::Fail if !blocking => Verdict::Warn,
        Verdict::Attest if attestation.is_some() => Verdict::Pass,
        verdict => verdict,
    };
    let waiver = waivers.covering(about.id, host.as_deref(), today).filter(|_| failed);
    let lapsed = waivers.lapsed(about.id, host.as_deref(), today).filter(|_| failed && waiver.is_none());
    let too_old = attested.filter(|_| attestation.is_none());
    let good = matches!(verdict, Verdict::Pass | Verdict::Skip);
    Finding {
        id: about.id.to_owned(),
        title: about.title.to_owned(),
        host,
        to,
        verdict,
        observed: asked_again(judgement.observed, too_old),
        expected: judgement.expected,
        place: judgement.place,
        blocks: if failed { blocks.to_vec() } else { Vec::new() },
        source: about.source.to_owned(),
        fix: if good { String::new() } else { judgement.fix.unwrap_or_else(|| about.fix.to_owned()) },
        unmeasured,
        deviations: scene.policy.deviations(about.thresholds, scene.size()),
        evidence,
        at: scene.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        expires: expires(scene, if unmeasured { Keeps::Run } else { about.keeps }),
        waiver: waiver.cloned(),
        lapsed: lapsed.cloned(),
        attestation: attestation.cloned(),
    }
}

/// What was observed, and who had answered for it once.
fn asked_again(observed: String, too_old: Option<&Attestation>) -> String {
    match too_old {
        Some(old) => format!("{observed}; {} answered for it on {}, which is too long ago", old.owner, old.date),
        None => observed,
    }
}

fn expires(scene: &Scene<'_>, keeps: Keeps) -> String {
    let end = scene.now.checked_add(jiff::SignedDuration::from_secs(keeps.seconds())).unwrap_or(scene.now);
    end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
