//! `os.reboot`: no reboot is pending.

use serde_json::Value;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command, file};
use crate::scene::Scene;
use crate::subject::Subject;

/// No reboot is pending.
pub struct Reboot;

static ABOUT: About = About {
    id: "os.reboot",
    title: "No reboot is pending",
    measures: "/run/reboot-required and the packages that /run/reboot-required.pkgs names; on Ubuntu also \
               `pro api u.pro.security.status.reboot_required.v1`, which knows whether livepatch makes up for it.",
    why: "Updates of the kernel and of libraries hold only after a reboot; done later it stops a site that people use, and encrypted \
          volumes have to be unlocked by hand.",
    thresholds: &[],
    fix: "reboot the host now, before volumes are encrypted and people depend on it",
    source: "transition guide 3.1",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[Phase::Install, Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Reboot {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let pro = command(&["pro", "api", "u.pro.security.status.reboot_required.v1"]);
        let files = ["/run/reboot-required", "/run/reboot-required.pkgs"].map(file);
        Ask::of(host, files.into_iter().chain(host.is_ubuntu().then_some(pro)))
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let (required, packages) = (answers.file(0)?.is_some(), answers.file(1)?.unwrap_or_default());
        let told = if scene.host(subject)?.is_ubuntu() { told(answers)? } else { None };
        let expected = "no reboot is pending";
        let mut packages: Vec<&str> = packages.split_whitespace().collect();
        packages.sort_unstable();
        packages.dedup();
        let named = if packages.is_empty() { String::new() } else { format!(" for {}", packages.join(", ")) };
        Ok(match (required, told) {
            (_, Some(Told::Livepatched)) => Judgement::warn(
                format!("a reboot is pending{named}; livepatch has mended the running kernel"),
                expected,
            ),
            (true, _) | (_, Some(Told::Yes)) => Judgement::fail(format!("a reboot is pending{named}"), expected),
            (false, _) => Judgement::pass("none is", expected),
        })
    }
}

/// What Ubuntu's client says.
enum Told {
    Yes,
    No,
    Livepatched,
}

/// None where the client is not there, or too old for the question: then the file alone tells.
fn told(answers: &Answered<'_>) -> Result<Option<Told>, Unmeasured> {
    let Ok((_, stdout, _)) = answers.ended(2) else { return Ok(None) };
    let Ok(said) = serde_json::from_str::<Value>(stdout) else { return Ok(None) };
    match said.pointer("/data/attributes/reboot_required").and_then(Value::as_str) {
        Some("yes") => Ok(Some(Told::Yes)),
        Some("no") => Ok(Some(Told::No)),
        Some("yes-kernel-livepatches-applied") => Ok(Some(Told::Livepatched)),
        Some(other) => Err(Unmeasured::new(format!(
            "`pro` says `{other}` to whether a reboot is required, which is not known here"
        ))),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use crate::trial::Trial;
    use crate::{Verdict, file};

    const PRO: [&str; 3] = ["pro", "api", "u.pro.security.status.reboot_required.v1"];

    fn trial(required: bool) -> Trial {
        let mut trial = Trial::new();
        trial.system("web1", "ubuntu-22.04", "vm");
        if required {
            trial.file("web1", "/run/reboot-required", "*** System restart required ***\n");
            trial.file("web1", "/run/reboot-required.pkgs", "linux-base\nlibc6\nlinux-base\n");
        } else {
            trial.answer("web1", file("/run/reboot-required"), Outcome::Absent);
            trial.answer("web1", file("/run/reboot-required.pkgs"), Outcome::Absent);
        }
        trial
    }

    #[test]
    fn a_pending_reboot_fails_unless_livepatch_makes_up_for_it() {
        let finding = trial(true).finding("os.reboot", "web1");
        assert_eq!(
            (finding.verdict, finding.observed.as_str()),
            (Verdict::Fail, "a reboot is pending for libc6, linux-base")
        );
        assert_eq!(trial(false).verdict("os.reboot", "web1"), Verdict::Pass);
        for (required, says, verdict) in [
            (true, "yes-kernel-livepatches-applied", Verdict::Warn),
            (false, "yes", Verdict::Fail),
            (true, "no", Verdict::Fail),
            (false, "no", Verdict::Pass),
            (false, "peut-être", Verdict::Fail),
        ] {
            let json = format!(r#"{{"data": {{"attributes": {{"reboot_required": "{says}"}}}}}}"#);
            let mut trial = trial(required);
            trial.command("web1", &PRO, 0, &json, "");
            assert_eq!(trial.verdict("os.reboot", "web1"), verdict, "{says}");
        }
    }

    #[test]
    fn an_old_client_that_does_not_know_the_question_leaves_the_file() {
        let mut trial = trial(false);
        trial.command("web1", &PRO, 1, "", "error: argument command: invalid choice: 'api'");
        assert_eq!(trial.verdict("os.reboot", "web1"), Verdict::Pass);
    }
}
