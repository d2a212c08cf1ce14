//! Asks the hosts, all at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use cc_agent::host::Host;
use cc_agent::probe::{self, Listeners, Probe, Reading};
use cc_agent::protocol::{Reply, Request};
use cc_preflight::{Answers, Clock, HostAnswers, Outside, Question};
use futures_util::future;
use futures_util::stream::{self, StreamExt};

use super::hosts::Hosts;
use super::outside::answer;
use super::sessions::Sessions;
use crate::report::{Event, Report};
use crate::run::{Fleet, Interrupt, Member};
use crate::ssh::SshError;

/// Questions that this machine answers at the same time.
const SIDE_BY_SIDE: usize = 64;

/// Probes of one host.
type Probes = Vec<Probe>;

/// What one host answered.
struct Told {
    answered: Vec<(Probe, Reading)>,
    clock: Option<Clock>,
    lost: Option<SshError>,
}

/// Asks every question once.
pub async fn inquire(
    hosts: &mut Hosts,
    questions: &BTreeSet<Question>,
    interrupt: &Interrupt,
    report: &Report,
) -> Answers {
    match hosts {
        Hosts::Fleet(fleet) => inquire_fleet(fleet, questions, interrupt, report).await,
        Hosts::Here(_) => {
            let Sorted { looks: probes, outside, .. } = Sorted::new(questions);
            let nobody = Sessions::of(&Fleet::default());
            let (mut answers, told) = future::join(inquire_here(probes), ask_outside(outside, &nobody)).await;
            answers.readings.extend(told.into_iter().map(|(probe, reading)| (Question::Outside(probe), reading)));
            answers
        }
        Hosts::Nobody => Answers::default(),
    }
}

/// This machine has no agent: its probes are run right here. Its clock is the operator's.
async fn inquire_here(probes: BTreeMap<String, Probes>) -> Answers {
    let take = || {
        let here = Host::new("/nonexistent");
        let mut answers = Answers::default();
        for (host, probes) in probes {
            let readings = probe::take(&here, &probes, &mut Listeners::default(), &|| false);
            let questions = probes.into_iter().map(|probe| Question::On { host: host.clone(), probe });
            answers.readings.extend(questions.zip(readings));
            answers.hosts.insert(host, HostAnswers { clock: Some(Clock { ahead: 0.0, uncertainty: 0.0 }), lost: None });
        }
        answers
    };
    tokio::task::spawn_blocking(take).await.unwrap_or_default()
}

/// What a host says of itself comes before our own listeners are there to be seen; those are opened everywhere before anything
/// connects to them, and closed whatever happens. A host that is lost meanwhile leaves the fleet; what it has answered stays.
async fn inquire_fleet(
    fleet: &mut Fleet,
    questions: &BTreeSet<Question>,
    interrupt: &Interrupt,
    report: &Report,
) -> Answers {
    let Sorted { looks, listeners, tries, outside } = Sorted::new(questions);
    let mut answers = Answers::default();
    let sessions = Sessions::of(fleet);
    let (told, outside) = future::join(
        ask_all(fleet, &looks, interrupt, Some(report)),
        // What is asked through a host waits for nothing that its agent does: it has a channel of its own.
        ask_outside(outside, &sessions),
    )
    .await;
    take(fleet, &mut answers, told);
    answers.readings.extend(outside.into_iter().map(|(probe, reading)| (Question::Outside(probe), reading)));
    for probes in [&listeners, &tries] {
        let told = ask_all(fleet, probes, interrupt, None).await;
        take(fleet, &mut answers, told);
    }
    hush(fleet, listeners.keys()).await;
    answers
}

/// Questions by who answers them, and when.
#[derive(Default)]
struct Sorted {
    /// What hosts say of themselves, by host.
    looks: BTreeMap<String, Probes>,
    /// Listeners, by host.
    listeners: BTreeMap<String, Probes>,
    /// What is sent to them, by the host that sends.
    tries: BTreeMap<String, Probes>,
    /// What this machine answers.
    outside: Vec<Outside>,
}

impl Sorted {
    fn new(questions: &BTreeSet<Question>) -> Self {
        let mut sorted = Self::default();
        for question in questions {
            let (host, probe) = match question {
                Question::On { host, probe } => (host, probe),
                Question::Outside(probe) => {
                    sorted.outside.push(probe.clone());
                    continue;
                }
            };
            let kind = match probe {
                Probe::Listen { .. } => &mut sorted.listeners,
                Probe::Connect { .. } | Probe::Echo { .. } | Probe::Throughput { .. } => &mut sorted.tries,
                Probe::File { .. } | Probe::Folder { .. } | Probe::Command { .. } => &mut sorted.looks,
            };
            kind.entry(host.clone()).or_default().push(probe.clone());
        }
        sorted
    }
}

async fn ask_all(
    fleet: &mut Fleet,
    probes: &BTreeMap<String, Probes>,
    interrupt: &Interrupt,
    report: Option<&Report>,
) -> Vec<(String, Told)> {
    let jobs = fleet.members.values_mut().filter_map(|member| {
        let probes = probes.get(&member.host)?;
        Some(async move { (member.host.clone(), ask(member, probes, interrupt, report.is_some()).await) })
    });
    let jobs: Vec<_> = jobs.collect();
    let total = jobs.len();
    let mut told = Vec::with_capacity(total);
    let mut running = stream::iter(jobs).buffer_unordered(total.max(1));
    while let Some(one) = running.next().await {
        told.push(one);
        if let Some(report) = report {
            report.emit(&Event::Working { activity: "measure", done: told.len(), total });
        }
    }
    told
}

/// Asks one host: first its clock, alone, so that the round trip says how well it is known; then the rest in one go.
async fn ask(member: &mut Member, probes: &Probes, interrupt: &Interrupt, clock: bool) -> Told {
    let mut told = Told { answered: Vec::new(), clock: None, lost: None };
    if clock {
        let (begin, sent) = (Instant::now(), SystemTime::now());
        match readings(member, Vec::new(), interrupt).await {
            Ok((_, host)) => told.clock = Some(compare(sent, begin.elapsed().as_secs_f64(), host)),
            Err(error) => return Told { lost: Some(error), ..told },
        }
    }
    match readings(member, probes.clone(), interrupt).await {
        Ok((readings, _)) => told.answered = probes.iter().cloned().zip(readings).collect(),
        Err(error) => told.lost = Some(error),
    }
    told
}

async fn readings(member: &mut Member, probes: Probes, interrupt: &Interrupt) -> Result<(Vec<Reading>, u64), SshError> {
    match member.work(&Request::Probe { probes }, interrupt, |_| {}).await? {
        Reply::Probed { readings, clock } => Ok((readings, clock)),
        other => Err(member.unexpected(&other)),
    }
}

/// The host read its clock some time within the round trip: the middle is at most half of it wrong.
fn compare(sent: SystemTime, round_trip: f64, host_micros: u64) -> Clock {
    let here = sent.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() + round_trip / 2.0;
    #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are below 2^53 until the year 2255")]
    let there = host_micros as f64 / 1e6;
    Clock { ahead: there - here, uncertainty: round_trip / 2.0 }
}

fn take(fleet: &mut Fleet, answers: &mut Answers, told: Vec<(String, Told)>) {
    for (host, told) in told {
        let known = answers.hosts.entry(host.clone()).or_default();
        known.clock = known.clock.or(told.clock);
        for (probe, reading) in told.answered {
            answers.readings.insert(Question::On { host: host.clone(), probe }, reading);
        }
        if let Some(error) = told.lost {
            known.lost = Some(error.reason.to_string());
            fleet.lose(&host, &error);
        }
    }
}

/// Closes the listeners. One of a host that does not answer any more closes by itself.
async fn hush(fleet: &mut Fleet, hosts: impl Iterator<Item = &String>) {
    let hosts: BTreeSet<&String> = hosts.collect();
    let members = fleet.members.values_mut().filter(|member| hosts.contains(&member.host));
    let jobs: Vec<_> =
        members.map(|member| async move { (member.host.clone(), member.ask(&Request::Hush).await) }).collect();
    for (host, result) in future::join_all(jobs).await {
        if let Err(error) = result {
            fleet.lose(&host, &error);
        }
    }
}

/// What this machine answers, all at the same time up to a limit: each is a socket or two.
async fn ask_outside(probes: Vec<Outside>, relay: &Sessions) -> Vec<(Outside, Reading)> {
    let jobs = probes.into_iter().map(|probe| async move {
        let reading = answer(&probe, relay).await;
        (probe, reading)
    });
    stream::iter(jobs).buffer_unordered(SIDE_BY_SIDE).collect().await
}
