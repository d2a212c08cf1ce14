//! `disk.tmpexec`: programs may be started from /tmp where a service does so.

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::tool::findmnt::{FINDMNT, Mounts};

/// Programs may be started from /tmp where a service does so.
pub struct TmpExec;

static ABOUT: About = About {
    id: "disk.tmpexec",
    title: "/tmp allows programs where a service starts some from there",
    measures: "`findmnt`: whether /tmp is mounted with noexec; and whether the services of role elasticsearch say with \
               `jvm_tmp_dir` where to unpack their libraries instead.",
    why: "Elasticsearch unpacks a native library into /tmp and loads it: with noexec it does not start. Package scripts of apt \
          and builds of Python packages may fail for the same reason.",
    thresholds: &[],
    fix: "mount /tmp without noexec: `mount -o remount,exec /tmp`, and the same in /etc/fstab or the unit tmp.mount",
    source: "troubleshooting guide, Elasticsearch",
    vantage: Vantage::Host,
    applies: "every host of every size; fails only where a service needs it, else warns",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for TmpExec {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        Ask::of(host, [command(&FINDMNT)])
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let mounts = Mounts::parse(answers.stdout(0)?)
            .ok_or_else(|| Unmeasured::new("`findmnt` printed something else than a table of mounts"))?;
        let tmp = mounts.of("/tmp").ok_or_else(|| Unmeasured::new("`findmnt` does not say what /tmp is on"))?;
        let expected = "/tmp without noexec";
        if !tmp.has("noexec") {
            return Ok(Judgement::pass(format!("/tmp is on {} without noexec", tmp.target), expected));
        }
        let observed = format!("{} is mounted with noexec", tmp.target);
        Ok(match in_need(scene.host(subject)?).as_slice() {
            [] => Judgement::warn(observed, expected),
            services => {
                let observed = format!("{observed}, and {} loads a library from there", services.join(", "));
                let fix = format!("{}; or set `jvm_tmp_dir` of {}", ABOUT.fix, services.join(", "));
                Judgement::fail(observed, expected).fix(fix)
            }
        })
    }
}

/// Services that start something from /tmp, because nothing else is set.
fn in_need<'h>(host: &HostScene<'h>) -> Vec<&'h str> {
    let unset = host.services.iter().filter(|service| {
        let set = service.params.iter().any(|(name, _)| name.value == "jvm_tmp_dir");
        service.role.value == "elasticsearch" && !set
    });
    unset.map(|service| service.name.value.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::findmnt::FINDMNT;
    use crate::trial::Trial;

    const SERVER: &str = include_str!("../../../tests/fixtures/findmnt/data-volume.txt");
    const HOSTS: &str = "provider: static\nhosts:\n  es1: {address: 10.0.0.1}\n";

    #[test]
    fn noexec_fails_where_a_service_needs_it() {
        let verdict = |service: &str, text: &str| {
            let mut trial = Trial::of(&format!("environment: trial\nsize: single\nservices:\n  {service}\n"), HOSTS);
            trial.command("es1", &FINDMNT, 0, text, "");
            trial.verdict("disk.tmpexec", "es1")
        };
        assert_eq!(verdict("elasticsearch: {on: es1}", SERVER), Verdict::Fail);
        assert_eq!(verdict("elasticsearch: {on: es1, jvm_tmp_dir: /opt/tmp}", SERVER), Verdict::Warn);
        assert_eq!(verdict("web: {on: es1}\n  database: {on: es1}", SERVER), Verdict::Warn);
        assert_eq!(verdict("elasticsearch: {on: es1}", &SERVER.replace("nodev,noexec", "nodev")), Verdict::Pass);
        assert_eq!(verdict("elasticsearch: {on: es1}", "{}"), Verdict::Fail, "not measured");
    }
}
