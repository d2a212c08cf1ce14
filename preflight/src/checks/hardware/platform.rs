//! `hw.virt`: hosts are virtual machines, or machines where that was chosen.

use cc_plan::spec::environment::Size;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command, file};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::threshold::{Basis, Threshold, Unit, Values};
use crate::tool::detect_virt::{DETECT_VIRT, Platform};

/// Hosts are virtual machines, or machines where that was chosen.
pub struct Virtualization;

static METAL: Threshold = Threshold {
    id: "hw.virt.metal",
    doc: "as many machines without a hypervisor warn",
    unit: Unit::Count,
    values: Values::Same(4.0),
    basis: Basis::Documented("prerequisites 5: more than three physical servers should be virtualised"),
};

static ABOUT: About = About {
    id: "hw.virt",
    title: "The host is of the kind that the environment wants",
    measures: "`systemd-detect-virt`, with the maker and product from /sys/class/dmi/id, against `policy.preflight.platform` of \
               the environment.",
    why: "In a container, kernel settings, clock, firewall and disks belong to somebody else, and CommCare HQ is not run in \
          production there. A cluster without virtualisation cannot be moved, grown or restored host by host.",
    thresholds: &[&METAL],
    fix: "use virtual machines; or set `policy.preflight.platform` to what the hosts are meant to be",
    source: "prerequisites 5, virtualization and Docker; transition guide 2.2 and 3.1",
    vantage: Vantage::Host,
    applies: "every host; `demo` skips containers, which are what a rehearsal runs in. The sizes small and large fail on machines \
              without a hypervisor unless `policy.preflight.platform: metal` chooses them",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Quarter,
    deep: None,
    proof: Proof::RealHost,
};

const DMI: [&str; 2] = ["/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name"];

impl Check for Virtualization {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        if scene.size() == Size::Demo && host.virtualization() == Some("container") {
            return Ask::skip("a container: that is what a rehearsal (size demo) runs in");
        }
        Ask::of(host, [command(&DETECT_VIRT), file(DMI[0]), file(DMI[1])])
    }

    fn judge(&self, scene: &Scene<'_>, _subject: Subject, answers: &Answered<'_>) -> Judged {
        let (status, stdout, _) = answers.ended(0)?;
        let platform = Platform::parse(status, stdout).ok_or_else(|| {
            Unmeasured::new(format!("`systemd-detect-virt` said `{}` with status {status}", stdout.trim()))
        })?;
        // Who made the machine helps a person; without firmware tables nobody knows.
        let maker: Vec<&str> =
            [1, 2].into_iter().filter_map(|index| answers.file(index).ok().flatten()).map(str::trim).collect();
        let maker = maker.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
        let kind = match &platform {
            Platform::Metal => "metal".to_owned(),
            Platform::Vm(kind) => format!("vm, {kind}"),
            Platform::Container(kind) => format!("container, {kind}"),
        };
        let observed = if maker.is_empty() { kind } else { format!("{kind} ({maker})") };
        Ok(judged(scene, &platform, observed))
    }
}

fn judged(scene: &Scene<'_>, platform: &Platform, observed: String) -> Judgement {
    let wanted = scene.policy.written.platform.as_ref().map(|platform| platform.value.as_str());
    match (wanted, platform, scene.size()) {
        (Some(wanted), platform, _) if wanted != platform.name() => {
            Judgement::fail(observed, format!("{wanted}, by policy.preflight.platform"))
        }
        (Some(wanted), _, _) => Judgement::pass(observed, wanted),
        (None, Platform::Vm(_), _) => Judgement::pass(observed, "vm"),
        (None, Platform::Container(_), _) => Judgement::fail(observed, "vm or metal"),
        (None, Platform::Metal, Size::Small | Size::Large) => Judgement::fail(observed, "vm, in a cluster"),
        (None, Platform::Metal, _) => {
            let metal = scene.hosts.iter().filter(|host| host.virtualization() == Some("metal")).count();
            #[expect(clippy::cast_precision_loss, reason = "a number of hosts")]
            if metal as f64 >= scene.limit(&METAL) {
                Judgement::warn(format!("{observed}, one of {metal} such hosts"), "vm, for so many hosts")
            } else {
                Judgement::pass(observed, "vm or metal")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::detect_virt::DETECT_VIRT;
    use crate::trial::Trial;

    const HOSTS: &str = "provider: static\nhosts:\n  a: {address: 10.0.0.1}\n  b: {address: 10.0.0.2}\n  c: {address: 10.0.0.3}\n  d: {address: 10.0.0.4}\n";

    fn trial(settings: &str, facts: &str, status: i32, word: &str) -> Trial {
        let environment =
            format!("environment: trial\n{settings}\nservices:\n  web: {{on: a}}\n  database: {{on: a}}\n");
        let mut trial = Trial::of(&environment, HOSTS);
        trial.facts.values_mut().for_each(|known| facts.clone_into(&mut known.virtualization));
        trial.command("a", &DETECT_VIRT, status, word, "");
        trial
    }

    #[test]
    fn containers_are_for_rehearsals_and_clusters_are_virtual() {
        for (settings, facts, status, word, expected) in [
            ("size: single", "vm", 0, "kvm\n", Verdict::Pass),
            ("size: demo", "container", 0, "docker\n", Verdict::Skip),
            ("size: single", "container", 0, "docker\n", Verdict::Fail),
            ("size: large", "metal", 1, "none\n", Verdict::Fail),
            ("size: single", "metal", 1, "none\n", Verdict::Warn),
            ("size: large\npolicy: {preflight: {platform: metal}}", "metal", 1, "none\n", Verdict::Pass),
            ("size: single\npolicy: {preflight: {platform: metal}}", "vm", 0, "vmware\n", Verdict::Fail),
        ] {
            assert_eq!(trial(settings, facts, status, word).verdict("hw.virt", "a"), expected, "{settings} {word}");
        }
    }

    #[test]
    fn few_machines_may_do_without_a_hypervisor() {
        let mut trial = trial("size: single", "metal", 1, "none\n");
        trial.facts.get_mut("d").into_iter().for_each(|facts| "vm".clone_into(&mut facts.virtualization));
        assert_eq!(trial.verdict("hw.virt", "a"), Verdict::Pass);
    }

    #[test]
    fn an_unknown_word_is_no_pass() {
        for (status, word) in [(0, ""), (0, "none"), (1, ""), (127, "kvm"), (0, "keine")] {
            assert!(trial("size: single", "vm", status, word).finding("hw.virt", "a").unmeasured, "{status} {word}");
        }
    }
}
