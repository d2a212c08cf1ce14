//! `net.dns.internal`: hosts take names for the right addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cc_agent::probe::Probe;

use super::front::Front;
use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::Ask;
use crate::scene::{HostScene, Scene};
use crate::subject::Subject;
use crate::tool::ahosts::{NOT_FOUND, addresses};

/// Seconds that a host's resolver may take.
const SECONDS: u32 = 5;

/// Hosts take names for the right addresses.
pub struct Names;

static ABOUT: About = About {
    id: "net.dns.internal",
    title: "The host takes names of the environment for the right addresses",
    measures: "`getent ahosts` for each host of the inventory and each name of the site. A name may be unknown to the host unless the \
               inventory has it as an address; one that is known must lead to the address that the inventory has.",
    why: "A stale line in /etc/hosts or a resolver of its own sends one host to another machine than all others: the site then works \
          from some hosts only.",
    thresholds: &[],
    fix: "correct /etc/hosts and the resolver of this host (/etc/resolv.conf), so that all hosts get the same answer",
    source: "deploy_common writes the same /etc/hosts everywhere; this compares with the inventory",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

/// A name with what it should lead to.
struct Expected {
    name: String,
    /// Any of these; anything when empty.
    addresses: BTreeSet<IpAddr>,
    /// Whether others cannot do without it.
    needed: bool,
}

fn expected(scene: &Scene<'_>) -> Vec<Expected> {
    let mut all = Vec::new();
    for host in &scene.hosts {
        match host.address.as_ref().map(|address| (address, address.parse::<IpAddr>())) {
            Some((_, Ok(address))) => {
                let also = host.param("public_address").and_then(|node| node.as_str()?.parse().ok());
                let addresses = also.into_iter().chain([address]).collect();
                all.push(Expected { name: host.name.clone(), addresses, needed: false });
            }
            Some((name, Err(_))) => all.push(Expected { name: name.clone(), addresses: BTreeSet::new(), needed: true }),
            None => {}
        }
    }
    let front = Front::of(scene);
    let own = front.hosts.iter().filter_map(|host| host.address.as_ref()?.parse().ok());
    let site: BTreeSet<IpAddr> = front.addresses().into_iter().chain(own).collect();
    all.extend(front.names.iter().map(|name| Expected {
        name: (*name).to_owned(),
        addresses: site.clone(),
        needed: false,
    }));
    all
}

impl Check for Names {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let probes = expected(scene).into_iter().map(|expected| Probe::Command {
            argv: vec!["getent".to_owned(), "ahosts".to_owned(), expected.name],
            seconds: SECONDS,
        });
        Ask::of(host, probes)
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let (mut wrong, mut right, mut unknown) = (Vec::new(), 0, 0);
        for (index, expected) in expected(scene).iter().enumerate() {
            let (status, stdout, stderr) = answers.ended(index)?;
            if status == NOT_FOUND && expected.needed {
                wrong.push(format!("{} is not known", expected.name));
            } else if status == NOT_FOUND {
                unknown += 1;
            } else if status == 0 {
                let found = addresses(stdout);
                let found =
                    found.ok_or_else(|| Unmeasured::new(format!("getent says `{stdout}` of {}", expected.name)))?;
                if leads_there(host, expected, &found) {
                    right += 1;
                } else {
                    let (found, wanted) = (listed(&found), listed(&expected.addresses));
                    wrong.push(format!("{} is {found} instead of {wanted}", expected.name));
                }
            } else {
                return Err(Unmeasured::new(format!("getent exited with status {status}: {stderr}")));
            }
        }
        let observed = format!("{right} names lead to the right address, {unknown} are not known");
        let expected = "names lead to the addresses of the inventory";
        Ok(match wrong.as_slice() {
            [] => Judgement::pass(observed, expected),
            _ => Judgement::fail(wrong.join("; "), expected),
        })
    }
}

/// Debian gives a host's own name an address of the loopback interface, which is right for the host itself.
fn leads_there(host: &HostScene<'_>, expected: &Expected, found: &BTreeSet<IpAddr>) -> bool {
    let own = expected.name == host.name && found.iter().all(IpAddr::is_loopback);
    // Beside the right address it may have others: of IPv6, of a second interface.
    expected.addresses.is_empty() || own || !found.is_disjoint(&expected.addresses)
}

fn listed(addresses: &BTreeSet<IpAddr>) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::trial::Trial;

    fn finding(web1: (i32, &str), db1: (i32, &str)) -> crate::Finding {
        let mut trial = Trial::new();
        trial.command("web1", &["getent", "ahosts", "web1"], web1.0, web1.1, "");
        trial.command("web1", &["getent", "ahosts", "db1"], db1.0, db1.1, "");
        trial.finding("net.dns.internal", "web1")
    }

    #[test]
    fn a_wrong_answer_is_worse_than_none() {
        let own = (0, "127.0.1.1 STREAM web1\n");
        assert_eq!(finding(own, (0, "10.0.0.2 STREAM db1\n")).verdict, Verdict::Pass);
        assert_eq!(finding(own, (2, "")).verdict, Verdict::Pass);
        let wrong = finding(own, (0, "192.0.2.66 STREAM db1\n"));
        assert_eq!(wrong.observed, "db1 is 192.0.2.66 instead of 10.0.0.2");
        assert!(wrong.stops());
        // The loopback address is only right for the host's own name.
        assert_eq!(finding(own, (0, "127.0.1.1 STREAM db1\n")).verdict, Verdict::Fail);
        for broken in [(0, "garbage"), (0, ""), (1, "")] {
            assert!(finding(own, broken).unmeasured);
        }
    }
}
