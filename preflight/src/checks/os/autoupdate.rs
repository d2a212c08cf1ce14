//! `os.autoupdate`: security updates come by themselves.

use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::apt_config::AptConfig;

/// Security updates come by themselves.
pub struct AutomaticUpdates;

static ABOUT: About = About {
    id: "os.autoupdate",
    title: "Security updates come by themselves, or by a process that somebody answers for",
    measures: "APT::Periodic of `apt-config dump`, whether the package unattended-upgrades is installed, and whether the timer \
               apt-daily-upgrade.timer is active.",
    why: "Hosts that nobody updates are attacked through holes that were closed long ago.",
    thresholds: &[],
    fix: "`apt-get install unattended-upgrades && dpkg-reconfigure unattended-upgrades`, or attest who updates the hosts, and how often",
    // The catalogue fails where neither is: whether a process exists only a person can say, so that it asks for an attestation.
    source: "security checklist, Host 5",
    vantage: Vantage::Host,
    applies: "every host of every size but demo: a rehearsal does not live long",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for AutomaticUpdates {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(_) if scene.size() == Size::Demo => Ask::skip("a rehearsal (demo) does not live long"),
            Ok(host) => Ask::of(
                host,
                [
                    // The architecture is always set: an answer without it is none.
                    command(&["apt-config", "dump", "APT::Architecture", "APT::Periodic"]),
                    command(&["dpkg-query", "-W", "-f", "${db:Status-Status}", "unattended-upgrades"]),
                    command(&["systemctl", "is-active", "apt-daily-upgrade.timer"]),
                ],
            ),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let config = AptConfig::parse(answers.stdout(0)?).filter(|config| config.value("APT::Architecture").is_some());
        let config = config.ok_or_else(|| Unmeasured::new("what `apt-config dump` says is not understood"))?;
        let mut off = Vec::new();
        for option in ["Update-Package-Lists", "Unattended-Upgrade"] {
            if !config.is_on(&format!("APT::Periodic::{option}")) {
                off.push(format!("APT::Periodic::{option} is not set"));
            }
        }
        if answers.ended(1)?.1.trim() != "installed" {
            off.push("unattended-upgrades is not installed".to_owned());
        }
        let timer = answers.ended(2)?.1.trim();
        if timer != "active" {
            off.push(format!("apt-daily-upgrade.timer is {}", if timer.is_empty() { "not told" } else { timer }));
        }
        Ok(if off.is_empty() {
            Judgement::pass("unattended-upgrades runs daily", "unattended upgrades are on")
        } else {
            Judgement::attest(format!(
                "unattended upgrades are off ({}): say who updates this host, and how often",
                off.join(", ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    const ON: &str = include_str!("../../../tests/fixtures/apt_config/on.txt");

    fn verdict(config: &str, package: &str, timer: &str) -> Verdict {
        let mut trial = Trial::new();
        trial
            .command("web1", &["apt-config", "dump", "APT::Architecture", "APT::Periodic"], 0, config, "")
            .command("web1", &["dpkg-query", "-W", "-f", "${db:Status-Status}", "unattended-upgrades"], 0, package, "")
            .command("web1", &["systemctl", "is-active", "apt-daily-upgrade.timer"], 3, timer, "");
        trial.verdict("os.autoupdate", "web1")
    }

    #[test]
    fn each_part_that_is_off_asks_a_person() {
        assert_eq!(verdict(ON, "installed", "active\n"), Verdict::Pass);
        let off = ON.replace("Unattended-Upgrade \"1\"", "Unattended-Upgrade \"0\"");
        for (config, package, timer) in
            [(off.as_str(), "installed", "active"), (ON, "", "active"), (ON, "installed", "inactive")]
        {
            assert_eq!(verdict(config, package, timer), Verdict::Attest);
        }
    }
}
