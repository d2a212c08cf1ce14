//! `net.addr`: the host has the address of the inventory.

use std::net::IpAddr;

use cc_agent::probe::Probe;

use crate::about::{About, Keeps, Phase, Proof, Vantage};
use crate::answers::Answered;
use crate::check::Check;
use crate::judgement::{Judged, Judgement, Unmeasured};
use crate::question::{Ask, command};
use crate::scene::Scene;
use crate::subject::Subject;
use crate::tool::ahosts;
use crate::tool::ip::{IP_ADDR, Interface};

/// The host has the address of the inventory.
pub struct Address;

static ABOUT: About = About {
    id: "net.addr",
    title: "The host has the address that the inventory gives it",
    measures: "`ip -j addr` on the host. An address that is a name is looked up on the host itself with `getent ahosts`.",
    why: "Services listen on that address and other hosts connect to it. One that the host does not have, such as the outer address \
          of a translating router or an elastic address, cannot be listened on.",
    thresholds: &[],
    fix: "give the host the address in inventories/<env>.yml that its own interface has; where people reach it under another one, \
          write that as the host param `public_address`",
    source: "installation guide, step 10",
    vantage: Vantage::Host,
    applies: "every host of every size",
    blocks: &[Phase::Install, Phase::GoLive, Phase::Migration],
    keeps: Keeps::Day,
    deep: None,
    proof: Proof::RealHost,
};

impl Check for Address {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn ask(&self, scene: &Scene<'_>, subject: Subject) -> Ask {
        let Ok(host) = scene.host(subject) else { return Ask::skip("it is asked of hosts") };
        let Some(address) = &host.address else { return Ask::skip("the inventory gives it no address") };
        let name = address.parse::<IpAddr>().is_err();
        let look_up = name.then(|| Probe::Command {
            argv: vec!["getent".to_owned(), "ahosts".to_owned(), address.clone()],
            seconds: 10,
        });
        Ask::of(host, [command(&IP_ADDR)].into_iter().chain(look_up))
    }

    fn judge(&self, scene: &Scene<'_>, subject: Subject, answers: &Answered<'_>) -> Judged {
        let host = scene.host(subject)?;
        let written = host.address.clone().unwrap_or_default();
        let interfaces = Interface::parse(answers.stdout(0)?);
        let interfaces = interfaces.ok_or_else(|| Unmeasured::new("the output of `ip -j addr` makes no sense"))?;
        let wanted: Vec<IpAddr> = match written.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = ahosts::addresses(answers.stdout(1)?);
                found.ok_or_else(|| Unmeasured::new(format!("{written} has no address")))?.into_iter().collect()
            }
        };
        let outer = |interface: &&Interface| !interface.is_loopback();
        let has = wanted.iter().find(|wanted| interfaces.iter().filter(outer).any(|interface| interface.has(**wanted)));
        let own = interfaces.iter().filter(outer).flat_map(|interface| &interface.addresses);
        let own: Vec<String> = own.map(|address| address.local.to_string()).collect();
        Ok(match has {
            Some(address) => Judgement::pass(address.to_string(), written),
            None => Judgement::fail(format!("the host has {}", own.join(", ")), written),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::tool::ip::IP_ADDR;
    use crate::trial::Trial;

    #[test]
    fn an_address_of_somebody_else_fails() {
        let mut trial = Trial::new();
        let output = include_str!("../../../tests/fixtures/ip/two-networks.txt");
        trial.command("web1", &IP_ADDR, 0, output, "");
        let finding = trial.finding("net.addr", "web1");
        assert_eq!(
            (finding.verdict, finding.observed.as_str()),
            (Verdict::Fail, "the host has 203.0.113.10, 10.0.0.10")
        );
        trial.command("web1", &IP_ADDR, 0, &output.replace("10.0.0.10", "10.0.0.1"), "");
        assert_eq!(trial.verdict("net.addr", "web1"), Verdict::Pass);
        trial.command("web1", &IP_ADDR, 0, "[{}]", "");
        assert!(trial.finding("net.addr", "web1").unmeasured);
    }
}
