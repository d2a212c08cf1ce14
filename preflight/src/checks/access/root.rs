//! `acc.root`: nobody logs in as root.

use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, Question, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::sshd_settings::SshdSettings;

/// Nobody logs in as root.
pub struct Root;

static ABOUT: About = About {
    id: "acc.root",
    title: "Nobody logs in as root",
    measures: "`permitrootlogin` of `sshd -T`, without what `Match` blocks change, and the state of root's password by `passwd -S root`.",
    why: "What root did through a login of its own nobody can tell apart; and every host on the internet is asked for root's \
          password all day.",
    thresholds: &[],
    fix: "once the deploy user works: `PermitRootLogin no` in /etc/ssh/sshd_config.d, `systemctl reload ssh`, and `passwd -l root`",
    source: "installation guide, step 2, clean up; the predecessor's role ssh",
    vantage: Vantage::Host,
    applies: "every host; before the first installation a warning, because the first contact may need root. Not asked of demo, whose \
              hosts let root in with a key",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Root {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Subject::Host(host) = subject else { return Ask::skip("it is asked of hosts") };
        if scene.size() == Size::Demo {
            return Ask::skip("size demo: root's key is how a rehearsal host is first reached");
        }
        let on = |argv: &[&str]| Question::On { host: scene.hosts[host].name.clone(), probe: command(argv) };
        Ask::Measure(vec![on(&["/usr/sbin/sshd", "-T"]), on(&["passwd", "-S", "root"])])
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let installed = matches!(subject, Subject::Host(host) if scene.hosts[host].installed);
        let settings =
            SshdSettings::parse(answers.stdout(0)?).ok_or_else(|| Unmeasured::new("`sshd -T` printed no settings"))?;
        let permitted = settings.get("permitrootlogin");
        let permitted = permitted.ok_or_else(|| Unmeasured::new("`sshd -T` names no permitrootlogin"))?;
        let state = answers.stdout(1)?.split_whitespace().nth(1).unwrap_or_default();
        let observed = format!("permitrootlogin {permitted}, root's password is {}", password(state)?);
        let expected = "permitrootlogin no, a locked password";
        Ok(match (permitted, state) {
            (_, "NP") => Judgement::fail(observed, expected).fix("root has an empty password: `passwd -l root`, now"),
            ("no", "L" | "LK") => Judgement::pass(observed, expected),
            ("yes", _) if installed => Judgement::fail(observed, expected),
            ("no" | "yes" | "prohibit-password" | "without-password" | "forced-commands-only", _) => {
                Judgement::warn(observed, expected)
            }
            _ => return Err(Unmeasured::new(format!("`permitrootlogin {permitted}` is not known"))),
        })
    }
}

/// What the second word of `passwd -S` means.
fn password(state: &str) -> Result<&'static str, Unmeasured> {
    match state {
        "L" | "LK" => Ok("locked"),
        "P" | "PS" => Ok("set"),
        "NP" => Ok("empty"),
        _ => Err(Unmeasured::new("`passwd -S root` printed something that is not known")),
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    const SETTINGS: &str = include_str!("../../../tests/fixtures/sshd_settings/debian-12.txt");
    const LOCKED: &str = "root L 2026-11-22 0 99999 7 -1\n";

    fn verdict(installed: bool, permitted: &str, passwd: &str) -> (Verdict, bool) {
        let mut trial = Trial::new();
        (trial.installed, trial.phase) = (installed, Phase::GoLive);
        let settings = SETTINGS.replace("permitrootlogin without-password", &format!("permitrootlogin {permitted}"));
        trial.command("web1", &["/usr/sbin/sshd", "-T"], 0, &settings, "");
        trial.command("web1", &["passwd", "-S", "root"], 0, passwd, "");
        let finding = trial.finding("acc.root", "web1");
        (finding.verdict, finding.unmeasured)
    }

    #[test]
    fn root_is_shut_out_after_the_installation() {
        assert_eq!(verdict(true, "no", LOCKED), (Verdict::Pass, false));
        assert_eq!(verdict(true, "yes", LOCKED), (Verdict::Fail, false));
        assert_eq!(verdict(false, "yes", LOCKED), (Verdict::Warn, false));
        assert_eq!(verdict(true, "prohibit-password", LOCKED), (Verdict::Warn, false));
        assert_eq!(verdict(true, "no", "root P 2026-11-22 0 99999 7 -1\n"), (Verdict::Warn, false));
        assert_eq!(verdict(false, "no", "root NP 2026-11-22 0 99999 7 -1\n"), (Verdict::Fail, false));
    }

    #[test]
    fn what_is_not_understood_is_no_pass() {
        assert_eq!(verdict(true, "perhaps", LOCKED), (Verdict::Fail, true));
        for passwd in ["", "root", "root X", "passwd: permission denied"] {
            assert_eq!(verdict(true, "no", passwd), (Verdict::Fail, true), "{passwd}");
        }
    }
}
