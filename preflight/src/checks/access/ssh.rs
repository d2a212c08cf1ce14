//! `acc.ssh`: the way to the host.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::Ask;
use crate::scene::{Cause, Reach, Scene};
use crate::subject::Subject;

/// The way to the host.
pub struct Ssh;

static ABOUT: About = About {
    id: super::SSH,
    title: "The host lets us in, and it is the host that we know",
    measures: "The connection that preflight itself makes: address, port, jump hosts, host key, login, and the agent that then \
               answers. A host key that nobody knows yet is shown and asked about before; one that was not confirmed fails here.",
    why: "Nothing can be checked or changed on a host that cannot be reached. A changed host key is either a host that was \
          installed anew or somebody in between.",
    thresholds: &[],
    fix: "log in with `ssh -v` as the same user and follow what it says; then repeat",
    source: "installation guide, step 2; the predecessor's known hosts file",
    vantage: Vantage::Host,
    applies: "every host of every size, demo too",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration, Phase::Change],
    keeps: Keeps::Run,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Ssh {
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
        let expected = "a login with a known host key";
        let into = |user: &Option<String>| user.as_ref().map(|user| format!(" as {user}")).unwrap_or_default();
        Ok(match &scene.hosts[host].reach {
            Reach::Untried => Judgement::skip("no host was asked"),
            Reach::Connected { user, .. } => Judgement::pass(format!("logged in{}", into(user)), expected),
            // What follows the login is `acc.sudo`'s.
            Reach::Lost { cause: Cause::Sudo, .. } => Judgement::pass("logged in", expected),
            Reach::Lost { message, hint, .. } => {
                let failure = Judgement::fail(message, expected);
                hint.iter().fold(failure, Judgement::fix)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Cause, Phase, Verdict};

    #[test]
    fn a_host_that_is_not_reached_fails_in_every_phase_with_the_reason() {
        let mut trial = Trial::new();
        for (cause, message) in [
            (Cause::Network, "cannot connect to 10.0.0.1:22"),
            (Cause::HostKey, "the host key of web1 has changed"),
            (Cause::Login, "login as `deploy` was refused"),
            (Cause::Agent, "/var/lib/cc-cloud cannot be written"),
        ] {
            trial.lost.insert("web1".to_owned(), (cause, message.to_owned()));
            for phase in [Phase::Install, Phase::GoLive, Phase::Migration, Phase::Change] {
                trial.phase = phase;
                let finding = trial.finding("acc.ssh", "web1");
                assert!(finding.stops() && finding.observed == message && !finding.unmeasured, "{finding:?}");
            }
            assert_eq!(trial.verdict("acc.ssh", "db1"), Verdict::Pass);
        }
    }

    #[test]
    fn who_got_in_and_no_further_is_not_its_failure() {
        let mut trial = Trial::new();
        trial.lost.insert("web1".to_owned(), (Cause::Sudo, "sudo asks for a password".to_owned()));
        assert_eq!(trial.verdict("acc.ssh", "web1"), Verdict::Pass);
        assert_eq!(trial.verdict("acc.sudo", "web1"), Verdict::Fail);
    }

    #[test]
    fn files_alone_say_nothing_of_it() {
        let mut trial = Trial::new();
        trial.untried = true;
        assert_eq!(trial.verdict("acc.ssh", "web1"), Verdict::Skip);
        assert_eq!(trial.verdict("acc.sudo", "web1"), Verdict::Skip);
    }
}
