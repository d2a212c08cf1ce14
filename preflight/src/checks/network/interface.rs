//! `net.iface`: what hosts say to each other stays on a private network.

use std::net::IpAddr;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::ip::{IP_ADDR, Interface, is_private};

/// What hosts say to each other stays on a private network.
pub struct PrivateInterface;

static ABOUT: About = About {
    id: "net.iface",
    title: "The interface between the hosts is up and private",
    measures: "`ip -j addr`: the interface that has the address of the inventory. The predecessor's `ufw_private_interface` names one; \
               here rules follow the inventory's addresses, so that the interface is found instead of named.",
    why: "Databases and caches speak without encryption between hosts: on a public network others can listen, and one missing \
          rule opens them to everybody. Rules for an interface that is down or missing can lock out everybody.",
    thresholds: &[],
    fix: "give hosts that others use an address of a private network in the inventory, and switch its interface on",
    source: "role ufw and the guide on firewalls of the predecessor",
    vantage: Vantage::Host,
    applies: "every host whose address the inventory has as a number; that it is private is asked of hosts that others use",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::Parser,
};

impl Check for PrivateInterface {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        match host.address.as_ref().map(|address| address.parse::<IpAddr>()) {
            Some(Ok(_)) => Ask::of(host, [command(&IP_ADDR)]),
            _ => Ask::skip("the inventory has no number as its address: `net.addr` looks it up"),
        }
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let address = host.address.as_ref().and_then(|address| address.parse::<IpAddr>().ok());
        let address = address.ok_or_else(|| Unmeasured::new("its address is no number"))?;
        let interfaces = Interface::parse(answers.stdout(0)?);
        let interfaces = interfaces.ok_or_else(|| Unmeasured::new("the output of `ip -j addr` makes no sense"))?;
        let users = host.offers.iter().any(|offer| !offer.clients.is_empty());
        let expected = if users { "an interface of a private network that is up" } else { "an interface that is up" };
        Ok(match interfaces.iter().find(|interface| interface.has(address)) {
            None => Judgement::fail(format!("no interface has {address}"), expected),
            Some(own) if !own.is_up() => {
                Judgement::fail(format!("{}, which has {address}, is down", own.name), expected)
            }
            Some(own) if users && !is_private(address) => {
                Judgement::warn(format!("other hosts use {address} on {}, which is public", own.name), expected)
            }
            Some(own) => Judgement::pass(format!("{address} on {}", own.name), expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::ip::IP_ADDR;
    use crate::trial::Trial;

    #[test]
    fn the_interface_is_up_and_private() {
        let output = include_str!("../../../tests/fixtures/ip/two-networks.txt");
        for (address, verdict, told) in [
            ("203.0.113.10", Verdict::Warn, "other hosts use 203.0.113.10 on eth0, which is public"),
            ("10.0.0.10", Verdict::Fail, "eth1, which has 10.0.0.10, is down"),
            ("10.0.0.11", Verdict::Fail, "no interface has 10.0.0.11"),
        ] {
            let mut trial = Trial::of(
                "environment: trial\nservices:\n  database: {on: db1}\n  web: {on: web1}\n",
                &format!("provider: static\nhosts:\n  web1: {{address: 10.0.0.1}}\n  db1: {{address: {address}}}\n"),
            );
            trial.command("db1", &IP_ADDR, 0, output, "");
            let finding = trial.finding("net.iface", "db1");
            assert_eq!((finding.verdict, finding.observed.as_str()), (verdict, told));
        }
    }
}
