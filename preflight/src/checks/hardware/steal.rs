//! `hw.steal`: the hypervisor gives the processors that it promises.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::cpu_times::{CPU_TIMES, steal_percent};
use cc_agent::probe::Probe;

/// The hypervisor gives the processors that it promises.
pub struct Steal;

static WARN: Threshold = Threshold {
    id: "hw.steal.warn",
    doc: "a larger share of stolen time warns",
    unit: Unit::Percent,
    values: Values::Same(2.0),
    basis: Basis::Proposed("an idle hypervisor steals nothing; this much is felt as a slow minute in the hour"),
};
static FAIL: Threshold = Threshold {
    id: "hw.steal.fail",
    doc: "a larger share of stolen time fails",
    unit: Unit::Percent,
    values: Values::Same(10.0),
    basis: Basis::Proposed("a tenth of what is paid for is not there, in the middle of every request"),
};

static ABOUT: About = About {
    id: "hw.steal",
    title: "The hypervisor gives the processors that it promises",
    measures: "The steal time of /proc/stat over 30 seconds: how long processors were ready to run and the hypervisor ran somebody else.",
    why: "On an overbooked hypervisor everything is slow at times, and nothing on the host explains it.",
    thresholds: &[&WARN, &FAIL],
    fix: "use an instance with dedicated processors, or move the virtual machine to a hypervisor with room",
    source: "proposed here: transition guide 2.2 asks for dedicated resources without a figure",
    vantage: Vantage::Host,
    applies: "virtual machines of every size; on machines without a hypervisor there is nothing to steal, and `demo` skips containers",
    blocks: &[Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: Some("reads /proc/stat twice, 30 s apart, and changes nothing"),
    proof: Proof::Parser,
};

impl Check for Steal {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        match host.virtualization() {
            Some("metal") => Ask::skip("there is no hypervisor below this host"),
            Some("container") if scene.size() == cc_plan::spec::environment::Size::Demo => {
                Ask::skip("a container of a rehearsal (size demo) shares its machine's processors")
            }
            _ => Ask::of(host, [Probe::Command { argv: CPU_TIMES.map(str::to_owned).to_vec(), seconds: 45 }]),
        }
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let share = steal_percent(answers.stdout(0)?).ok_or_else(|| Unmeasured::new("/proc/stat is not understood"))?;
        let observed = format!("{share:.1}% over 30 s");
        let at_most = |threshold| format!("less than {}", scene.limit_text(threshold));
        Ok(if share >= scene.limit(&FAIL) {
            Judgement::fail(observed, at_most(&FAIL))
        } else if share >= scene.limit(&WARN) {
            Judgement::warn(observed, at_most(&WARN))
        } else {
            Judgement::pass(observed, at_most(&WARN))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::tool::cpu_times::CPU_TIMES;
    use crate::trial::Trial;
    use crate::{Phase, Verdict};

    #[test]
    fn stolen_time_is_found_when_it_is_asked_for() {
        assert_eq!(Trial::new().verdict("hw.steal", "web1"), Verdict::Skip, "not without --deep");
        let mut trial = Trial::new();
        (trial.deep, trial.phase) = (true, Phase::GoLive);
        let mut verdict = |stolen: u64| {
            let text = format!("cpu  0 0 0 0 0 0 0 0 0 0\ncpu  0 0 0 {} 0 0 0 {stolen} 0 0\n", 1000 - stolen);
            trial.command("web1", &CPU_TIMES, 0, &text, "");
            trial.verdict("hw.steal", "web1")
        };
        assert_eq!(
            (verdict(0), verdict(19), verdict(20), verdict(100)),
            (Verdict::Pass, Verdict::Pass, Verdict::Warn, Verdict::Fail)
        );
        trial.command("web1", &CPU_TIMES, 0, "cpu", "");
        assert!(trial.finding("hw.steal", "web1").unmeasured);
    }
}
