//! `os.timezone`: hosts keep universal time.

use cc_agent::resource::Resource;

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::timedatectl::Timedatectl;

/// Hosts keep universal time.
pub struct Timezone;

static ABOUT: About = About {
    id: "os.timezone",
    title: "The time zone is universal time, or the one that the environment sets",
    measures: "Timezone of `timedatectl show`, against the `timezone` that the plan sets on this host, or Etc/UTC where it sets none.",
    why: "Logs, backups and scheduled tasks of hosts in different zones cannot be put side by side, and in zones with summer \
          time an hour comes twice a year or never.",
    thresholds: &[],
    fix: "let the role `base` set `timezone: Etc/UTC` on this host, or run `timedatectl set-timezone Etc/UTC`",
    source: "the predecessor sets Etc/UTC on every host (role common)",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

/// Names of universal time.
const UNIVERSAL: [&str; 6] = ["Etc/UTC", "UTC", "Etc/Universal", "Etc/UCT", "Etc/Zulu", "Etc/GMT"];

impl Check for Timezone {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) => Ask::of(host, [command(&["timedatectl", "show"])]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let zone = Timedatectl::parse(answers.stdout(0)?).and_then(|told| told.timezone);
        let zone = zone.ok_or_else(|| Unmeasured::new("`timedatectl show` names no time zone"))?;
        let planned = host.steps.iter().find_map(|step| match &step.resource {
            Resource::Timezone(timezone) => Some((timezone.name.as_str(), step.service.as_str())),
            _ => None,
        });
        let expected = planned.map_or(UNIVERSAL[0], |(name, _)| name);
        let universal = |name: &str| UNIVERSAL.contains(&name);
        Ok(if zone == expected || (universal(&zone) && universal(expected)) {
            Judgement::pass(zone, expected)
        } else if let Some((name, service)) = planned {
            Judgement::pass(format!("{zone}; `{service}` sets {name}"), expected)
        } else {
            Judgement::warn(zone, expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    #[test]
    fn another_zone_warns_unless_the_plan_sets_one() {
        let role = ("clock", "role: clock\ndescription: c\nresources:\n  - timezone: Etc/UTC\n");
        let environment = "environment: trial\nservices:\n  web: {on: web1}\n  clock: {on: db1}\n";
        let inventory = "provider: static\nhosts:\n  web1: {address: 10.0.0.1}\n  db1: {address: 10.0.0.2}\n";
        let mut trial = Trial::with_roles(&format!("{environment}  database: {{on: db1}}\n"), inventory, &[role]);
        for (zone, web1) in [("Africa/Maseru", Verdict::Warn), ("UTC", Verdict::Pass), ("Etc/UTC", Verdict::Pass)] {
            for host in ["web1", "db1"] {
                trial.command(host, &["timedatectl", "show"], 0, &format!("Timezone={zone}\n"), "");
            }
            assert_eq!(trial.verdict("os.timezone", "web1"), web1, "{zone}");
            assert_eq!(trial.verdict("os.timezone", "db1"), Verdict::Pass, "{zone}");
        }
    }
}
