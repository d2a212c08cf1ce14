//! `os.pro`: a subscription gives updates for all packages.

use cc_plan::spec::environment::Size;
use jiff::Timestamp;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::pro::{self, Pro};

/// A subscription gives updates for all packages.
pub struct Subscription;

static ABOUT: About = About {
    id: "os.pro",
    title: "Ubuntu Pro is attached, and has not expired",
    measures: "`pro status --format json`: whether the host is attached, until when, and whether esm-infra and esm-apps are enabled. \
               Account and contract are masked in what is kept.",
    why: "Without it most packages outside of Ubuntu's main archive get no security updates, and livepatch is not to be had.",
    thresholds: &[],
    fix: "attach the host with a token of the subscription (`pro attach TOKEN`), and `pro enable esm-infra esm-apps`",
    source: "transition guide 3.1; security checklist, Host 4",
    vantage: Vantage::Host,
    applies: "Ubuntu hosts of every size but demo: a rehearsal needs no subscription",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Subscription {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(_) if scene.size() == Size::Demo => Ask::skip("a rehearsal (demo) needs no subscription"),
            Ok(host) if !host.is_ubuntu() => Ask::skip("not an Ubuntu host: there is no Ubuntu Pro for it"),
            Ok(host) => Ask::of(host, [pro::status()]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let expected = "attached, esm-infra and esm-apps enabled, not expired";
        let Some(text) = answers.installed(0)? else {
            return Ok(Judgement::warn("the client is not installed (package ubuntu-pro-client)", expected));
        };
        let pro = Pro::parse(text).ok_or_else(|| Unmeasured::new("what `pro status` says is not understood"))?;
        if !pro.attached {
            return Ok(Judgement::warn("not attached", expected));
        }
        let until = pro.expires.as_deref().map(|expires| {
            let time = expires.parse::<Timestamp>();
            time.map_err(|_| {
                Unmeasured::new(format!("`pro status` says that it expires at `{expires}`, which is no time"))
            })
        });
        let Some(until) = until.transpose()? else {
            return Err(Unmeasured::new("`pro status` does not say until when the subscription lasts"));
        };
        let day = until.strftime("%Y-%m-%d");
        if until <= scene.now {
            return Ok(Judgement::fail(format!("attached, but expired on {day}"), expected)
                .fix("renew the subscription, then `pro refresh`"));
        }
        let off: Vec<&str> = ["esm-infra", "esm-apps"].into_iter().filter(|service| !pro.enabled(service)).collect();
        Ok(match (off.as_slice(), pro.execution.as_deref()) {
            ([], Some("reboot-required")) => {
                Judgement::warn(format!("attached until {day}, and waits for a reboot"), expected)
                    .fix("reboot the host")
            }
            ([], _) => Judgement::pass(format!("attached until {day}, esm-infra and esm-apps enabled"), expected),
            (off, _) => {
                Judgement::warn(format!("attached until {day}, but {} not enabled", off.join(" and ")), expected)
                    .fix(format!("`pro enable {}`", off.join(" ")))
            }
        })
    }

    fn mask(&self, evidence: &str) -> String {
        pro::mask(evidence)
    }
}

#[cfg(test)]
mod tests {
    use crate::trial::Trial;
    use crate::{Finding, Phase, Verdict};

    const ATTACHED: &str = include_str!("../../../tests/fixtures/pro/attached.json");

    fn finding(said: &str) -> Finding {
        let mut trial = Trial::new();
        trial.phase = Phase::GoLive;
        trial.system("web1", "ubuntu-22.04", "vm");
        trial.command("web1", &["pro", "status", "--format", "json"], 0, said, "");
        trial.finding("os.pro", "web1")
    }

    #[test]
    fn attached_is_good_unattached_warns_expired_fails() {
        assert_eq!(finding(ATTACHED).verdict, Verdict::Pass);
        assert_eq!(finding(include_str!("../../../tests/fixtures/pro/unattached.json")).verdict, Verdict::Warn);
        assert_eq!(finding(include_str!("../../../tests/fixtures/pro/expired.json")).verdict, Verdict::Fail);
        let without = ATTACHED.replacen("\"status\": \"enabled\"", "\"status\": \"disabled\"", 1);
        assert_eq!(finding(&without).observed, "attached until 2027-01-31, but esm-apps not enabled");
        for said in ["{}", "", "{\"attached\": true}", "Erreur"] {
            assert!(finding(said).unmeasured, "{said}");
        }
    }

    #[test]
    fn no_account_and_no_contract_is_kept() {
        let kept = finding(ATTACHED).evidence.text;
        assert!(!kept.contains("cContract") && !kept.contains("cAccount") && kept.contains("esm-infra"), "{kept}");
    }

    #[test]
    fn debian_is_not_asked() {
        assert_eq!(Trial::new().verdict("os.pro", "web1"), Verdict::Skip);
    }
}
