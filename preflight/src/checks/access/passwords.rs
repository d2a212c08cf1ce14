//! `acc.pw`: logins need a key.

use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, Question, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::sshd_settings::SshdSettings;

/// Logins need a key.
pub struct Passwords;

static ABOUT: About = About {
    id: "acc.pw",
    title: "Nobody logs in with a password",
    measures: "`passwordauthentication` and `kbdinteractiveauthentication` of `sshd -T`, without what `Match` blocks change.",
    why: "A password can be guessed, shared and phished; a key cannot be guessed.",
    thresholds: &[],
    fix: "`PasswordAuthentication no` and `KbdInteractiveAuthentication no` in /etc/ssh/sshd_config.d, then `systemctl reload ssh`; \
          keep a second session open while you try",
    source: "security guide, host 1",
    vantage: Vantage::Host,
    applies: "every host; a warning until something has been installed. Not asked of demo, whose hosts nobody else reaches",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Passwords {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Subject::Host(host) = subject else { return Ask::skip("it is asked of hosts") };
        if scene.size() == Size::Demo {
            return Ask::skip("size demo: rehearsal hosts are reached from this machine alone");
        }
        let (host, probe) = (scene.hosts[host].name.clone(), command(&["/usr/sbin/sshd", "-T"]));
        Ask::Measure(vec![Question::On { host, probe }])
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let installed = matches!(subject, Subject::Host(host) if scene.hosts[host].installed);
        let settings =
            SshdSettings::parse(answers.stdout(0)?).ok_or_else(|| Unmeasured::new("`sshd -T` printed no settings"))?;
        let value = |name: &str| {
            let value = settings.get(name).filter(|value| ["yes", "no"].contains(value));
            value.ok_or_else(|| Unmeasured::new(format!("`sshd -T` does not say whether {name} is on")))
        };
        // OpenSSH before 8.7 called the second by its old name.
        let interactive =
            value("kbdinteractiveauthentication").or_else(|_| value("challengeresponseauthentication"))?;
        let password = value("passwordauthentication")?;
        let observed = format!("passwordauthentication {password}, kbdinteractiveauthentication {interactive}");
        let expected = "both no";
        Ok(match (password, interactive, installed) {
            ("no", "no", _) => Judgement::pass(observed, expected),
            (_, _, true) => Judgement::fail(observed, expected),
            _ => Judgement::warn(observed, expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    const SETTINGS: &str = include_str!("../../../tests/fixtures/sshd_settings/debian-12.txt");

    fn verdict(installed: bool, settings: &str) -> (Verdict, bool) {
        let mut trial = Trial::new();
        (trial.installed, trial.phase) = (installed, Phase::GoLive);
        trial.command("web1", &["/usr/sbin/sshd", "-T"], 0, settings, "");
        let finding = trial.finding("acc.pw", "web1");
        (finding.verdict, finding.unmeasured)
    }

    #[test]
    fn a_password_is_a_failure_once_something_is_installed() {
        let closed = SETTINGS.replace("\npasswordauthentication yes", "\npasswordauthentication no");
        let interactive = closed.replace("kbdinteractiveauthentication no", "kbdinteractiveauthentication yes");
        assert_eq!(verdict(true, &closed), (Verdict::Pass, false));
        assert_eq!(verdict(false, &closed), (Verdict::Pass, false));
        assert_eq!(verdict(true, SETTINGS), (Verdict::Fail, false));
        assert_eq!(verdict(true, &interactive), (Verdict::Fail, false));
        assert_eq!(verdict(false, SETTINGS), (Verdict::Warn, false));
    }

    #[test]
    fn what_is_not_understood_is_no_pass() {
        for text in ["", "sshd: no hostkeys available", "passwordauthentication no\n", "passwordauthentication maybe\n"]
        {
            assert_eq!(verdict(true, text), (Verdict::Fail, true), "{text}");
        }
    }
}
