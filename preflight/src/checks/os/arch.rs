//! `os.arch`: an architecture for which there are packages.

use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;

/// An architecture for which there are packages.
pub struct Arch;

static ABOUT: About = About {
    id: "os.arch",
    title: "The architecture is one for which there are packages",
    measures: "`dpkg --print-architecture`: what packages are installed for, which may differ from what the processor can do.",
    why: "The vendors' packages of databases and brokers are built for amd64 alone: on another architecture an installation \
          stops in the middle.",
    thresholds: &[],
    fix: "install the host anew with a 64-bit amd64 image",
    source: "installation guide, step 1: \"64-bit\"",
    vantage: Vantage::Host,
    applies: "every host; for demo arm64 is good too, because what a rehearsal installs comes from the distribution, which has both",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Quarter,
    deep: None,
    proof: Proof::Parser,
};

impl Check for Arch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        match scene.host(subject) {
            Ok(host) => Ask::of(host, [command(&["dpkg", "--print-architecture"])]),
            Err(_) => Ask::skip("it is asked of hosts"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let name = answers.stdout(0)?.trim();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(Unmeasured::new("`dpkg --print-architecture` names none"));
        }
        let accepted: &[&str] = if scene.size() == Size::Demo { &["amd64", "arm64"] } else { &["amd64"] };
        let expected = accepted.join(" or ");
        Ok(if accepted.contains(&name) { Judgement::pass(name, expected) } else { Judgement::fail(name, expected) })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    #[test]
    fn a_32_bit_system_fails() {
        let mut trial = Trial::new();
        for (said, verdict) in [("amd64\n", Verdict::Pass), ("i386\n", Verdict::Fail), ("arm64\n", Verdict::Fail)] {
            trial.command("web1", &["dpkg", "--print-architecture"], 0, said, "");
            assert_eq!(trial.verdict("os.arch", "web1"), verdict, "{said}");
        }
        trial.command("web1", &["dpkg", "--print-architecture"], 0, "\n", "");
        assert!(trial.finding("os.arch", "web1").unmeasured);
    }
}
