//! `acc.log`: nobody else writes what we remember of a host.

use cc_agent::engine::STATE;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, Question, command, folder};
use crate::scene::Scene;
use crate::subject::Subject;

/// Nobody else writes what we remember of a host.
pub struct Log;

// The predecessor kept one log, /var/log/ansible.log, on its control machine; here each host has its journal.
static ABOUT: About = About {
    id: "acc.log",
    title: "Only root reads and writes what runs leave on the host",
    measures: "Owner and mode of /var/lib/cc-cloud, which holds the agent, the ledger and the journal: `stat -c '%a %u'`.",
    why: "Who can write there decides what the next run does as root; who can read there sees every changed line of configuration.",
    thresholds: &[],
    fix: "`chown root:root /var/lib/cc-cloud && chmod 0700 /var/lib/cc-cloud`, and find out who changed it",
    source: "installation guide, step 2, log file",
    vantage: Vantage::Host,
    applies: "every host of every size on which something was installed, demo too",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Log {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Subject::Host(host) = subject else { return Ask::skip("it is asked of hosts") };
        let on = |probe| Question::On { host: scene.hosts[host].name.clone(), probe };
        Ask::Measure(vec![on(folder(STATE)), on(command(&["stat", "-c", "%a %u", STATE]))])
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        if answers.names(0)?.is_none() {
            return Ok(Judgement::skip(format!("there is no {STATE} on the host yet")));
        }
        let unknown = || Unmeasured::new("`stat` printed something that is not known");
        let (mode, owner) = answers.stdout(1)?.trim().split_once(' ').ok_or_else(unknown)?;
        let bits = u32::from_str_radix(mode, 8).ok().filter(|bits| *bits <= 0o7777).ok_or_else(unknown)?;
        let owner: u32 = owner.parse().map_err(|_| unknown())?;
        let (observed, expected) = (format!("mode {mode}, owner {owner}"), "mode 700, owner 0");
        Ok(if owner != 0 || bits & 0o022 != 0 {
            Judgement::fail(observed, expected)
        } else if bits & 0o055 != 0 {
            Judgement::warn(observed, expected)
        } else {
            Judgement::pass(observed, expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::engine::STATE;
    use cc_agent::probe::Outcome;

    use crate::trial::Trial;
    use crate::{Finding, Phase, Verdict, folder};

    fn found(stat: &str) -> Finding {
        let mut trial = Trial::new();
        trial.phase = Phase::GoLive;
        trial.answer("web1", folder(STATE), Outcome::Names { names: vec!["journal".to_owned()] });
        trial.command("web1", &["stat", "-c", "%a %u", STATE], 0, stat, "");
        trial.finding("acc.log", "web1")
    }

    #[test]
    fn only_root_may() {
        for (stat, verdict) in [
            ("700 0\n", Verdict::Pass),
            ("750 0\n", Verdict::Warn),
            ("755 0\n", Verdict::Warn),
            ("770 0\n", Verdict::Fail),
            ("1777 0\n", Verdict::Fail),
            ("700 1000\n", Verdict::Fail),
        ] {
            assert_eq!(found(stat).verdict, verdict, "{stat}");
        }
        for garbage in ["", "rwx root", "999 0", "700", "77777 0", "700 -1"] {
            assert!(found(garbage).unmeasured, "{garbage}");
        }
    }

    #[test]
    fn before_the_first_run_there_is_nothing_to_guard() {
        let mut trial = Trial::new();
        trial.answer("web1", folder(STATE), Outcome::Absent);
        assert_eq!(trial.verdict("acc.log", "web1"), Verdict::Skip);
    }
}
