//! `os.sysctl`: the kernel has the parameters that the plan sets.

use cc_agent::resource::{Presence, Resource, Sysctl};
use cc_plan::counted;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement};
use crate::question::{Ask, file};
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;

/// The kernel has the parameters that the plan sets.
pub struct KernelParameters;

static ABOUT: About = About {
    id: "os.sysctl",
    title: "The kernel has the parameters that the plan sets",
    measures: "/proc/sys of every `sysctl` that the plan has for this host: whether the kernel has it, and after the installation \
               whether it still has the planned value.",
    why: "A step that sets a parameter which this kernel does not have stops a deployment in the middle; Elasticsearch and Redis refuse \
          to start, or lose data, with the values that systems come with.",
    thresholds: &[],
    fix: "deploy, so that the parameters are set; where they change again, look for another file in /etc/sysctl.d that sets them",
    // There, fixed figures for each role; here, whatever the roles of the plan set. Limits of open files are set by units and
    // templates of the roles, which the plan itself compares.
    source: "the predecessor's roles elasticsearch, redis, swap and common",
    vantage: Vantage::Host,
    applies: "every host that the plan sets kernel parameters on",
    blocks: &[Phase::Install, Phase::GoLive],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

/// The parameters that the plan sets on a host.
fn planned<'p>(host: &HostScene<'p>) -> Vec<&'p Sysctl> {
    let present = host.steps.iter().filter_map(|step| match &step.resource {
        Resource::Sysctl(sysctl) if sysctl.state == Presence::Present => Some(sysctl),
        _ => None,
    });
    present.collect()
}

impl Check for KernelParameters {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let planned = planned(host);
        if planned.is_empty() {
            return Ask::skip("the plan sets no kernel parameter on this host");
        }
        Ask::of(host, planned.into_iter().map(|sysctl| file(sysctl.path().to_string_lossy())))
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let (mut missing, mut different) = (Vec::new(), Vec::new());
        let planned = planned(host);
        for (index, Sysctl { name, value, .. }) in planned.iter().enumerate() {
            match answers.file(index)? {
                None => missing.push(format!("{name} is not in this kernel")),
                Some(now) if !now.split_whitespace().eq(value.split_whitespace()) => {
                    different.push(format!(
                        "{name} is {}, planned {value}",
                        now.split_whitespace().collect::<Vec<_>>().join(" ")
                    ));
                }
                Some(_) => {}
            }
        }
        let expected = format!("{} as planned", counted(planned.len(), "parameter"));
        Ok(if !missing.is_empty() {
            Judgement::fail(missing.join("; "), expected).fix(
                "run a kernel that has it (in a container: the machine's), or take it out of the role's parameters",
            )
        } else if different.is_empty() {
            Judgement::pass("all as planned", expected)
        } else if scene.phase == Phase::GoLive {
            Judgement::fail(different.join("; "), expected)
        } else {
            // The deployment that comes next sets them: before the first one that is as it should be told, no fault.
            Judgement::warn(format!("the deployment will set them: {}", different.join("; ")), expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use cc_agent::probe::Outcome;

    use super::*;
    use crate::Verdict;
    use crate::trial::Trial;

    fn trial(phase: Phase, now: Option<&str>) -> Trial {
        let role = "role: tuned\ndescription: t\nresources:\n  - sysctl: net.ipv4.ip_local_port_range\n    value: '1024 65000'\n";
        let environment = "environment: trial\nservices: {tuned: {on: db1}}\n";
        let mut trial =
            Trial::with_roles(environment, "provider: static\nhosts: {db1: {address: 10.0.0.2}}\n", &[("tuned", role)]);
        trial.phase = phase;
        let path = "/proc/sys/net/ipv4/ip_local_port_range";
        match now {
            Some(now) => trial.file("db1", path, now),
            None => trial.answer("db1", file(path), Outcome::Absent),
        };
        trial
    }

    #[test]
    fn what_the_kernel_lacks_fails_what_differs_fails_at_go_live() {
        for (phase, now, verdict) in [
            (Phase::Install, Some("1024\t65000\n"), Verdict::Pass),
            (Phase::Install, Some("32768\t60999\n"), Verdict::Warn),
            (Phase::GoLive, Some("32768\t60999\n"), Verdict::Fail),
            (Phase::Install, None, Verdict::Fail),
        ] {
            assert_eq!(trial(phase, now).verdict("os.sysctl", "db1"), verdict, "{now:?}");
        }
    }
}
