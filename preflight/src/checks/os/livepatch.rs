//! `os.livepatch`: the running kernel is patched.

use cc_agent::probe::Outcome;
use cc_plan::spec::environment::Size;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::mask::mask_values;
use crate::question::{Ask, command, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::livepatch::{Livepatch as Status, State};

/// The running kernel is patched.
pub struct Livepatch;

static LAST_CHECK: Threshold = Threshold {
    id: "os.livepatch.last_check",
    doc: "A client that has not asked its server for this long warns",
    unit: Unit::Duration,
    values: Values::Same(48.0 * 3600.0),
    basis: Basis::Proposed("the client asks every hour; two days are more than an outage of the network"),
};

static NEW_KERNEL: Threshold = Threshold {
    id: "os.livepatch.new_kernel",
    doc: "A kernel that gets patches for less than this warns",
    unit: Unit::Duration,
    values: Values::Same(30.0 * 86400.0),
    basis: Basis::Proposed(
        "a reboot into the next kernel needs a maintenance window, which most sites have once a month",
    ),
};

static ABOUT: About = About {
    id: "os.livepatch",
    title: "Livepatch covers the running kernel",
    measures: "`canonical-livepatch status` (as JSON, and as text where the client knows no JSON): whether patches are applied, whether \
               the running kernel (/proc/version_signature) is covered and until when, and when the client last asked. The output of \
               `canonical-livepatch status --verbose` is kept as evidence, without the machine's id.",
    why: "Holes in the kernel are closed at once only where livepatch works; everywhere else they stay open until the next reboot.",
    thresholds: &[&LAST_CHECK, &NEW_KERNEL],
    fix: "`pro enable livepatch`; where the kernel is not covered, install one that is (`apt-get install linux-generic`) and reboot",
    source: "transition guide 3.1, question 8",
    vantage: Vantage::Host,
    applies: "Ubuntu hosts of every size but demo; containers have the kernel of their machine",
    blocks: &[Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

/// Where its snap puts it; a session over SSH may not have /snap/bin in its path.
const CLIENT: &str = "/snap/bin/canonical-livepatch";

impl Check for Livepatch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(_) if scene.size() == Size::Demo => Ask::skip("a rehearsal (demo) needs no livepatch"),
            Ok(host) if !host.is_ubuntu() => Ask::skip("not an Ubuntu host: there is no Canonical Livepatch for it"),
            Ok(host) => Ask::of(
                host,
                [
                    // The call that Ubuntu's own client makes.
                    command(&[CLIENT, "status", "--verbose", "--format", "json"]),
                    command(&[CLIENT, "status"]),
                    // Not judged: what the guide asks to hand over.
                    command(&[CLIENT, "status", "--verbose"]),
                    file("/proc/version_signature"),
                    // Another service that does the same.
                    command(&["kcarectl", "--info"]),
                ],
            ),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let expected = "patches applied, the running kernel is covered";
        if matches!(answers.outcome(0), Outcome::Absent) {
            let other = answers.ended(4).is_ok_and(|(status, ..)| status == 0);
            return Ok(Judgement::attest(if other {
                "canonical-livepatch is not installed, but KernelCare is: say what covers this kernel"
            } else {
                "canonical-livepatch is not installed: say what covers this kernel, or how soon hosts are rebooted after an update of it"
            }));
        }
        let (json, text) = (answers.ended(0), answers.ended(1));
        let said = [&json, &text].into_iter().flatten();
        if said
            .clone()
            .any(|(_, stdout, stderr)| [stdout, stderr].iter().any(|said| said.contains("Machine is not enabled")))
        {
            return Ok(Judgement::fail("installed, but not enabled", expected));
        }
        let mut status =
            said.filter(|(status, ..)| *status == 0).filter_map(|(_, stdout, _)| Status::parse(stdout, scene.now));
        let Some(status) = status.next() else {
            // How it failed tells more than that it did; an answer that came is one that is not understood.
            answers.stdout(0)?;
            return Err(Unmeasured::new("what `canonical-livepatch status` says is not understood"));
        };
        let mut judgements = states(&status)?;
        judgements.push(kernel(&status, answers.file(3)?));
        judgements.push(last_check(scene, &status));
        judgements.extend(new_kernel(scene, &status));
        let parts: Vec<String> =
            judgements.iter().filter(|one| !one.observed.is_empty()).map(|one| one.observed.clone()).collect();
        let worst = Judgement::worst(judgements).ok_or_else(|| Unmeasured::new("it says nothing"))?;
        Ok(Judgement { observed: parts.join("; "), expected: expected.to_owned(), ..worst })
    }

    fn mask(&self, evidence: &str) -> String {
        mask_values(evidence, &["machine-id", "machineid", "machine-token"])
    }
}

/// The three states that the client tells; a word that is not known is no verdict unless another state is bad anyway.
fn states(status: &Status) -> Result<Vec<Judgement>, Unmeasured> {
    let all = [("patches", &status.patches), ("kernel", &status.kernel_support), ("server", &status.checked)];
    let bad = all.iter().any(|(_, state)| matches!(state, State::Bad(_)));
    let judged = all.into_iter().map(|(what, state)| match state {
        State::Good(word) => Ok(Judgement::pass(format!("{what}: {word}"), "")),
        State::Unsure(word) => Ok(Judgement::warn(format!("{what}: {word}"), "")),
        State::Bad(word) => Ok(Judgement::fail(format!("{what}: {word}"), "")),
        State::Untold => Ok(Judgement::warn(format!("{what}: not told"), "")),
        State::Unknown(word) if bad => Ok(Judgement::warn(format!("{what}: {word}"), "")),
        State::Unknown(word) => {
            Err(Unmeasured::new(format!("livepatch says `{word}` of {what}, which is not known here")))
        }
    });
    judged.collect()
}

/// `Ubuntu 5.15.0-100.110-generic 5.15.143`: the second word is the kernel as livepatch names it.
fn kernel(status: &Status, signature: Option<&str>) -> Judgement {
    let running = signature.and_then(|text| text.split_whitespace().nth(1));
    match (status.kernel.as_deref(), running) {
        (Some(told), Some(running)) if told == running => Judgement::pass(running, ""),
        (Some(told), Some(running)) => Judgement::warn(format!("told of kernel {told}, while {running} runs"), ""),
        (told, _) => Judgement::warn(
            format!("kernel {}, which could not be compared with the running one", told.unwrap_or("not told")),
            "",
        ),
    }
}

fn last_check(scene: &Scene<'_>, status: &Status) -> Judgement {
    let Some(time) = status.last_check else { return Judgement::warn("when it last asked is not told", "") };
    let age = scene.now.duration_since(time).as_secs_f64();
    if age < scene.limit(&LAST_CHECK) {
        Judgement::pass("", "")
    } else {
        Judgement::warn(format!("last asked {}", time.strftime("%Y-%m-%d %H:%MZ")), "")
    }
}

fn new_kernel(scene: &Scene<'_>, status: &Status) -> Option<Judgement> {
    let written = status.upgrade_required.as_deref().filter(|date| !date.is_empty())?;
    let Some(date) = written.get(..10).and_then(|date| date.parse::<Date>().ok()) else {
        return Some(Judgement::warn(format!("a new kernel is needed by `{written}`, which is no date"), ""));
    };
    // Clients write year 1 where there is no such day.
    let days = (date - scene.now.to_zoned(TimeZone::UTC).date()).get_days();
    let soon = date.year() > 1 && f64::from(days) * 86400.0 < scene.limit(&NEW_KERNEL);
    soon.then(|| Judgement::warn(format!("a new kernel is needed by {date}"), ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;
    use crate::{Finding, Verdict};

    const APPLIED: &str = include_str!("../../../tests/fixtures/livepatch/applied.json");
    const OLD: &str = include_str!("../../../tests/fixtures/livepatch/old_client.json");
    const TEXT: &str = include_str!("../../../tests/fixtures/livepatch/applied.txt");
    const OLD_VERBOSE: &str = include_str!("../../../tests/fixtures/livepatch/old_verbose.txt");
    const JSON: [&str; 5] = [CLIENT, "status", "--verbose", "--format", "json"];

    fn trial() -> Trial {
        let mut trial = Trial::new();
        trial.phase = Phase::GoLive;
        trial.system("web1", "ubuntu-22.04", "vm");
        trial.file("web1", "/proc/version_signature", "Ubuntu 5.15.0-100.110-generic 5.15.143\n");
        trial
    }

    fn finding(json: &str) -> Finding {
        let mut trial = trial();
        trial.command("web1", &JSON, 0, json, "");
        trial.finding("os.livepatch", "web1")
    }

    fn from_text(text: &str) -> Finding {
        let mut trial = trial();
        trial.command("web1", &JSON, 2, "", "flag provided but not defined: -format");
        trial.command("web1", &[CLIENT, "status"], 0, text, "");
        trial.finding("os.livepatch", "web1")
    }

    #[test]
    fn every_state_has_its_verdict() {
        assert_eq!(finding(APPLIED).verdict, Verdict::Pass);
        let state = |field: &str, from: &str, to: &str| {
            finding(&APPLIED.replace(&format!("\"{field}\":\"{from}\""), &format!("\"{field}\":\"{to}\"")))
        };
        for (word, verdict) in [
            ("nothing-to-apply", Verdict::Pass),
            ("unapplied", Verdict::Warn),
            ("needs-check", Verdict::Warn),
            ("unknown", Verdict::Warn),
            ("applied-with-bug", Verdict::Fail),
            ("apply-failed", Verdict::Fail),
            ("check-failed", Verdict::Fail),
            ("kernel-upgrade-required", Verdict::Fail),
        ] {
            assert_eq!(state("State", "applied", word).verdict, verdict, "{word}");
        }
        for (word, verdict) in [
            ("unknown", Verdict::Warn),
            ("kernel-upgrade-required", Verdict::Fail),
            ("kernel-end-of-life", Verdict::Fail),
            ("unsupported", Verdict::Fail),
        ] {
            assert_eq!(state("Supported", "supported", word).verdict, verdict, "{word}");
        }
        assert_eq!(state("CheckState", "checked", "needs-check").verdict, Verdict::Warn);
        assert_eq!(state("CheckState", "checked", "check-failed").verdict, Verdict::Fail);
        let unknown = state("State", "applied", "applied-maybe");
        assert!(unknown.unmeasured && unknown.observed.contains("applied-maybe"), "{unknown:?}");
    }

    #[test]
    fn another_kernel_an_old_check_or_a_near_end_warn() {
        for (from, to) in [
            ("5.15.0-100.110-generic", "5.15.0-99.109-generic"),
            ("2026-11-22T10", "2026-11-20T10"),
            ("\"Last-Check\":\"2026-11-22T10:12:13Z\",", ""),
            ("2027-03-07", "2026-12-07"),
        ] {
            let found = finding(&APPLIED.replace(from, to));
            assert!(found.verdict == Verdict::Warn && !found.unmeasured, "{to}: {found:?}");
        }
        assert_eq!(finding(&APPLIED.replace("2027-03-07", "0001-01-01T00:00:00Z")).verdict, Verdict::Pass);
        // Old clients do not say whether the kernel is covered.
        assert_eq!(finding(OLD).verdict, Verdict::Warn);
    }

    #[test]
    fn text_is_judged_by_its_marks() {
        assert_eq!(from_text(TEXT).verdict, Verdict::Pass);
        let kernel = "✓ kernel series 5.15 is covered by Livepatch";
        let patch = "✓ all applicable livepatch modules inserted";
        for (from, to, verdict) in [
            (kernel, "✓ kernel is supported by Canonical until 2027-06-01", Verdict::Pass),
            (kernel, "✗ kernel is not covered by Livepatch", Verdict::Fail),
            (kernel, "✗ coverage ended 2025-01-01", Verdict::Fail),
            (kernel, "✗ unable to determine kernel coverage", Verdict::Warn),
            (patch, "✓ no livepatches needed for this kernel yet", Verdict::Pass),
            (patch, "⧗ installed but not yet applied", Verdict::Warn),
            (patch, "✗ inserted but kernel bug detected", Verdict::Fail),
            (patch, "✗ patches no longer available for this kernel", Verdict::Fail),
            ("check-in: succeeded", "check-in: failed", Verdict::Fail),
        ] {
            let found = from_text(&TEXT.replace(from, to));
            assert!(found.verdict == verdict && !found.unmeasured, "{to}: {found:?}");
        }
        assert!(from_text(&TEXT.replace(patch, "! something else")).unmeasured);
        assert!(from_text(OLD_VERBOSE).unmeasured);
    }

    #[test]
    fn what_is_not_understood_is_no_pass() {
        for json in ["{}", r#"{"Status": []}"#, r#"{"Status": false}"#, "", "Erreur interne"] {
            assert!(finding(json).unmeasured, "{json}");
        }
    }

    #[test]
    fn a_client_that_is_absent_asks_a_person_one_that_is_not_enabled_fails() {
        let mut absent = trial();
        absent.whatever_limit("web1", &JSON, Outcome::Absent);
        assert_eq!(absent.verdict("os.livepatch", "web1"), Verdict::Attest);
        let mut off = trial();
        off.command("web1", &JSON, 1, "", "Machine is not enabled. Please run 'sudo canonical-livepatch enable' with the token obtained from https://ubuntu.com/livepatch.\n");
        let finding = off.finding("os.livepatch", "web1");
        assert!(
            finding.verdict == Verdict::Fail && !finding.unmeasured && finding.fix.contains("pro enable livepatch")
        );
        assert_eq!(off.verdict("os.livepatch", "db1"), Verdict::Skip);
    }

    #[test]
    fn the_console_output_is_kept_without_the_machine() {
        let mut trial = trial();
        trial.command("web1", &JSON, 0, APPLIED, "");
        trial.command("web1", &[CLIENT, "status", "--verbose"], 0, OLD_VERBOSE, "");
        let kept = trial.finding("os.livepatch", "web1").evidence.text;
        assert!(!kept.contains("9f6c7a0d") && kept.contains("    patchState: applied\n"), "{kept}");
    }
}
