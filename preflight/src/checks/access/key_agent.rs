//! `acc.agent`: keys at hand on the operator's machine.

use cc_plan::spec::inventory::Provider;

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::outside::Outside;
use crate::question::{Ask, Question};
use crate::scene::{Reach, Scene};
use crate::subject::Subject;
use crate::tool::ssh_add;

/// Keys at hand on the operator's machine.
pub struct KeyAgent;

static ABOUT: About = About {
    id: "acc.agent",
    title: "The operator's SSH agent holds a key",
    measures: "`ssh-add -l` on the operator's machine.",
    why: "A key with a passphrase is no use to a run that asks nobody, unless an agent holds it. Where every host was reached all \
          the same, for example with a key from a file, nothing is missing.",
    thresholds: &[],
    fix: "add your key with `ssh-add`, or name a key file for the hosts with `identity_file` in the inventory",
    source: "installation guide, step 2",
    vantage: Vantage::Outside,
    applies: "environments whose hosts are reached with the operator's own keys, of every size; containers and Vagrant machines \
              come with keys of their own",
    blocks: &[],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::Parser,
};

impl Check for KeyAgent {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, _subject: Subject) -> Ask {
        let inventory = &scene.spec.inventory;
        if inventory.provider != Provider::Static {
            return Ask::skip("rehearsal hosts come with a key of their own");
        }
        if inventory.hosts.iter().all(|host| host.login.identity_file.is_some()) {
            return Ask::skip("every host names its key file");
        }
        let argv = vec!["ssh-add".to_owned(), "-l".to_owned()];
        Ask::Measure(vec![Question::Outside(Outside::Command { argv, seconds: 10 })])
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let (status, stdout, stderr) = answers.ended(0)?;
        let expected = "a key";
        let without = |observed: &str| {
            let reached = |host: &crate::scene::HostScene<'_>| matches!(host.reach, Reach::Connected { .. });
            match scene.hosts.iter().all(reached) {
                true => Judgement::pass(format!("{observed}, and every host was reached without"), expected),
                false => Judgement::warn(observed, expected),
            }
        };
        match (status, ssh_add::keys(stdout)) {
            (0, Some(keys)) => Ok(Judgement::pass(format!("{} in the agent", keys.join(", ")), expected)),
            (1, _) if stdout.contains("no identities") => Ok(without("the agent holds no key")),
            (2, _) if stderr.contains("connect") || stderr.contains("connection") => Ok(without("no agent runs")),
            _ => Err(Unmeasured::new(format!("`ssh-add -l` ended with status {status} and a text that is not known"))),
        }
    }

    fn mask(&self, evidence: &str) -> String {
        ssh_add::without_comments(evidence)
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use crate::trial::Trial;
    use crate::{Cause, Finding, Outside, Verdict};

    const KEYS: &str = include_str!("../../../tests/fixtures/ssh_add/two.txt");

    fn found(trial: &mut Trial, status: i32, stdout: &str, stderr: &str) -> Finding {
        let argv = vec!["ssh-add".to_owned(), "-l".to_owned()];
        let outcome = Outcome::Ended { status, stdout: stdout.into(), stderr: stderr.into(), cut: false };
        trial.outside(Outside::Command { argv, seconds: 10 }, outcome);
        trial.finding("acc.agent", "")
    }

    #[test]
    fn keys_are_counted_and_their_owners_are_not_kept() {
        let finding = found(&mut Trial::new(), 0, KEYS, "");
        assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Pass, "ED25519, RSA 3072 in the agent"));
        assert!(finding.evidence.text.contains("SHA256:") && !finding.evidence.text.contains("ada"), "{finding:?}");
    }

    #[test]
    fn an_empty_agent_matters_only_where_a_host_was_not_reached() {
        let mut trial = Trial::new();
        assert_eq!(found(&mut trial, 1, "The agent has no identities.\n", "").verdict, Verdict::Pass);
        trial.lost.insert("web1".to_owned(), (Cause::Login, "refused".to_owned()));
        assert_eq!(found(&mut trial, 1, "The agent has no identities.\n", "").verdict, Verdict::Warn);
        let none = "Could not open a connection to your authentication agent.\n";
        assert_eq!(found(&mut trial, 2, "", none).verdict, Verdict::Warn);
    }

    #[test]
    fn what_is_not_understood_is_no_pass() {
        for (status, stdout) in [(0, ""), (0, "hello\n"), (0, "256 SHA256:x\n"), (1, "x"), (127, ""), (0, "error: x\n")]
        {
            let finding = found(&mut Trial::new(), status, stdout, "");
            assert!(finding.unmeasured && finding.verdict == Verdict::Warn, "{finding:?}");
        }
    }

    #[test]
    fn rehearsals_have_keys_of_their_own() {
        let inventory = "provider: containers\nhosts:\n  web1: {}\n  db1: {}\n";
        let trial = Trial::of("environment: trial\nservices:\n  web: {on: web1}\n  database: {on: db1}\n", inventory);
        assert_eq!(trial.verdict("acc.agent", ""), Verdict::Skip);
    }
}
