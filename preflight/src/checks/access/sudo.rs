//! `acc.sudo`: root without a question.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::{Cause, Reach, Scene};
use crate::subject::Subject;

/// Root without a question.
pub struct Sudo;

static ABOUT: About = About {
    id: super::SUDO,
    title: "The login becomes root without a password",
    measures: "Whether the agent that preflight started runs as root, which is what `sudo -n` was asked for.",
    why: "Packages, services and files below /etc belong to root. A password prompt in the middle of a run would wait for ever.",
    thresholds: &[],
    fix: "as root, write `USER ALL=(ALL:ALL) NOPASSWD: ALL` into a file in /etc/sudoers.d with mode 0440, and try `sudo -n true`",
    source: "installation guide, step 2, create a user",
    vantage: Vantage::Host,
    applies: "every host of every size, demo too",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration, Phase::Change],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Sudo {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match subject {
            Subject::Host(host) if scene.hosts[host].reach != Reach::Untried => Ask::nothing(),
            _ => Ask::skip("no host was asked"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, _answers: &Answered<'_>) -> Judged {
        let Subject::Host(host) = subject else { return Ok(Judgement::skip("it is asked of hosts")) };
        let expected = "root";
        match &scene.hosts[host].reach {
            Reach::Untried => Ok(Judgement::skip("no host was asked")),
            Reach::Connected { root: true, .. } => Ok(Judgement::pass("the agent is root", expected)),
            Reach::Connected { user, .. } => {
                let user = user.as_deref().unwrap_or("the user");
                let hint = format!(
                    "write `become: sudo` for the host in the inventory, and let `{user}` use sudo without a password"
                );
                Ok(Judgement::fail(format!("the agent runs as {user}, which is not root"), expected).fix(hint))
            }
            Reach::Lost { message, hint, cause: Cause::Sudo } => {
                let failure = Judgement::fail(message, expected);
                Ok(hint.iter().fold(failure, Judgement::fix))
            }
            Reach::Lost { message, .. } => Err(Unmeasured::unreached(&scene.hosts[host].name, message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Cause, Verdict};

    #[test]
    fn an_agent_that_is_not_root_fails() {
        let mut trial = Trial::new();
        assert_eq!(trial.verdict("acc.sudo", "web1"), Verdict::Pass);
        trial.root = false;
        let finding = trial.finding("acc.sudo", "web1");
        assert!(finding.stops() && finding.observed.contains("deploy"), "{finding:?}");
    }

    #[test]
    fn why_root_was_refused_is_said_and_an_unreached_host_is_unmeasured() {
        let mut trial = Trial::new();
        trial.lost.insert("web1".to_owned(), (Cause::Sudo, "sudo asks for a password".to_owned()));
        trial.lost.insert("db1".to_owned(), (Cause::Network, "db1: no route".to_owned()));
        let refused = trial.finding("acc.sudo", "web1");
        assert!(refused.stops() && refused.observed == "sudo asks for a password" && !refused.unmeasured);
        let unreached = trial.finding("acc.sudo", "db1");
        assert!(unreached.stops() && unreached.unmeasured, "{unreached:?}");
        assert_eq!(unreached.observed, "could not be measured: db1 could not be reached: no route");
    }
}
