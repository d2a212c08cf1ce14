//! `os.antivirus`: no scanner sits between the databases and their files.

use crate::about::{About, Keeps, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, folder};
use crate::scene::Scene;
use crate::subject::Subject;

/// No scanner sits between the databases and their files.
pub struct Antivirus;

static ABOUT: About = About {
    id: "os.antivirus",
    title: "No virus scanner sits between the databases and their files",
    measures: "/etc/init.d for McAfee's nails, cma and ma, and /usr/lib/systemd/system for the units of other scanners on access.",
    why: "A scanner on access reads every file that a database writes: it slows it down many times, locks files, and moves \
          those that it takes for a virus.",
    thresholds: &[],
    fix: "let the owner of the hosts decide: exclude the data folders from scans on access, or disable the scanner",
    // The predecessor disables McAfee without asking; whose host it is decides here.
    source: "the predecessor's role common; transition guide, appendix 1, row 12; units of other scanners are proposed",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

/// Scripts and units of scanners on access, with whose they are.
const SCANNERS: [(&str, &str); 9] = [
    ("nails", "McAfee"),
    ("cma", "McAfee"),
    ("ma", "McAfee"),
    ("mdatp.service", "Microsoft Defender"),
    ("falcon-sensor.service", "CrowdStrike Falcon"),
    ("sophos-spl.service", "Sophos"),
    ("ds_agent.service", "Trend Micro Deep Security"),
    ("sentinelone.service", "SentinelOne"),
    ("clamav-clamonacc.service", "ClamAV on access"),
];

impl Check for Antivirus {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) => Ask::of(host, ["/etc/init.d", "/usr/lib/systemd/system", "/etc/systemd/system"].map(folder)),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, _scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let units = answers.names(1)?.unwrap_or_default();
        // A folder of units without those of systemd itself is not the one that was asked for.
        if !units.iter().any(|unit| unit == "basic.target") {
            return Err(Unmeasured::new("/usr/lib/systemd/system holds no units of systemd"));
        }
        let names = [answers.names(0)?.unwrap_or_default(), units, answers.names(2)?.unwrap_or_default()];
        let here = |script: &str| names.iter().any(|names| names.iter().any(|name| name == script));
        let found = SCANNERS.iter().filter(|(script, _)| here(script));
        let found: Vec<String> = found.map(|(script, whose)| format!("{script} ({whose})")).collect();
        let expected = "none, or with the data folders excluded";
        Ok(if found.is_empty() {
            Judgement::pass("none that is known", expected)
        } else {
            Judgement::warn(found.join(", "), expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use crate::trial::Trial;
    use crate::{Verdict, folder};

    #[test]
    fn a_scanner_warns() {
        for (script, unit, verdict) in [
            ("ssh", "ssh.service", Verdict::Pass),
            ("nails", "ssh.service", Verdict::Warn),
            ("ssh", "mdatp.service", Verdict::Warn),
        ] {
            let names =
                |names: &[&str]| Outcome::Names { names: names.iter().map(|name| (*name).to_owned()).collect() };
            let mut trial = Trial::new();
            trial
                .answer("web1", folder("/etc/init.d"), names(&[script]))
                .answer("web1", folder("/usr/lib/systemd/system"), names(&["basic.target", unit]))
                .answer("web1", folder("/etc/systemd/system"), Outcome::Absent);
            assert_eq!(trial.verdict("os.antivirus", "web1"), verdict, "{script} {unit}");
        }
    }
}
