//! `os.release`: a system that the environment accepts.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::os_release::OsRelease;

/// The systems that the resource types and shipped roles are tried on. The predecessor accepts Ubuntu 22.04 alone, because some of
/// its tasks run only there (`ansible_distribution_version == '22.04'`); nothing here depends on one release, so that
/// an environment's policy says which of these it accepts.
const SUPPORTED: [&str; 3] = ["ubuntu-22.04", "ubuntu-24.04", "debian-12"];

/// A system that the environment accepts.
pub struct Release;

static ABOUT: About = About {
    id: "os.release",
    title: "The operating system is one that the environment accepts",
    measures: "ID and VERSION_ID of /etc/os-release, against `policy.os` of the environment.",
    why: "Packages, paths and service names differ between releases: on another one an installation stops in the middle. An \
          upgrade of a running system to the next release is not supported; a host is installed anew.",
    thresholds: &[],
    fix: "install the host anew with an accepted release, or add its release to `policy.os` of the environment if it is supported",
    source: "installation guide, prerequisites 6",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Release {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) => Ask::of(host, [file("/etc/os-release")]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let text = answers.file(0)?.ok_or_else(|| Unmeasured::new("there is no /etc/os-release"))?;
        let release =
            OsRelease::parse(text).ok_or_else(|| Unmeasured::new("/etc/os-release names no ID and VERSION_ID"))?;
        let policy: Vec<&str> = scene.spec.environment.policy.os.iter().map(|os| os.value.as_str()).collect();
        let accepted = if policy.is_empty() { SUPPORTED.to_vec() } else { policy };
        let (name, expected) = (release.name(), accepted.join(", "));
        Ok(if accepted.contains(&name.as_str()) {
            Judgement::pass(name, expected)
        } else {
            Judgement::fail(name, expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    #[test]
    fn another_release_fails_and_says_what_is_accepted() {
        let mut trial = Trial::new();
        trial.file("web1", "/etc/os-release", "ID=ubuntu\nVERSION_ID=\"20.04\"\n");
        trial.file("db1", "/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        let finding = trial.finding("os.release", "web1");
        assert_eq!((finding.verdict, finding.observed.as_str()), (Verdict::Fail, "ubuntu-20.04"));
        assert!(finding.expected.contains("ubuntu-22.04") && finding.stops());
        assert_eq!(trial.verdict("os.release", "db1"), Verdict::Pass);
    }

    #[test]
    fn what_cannot_be_read_is_no_pass() {
        let mut trial = Trial::new();
        trial.file("web1", "/etc/os-release", "garbage");
        for host in ["web1", "db1"] {
            let finding = trial.finding("os.release", host);
            assert!(finding.verdict == Verdict::Fail && finding.unmeasured, "{finding:?}");
        }
    }
}
